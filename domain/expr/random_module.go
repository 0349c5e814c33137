package expr

import (
	"hash/fnv"
	"math"
)

// randomModule draws from the seed of the evaluation.
var randomModule = map[string]Value{
	"random":      Builtin("random", randomRandom),
	"randint":     Builtin("randint", randomRandint),
	"randrange":   Builtin("randrange", randomRandrange),
	"uniform":     Builtin("uniform", randomUniform),
	"choice":      Builtin("choice", randomChoice),
	"choices":     Builtin("choices", randomChoices),
	"sample":      Builtin("sample", randomSample),
	"shuffle":     Builtin("shuffle", randomShuffle),
	"getrandbits": Builtin("getrandbits", randomBits),
	"gauss":       Builtin("gauss", randomGauss),
	"seed":        Builtin("seed", randomSeed),
}

func randomRandom(c *Call) (Value, error) {
	_, err := c.Bind()
	return Float(c.r.random.float()), err
}

// ints reads arguments that all have to be integers; missing ones are zero.
func (c *Call) ints(params ...string) ([]int, []Value, error) {
	a, err := c.Bind(params...)
	if err != nil {
		return nil, nil, err
	}
	out := make([]int, len(a))
	for i, v := range a {
		if v == nil {
			continue
		}
		if out[i], err = asInt(v); err != nil {
			return nil, nil, err
		}
	}
	return out, a, nil
}

func randomRandint(c *Call) (Value, error) {
	n, _, err := c.ints("a", "b")
	if err != nil {
		return nil, err
	}
	if n[1] < n[0] {
		return nil, valueError.errorf("empty range for randrange() (%d, %d, %d)", n[0], n[1]+1, n[1]+1-n[0])
	}
	return Int(n[0] + int(c.r.random.below(uint64(n[1]-n[0]+1)))), nil
}

func randomRandrange(c *Call) (Value, error) {
	v, err := makeRange(c)
	if err != nil {
		return nil, err
	}
	g := v.(rangeValue)
	if g.len() == 0 {
		return nil, valueError.errorf("empty range for randrange()")
	}
	return g.item(int(c.r.random.below(uint64(g.len())))), nil
}

func randomUniform(c *Call) (Value, error) {
	x, err := c.floats("a", "b")
	if err != nil {
		return nil, err
	}
	return Float(x[0] + (x[1]-x[0])*c.r.random.float()), nil
}

func randomChoice(c *Call) (Value, error) {
	a, err := c.Bind("seq")
	if err != nil {
		return nil, err
	}
	n, err := c.r.length(a[0])
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, indexError.errorf("Cannot choose from an empty sequence")
	}
	return c.r.index(a[0], Int(c.r.random.below(uint64(n))))
}

func randomChoices(c *Call) (Value, error) {
	a, err := c.Bind("population", "k?")
	if err != nil {
		return nil, err
	}
	k := 1
	if a[1] != nil {
		if k, err = asInt(a[1]); err != nil {
			return nil, err
		}
	}
	items, err := c.r.collect(a[0])
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, indexError.errorf("Cannot choose from an empty sequence")
	}
	if err := c.r.grow(16 * min(max(k, 0), maxRepeat)); err != nil {
		return nil, err
	}
	out := make([]Value, 0, max(k, 0))
	for range k {
		out = append(out, items[c.r.random.below(uint64(len(items)))])
	}
	return &List{out}, c.r.work(k)
}

func randomSample(c *Call) (Value, error) {
	a, err := c.Bind("population", "k")
	if err != nil {
		return nil, err
	}
	k, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	items, err := c.r.collect(a[0])
	if err != nil {
		return nil, err
	}
	if k < 0 || k > len(items) {
		return nil, valueError.errorf("Sample larger than population or is negative")
	}
	pool := append([]Value{}, items...)
	c.r.shuffle(pool)
	return c.r.list(pool[:k])
}

func (r *run) shuffle(items []Value) {
	for i := len(items) - 1; i > 0; i-- {
		j := int(r.random.below(uint64(i + 1)))
		items[i], items[j] = items[j], items[i]
	}
}

func randomShuffle(c *Call) (Value, error) {
	a, err := c.Bind("x")
	if err != nil {
		return nil, err
	}
	l, ok := a[0].(*List)
	if !ok {
		return nil, typeError.errorf("'%s' object does not support item assignment", a[0].Type())
	}
	c.r.shuffle(l.items)
	return None, c.r.work(8 * len(l.items))
}

func randomBits(c *Call) (Value, error) {
	n, _, err := c.ints("k")
	if err != nil {
		return nil, err
	}
	if n[0] < 0 || n[0] > maxBits {
		return nil, valueError.errorf("number of bits must be non-negative and moderate")
	}
	b := c.r.randomBytes((n[0] + 7) / 8)
	if over := n[0] % 8; over > 0 {
		b[0] &= 1<<over - 1
	}
	return intOfBytes(b), nil
}

// randomBytes draws n bytes.
func (r *run) randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.random.next() >> 56)
	}
	return b
}

// randomGauss draws from a normal distribution, by the method of Box and
// Muller.
func randomGauss(c *Call) (Value, error) {
	a, err := c.Bind("mu?", "sigma?")
	if err != nil {
		return nil, err
	}
	mu, sigma := 0.0, 1.0
	for i, to := range []*float64{&mu, &sigma} {
		if a[i] != nil {
			if *to, err = asFloat(a[i]); err != nil {
				return nil, err
			}
		}
	}
	x, y := c.r.random.float(), c.r.random.float()
	return Float(mu + sigma*math.Sqrt(-2*math.Log(1-x))*math.Cos(2*math.Pi*y)), nil
}

// randomSeed starts over with a seed of the program's own; without one, with
// that of the evaluation.
func randomSeed(c *Call) (Value, error) {
	a, err := c.Bind("a?", "version?")
	if err != nil {
		return nil, err
	}
	seed := c.r.env.Seed
	if a[0] != nil && a[0] != None {
		text, err := c.r.repr(a[0])
		if err != nil {
			return nil, err
		}
		h := fnv.New64a()
		h.Write([]byte(text))
		seed = h.Sum64()
	}
	c.r.random = newRandom(seed)
	return None, nil
}
