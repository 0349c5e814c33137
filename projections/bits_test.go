package projections

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Sets of numbers are compared with what a plain list of numbers says, for
// few numbers, which are listed, and for many, which are not.
func TestNumberSets(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, share := range []int64{2, 3000} {
		const low, high = 3 * blockSize / 2, 9 * blockSize / 2
		s, o := newNumberSet(low, high), newNumberSet(low, high)
		var plain, other []int64
		for n := int64(low); n < high; n++ {
			if random.Int64N(share) == 0 {
				s.add(n)
				plain = append(plain, n)
			}
			if random.Int64N(share) == 0 {
				o.add(n)
				other = append(other, n)
			}
		}
		s.add(0)
		s.add(5 * blockSize)
		if got := s.page(false, Page{}); !slices.Equal(got, plain) || s.count() != len(plain) {
			t.Fatalf("one of %d: %d numbers, want %d", share, len(got), len(plain))
		}
		slices.Reverse(plain)
		if got := s.page(true, Page{Offset: 3, Limit: 7}); !slices.Equal(got, plain[min(3, len(plain)):min(10, len(plain))]) {
			t.Errorf("one of %d: the second page from behind is %v", share, got)
		}
		common := slices.DeleteFunc(slices.Clone(plain), func(n int64) bool { return !slices.Contains(other, n) || n < 8000 || n >= 15000 })
		if got := s.both(o, 8000, 15000); got != len(common) {
			t.Errorf("one of %d: %d numbers in common, want %d", share, got, len(common))
		}
		for i := range s.blocks {
			var back block
			if back.decode(s.blocks[i].encode()); back != s.blocks[i] {
				t.Errorf("one of %d: block %d is read otherwise than it was written", share, i)
			}
		}
		s.with(o)
		if s.keep(8000, 15000); s.count() != len(common) {
			t.Errorf("one of %d: %d numbers stay, want %d", share, s.count(), len(common))
		}
		o.without(s)
		if o.count() != len(other)-len(common) {
			t.Errorf("one of %d: %d numbers are left, want %d", share, o.count(), len(other)-len(common))
		}
		if o.join(s); o.count() != len(other) || !o.has(other[0]) || o.has(0) {
			t.Errorf("one of %d: joined there are %d, want %d", share, o.count(), len(other))
		}
	}
}
