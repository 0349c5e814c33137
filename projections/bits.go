package projections

import (
	"encoding/binary"
	"math/bits"
)

// A block is a part of a set of executions: a bit for each of blockSize
// numbers in a row. It is what one row of an index holds.
type block [blockSize / 64]uint64

const blockSize = 4096

// maxListed is how many numbers are written as a list of two bytes each. A
// block with more is written bit by bit, which takes 512 bytes.
const maxListed = 200

func (b *block) set(i int64)   { b[i/64] |= 1 << (i % 64) }
func (b *block) clear(i int64) { b[i/64] &^= 1 << (i % 64) }

func (b *block) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// encode writes a block; nothing for an empty one.
func (b *block) encode() []byte {
	n := b.count()
	if n > maxListed {
		out := make([]byte, 0, blockSize/8)
		for _, w := range b {
			out = binary.LittleEndian.AppendUint64(out, w)
		}
		return out
	}
	out := make([]byte, 0, 2*n)
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			out = binary.LittleEndian.AppendUint16(out, uint16(i*64+bits.TrailingZeros64(w)))
		}
	}
	return out
}

// decode adds what encode wrote to a block.
func (b *block) decode(text []byte) {
	if len(text) == blockSize/8 {
		for i := range b {
			b[i] |= binary.LittleEndian.Uint64(text[8*i:])
		}
		return
	}
	for ; len(text) >= 2; text = text[2:] {
		b.set(int64(binary.LittleEndian.Uint16(text)) % blockSize)
	}
}

// A numberSet is a set of numbers of executions, from the first on which its
// first block has.
type numberSet struct {
	first  int64 // number of the first block
	blocks []block
}

// newNumberSet makes an empty set for numbers from low on and below high.
func newNumberSet(low, high int64) *numberSet {
	first := low / blockSize
	if high <= low {
		return &numberSet{first: first}
	}
	return &numberSet{first: first, blocks: make([]block, (high-1)/blockSize-first+1)}
}

// add adds a number, if it is within the set's bounds.
func (s *numberSet) add(n int64) {
	if i := n/blockSize - s.first; i >= 0 && i < int64(len(s.blocks)) {
		s.blocks[i].set(n % blockSize)
	}
}

func (s *numberSet) has(n int64) bool {
	i := n/blockSize - s.first
	return i >= 0 && i < int64(len(s.blocks)) && s.blocks[i][n%blockSize/64]&(1<<(n%64)) != 0
}

// with keeps what the other set has, too; without what it has not; join adds
// it. Both sets have the same bounds.
func (s *numberSet) with(o *numberSet) {
	for i := range s.blocks {
		for k := range s.blocks[i] {
			s.blocks[i][k] &= o.blocks[i][k]
		}
	}
}

func (s *numberSet) without(o *numberSet) {
	for i := range s.blocks {
		for k := range s.blocks[i] {
			s.blocks[i][k] &^= o.blocks[i][k]
		}
	}
}

func (s *numberSet) join(o *numberSet) {
	for i := range s.blocks {
		for k := range s.blocks[i] {
			s.blocks[i][k] |= o.blocks[i][k]
		}
	}
}

// keep drops what is below low, and what is not below high.
func (s *numberSet) keep(low, high int64) {
	for i := range s.blocks {
		begin := (s.first + int64(i)) * blockSize
		if begin >= low && begin+blockSize <= high {
			continue
		}
		for n := range int64(blockSize) {
			if begin+n < low || begin+n >= high {
				s.blocks[i].clear(n)
			}
		}
	}
}

func (s *numberSet) count() (n int) {
	for i := range s.blocks {
		n += s.blocks[i].count()
	}
	return n
}

// both counts what two sets of the same bounds have in common, from low on and
// below high.
func (s *numberSet) both(o *numberSet, low, high int64) (n int) {
	for i := range s.blocks {
		begin := (s.first + int64(i)) * blockSize
		if begin+blockSize <= low || begin >= high {
			continue
		}
		for k := range s.blocks[i] {
			n += bits.OnesCount64(s.blocks[i][k] & o.blocks[i][k] & within(begin+int64(k)*64, low, high))
		}
	}
	return n
}

// within has the bits of the numbers from begin on that are neither below low
// nor from high on.
func within(begin, low, high int64) uint64 {
	mask := ^uint64(0)
	if low > begin {
		mask = mask << min(low-begin, 64)
	}
	if high < begin+64 {
		mask &= 1<<max(high-begin, 0) - 1
	}
	return mask
}

// each yields the numbers of the set, the highest first if descending, until
// yield returns false.
func (s *numberSet) each(descending bool, yield func(n int64) bool) {
	for i := range s.blocks {
		if descending {
			i = len(s.blocks) - 1 - i
		}
		for k := range s.blocks[i] {
			if descending {
				k = len(s.blocks[i]) - 1 - k
			}
			begin := (s.first+int64(i))*blockSize + int64(k)*64
			for w := s.blocks[i][k]; w != 0; {
				bit := bits.TrailingZeros64(w)
				if descending {
					bit = 63 - bits.LeadingZeros64(w)
				}
				w &^= 1 << bit
				if !yield(begin + int64(bit)) {
					return
				}
			}
		}
	}
}

// page returns the numbers of a page of the set in the given direction.
func (s *numberSet) page(descending bool, p Page) (out []int64) {
	skip := max(p.Offset, 0)
	s.each(descending, func(n int64) bool {
		if skip > 0 {
			skip--
			return true
		}
		out = append(out, n)
		return p.Limit <= 0 || len(out) < p.Limit
	})
	return out
}
