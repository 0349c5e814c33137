package expr

import "math/bits"

// random is a generator of numbers that the seed decides (SplitMix64): two
// evaluations with one seed see the same numbers.
type random struct{ state uint64 }

func newRandom(seed uint64) random { return random{seed} }

// next returns 64 bits.
func (g *random) next() uint64 {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 up to n.
func (g *random) below(n uint64) uint64 {
	hi, lo := bits.Mul64(g.next(), n)
	for lo < -n%n {
		hi, lo = bits.Mul64(g.next(), n)
	}
	return hi
}

// float returns a number from 0 up to 1.
func (g *random) float() float64 { return float64(g.next()>>11) / (1 << 53) }
