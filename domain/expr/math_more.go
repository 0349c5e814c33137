package expr

import (
	"math"
	"math/big"
)

func mathLCM(c *Call) (Value, error) {
	total := big.NewInt(1)
	for _, v := range c.Args {
		n, err := asBig(v)
		if err != nil {
			return nil, err
		}
		if n.Sign() == 0 {
			return Int(0), nil
		}
		if err := c.r.work(total.BitLen() + n.BitLen()); err != nil {
			return nil, err
		}
		n = new(big.Int).Abs(n)
		if _, err := c.r.sized(total.Mul(total, new(big.Int).Quo(n, new(big.Int).GCD(nil, nil, total, n)))); err != nil {
			return nil, err
		}
	}
	return integer(total), nil
}

func mathPerm(c *Call) (Value, error) {
	a, err := c.Bind("n", "k?")
	if err != nil {
		return nil, err
	}
	n, err := asInt(a[0])
	if err != nil {
		return nil, err
	}
	k := n
	if a[1] != nil && a[1] != None {
		if k, err = asInt(a[1]); err != nil {
			return nil, err
		}
	}
	switch {
	case n < 0 || k < 0:
		return nil, valueError.errorf("n must be a non-negative integer")
	case k > n:
		return Int(0), nil
	case k > 2000:
		return nil, limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	if err := c.r.work(k * k); err != nil {
		return nil, err
	}
	return c.r.sized(new(big.Int).MulRange(int64(n-k)+1, int64(n)))
}

func mathDist(c *Call) (Value, error) {
	a, err := c.Bind("p", "q")
	if err != nil {
		return nil, err
	}
	var points [2][]float64
	for i := range points {
		err := c.r.each(a[i], func(v Value) error {
			f, err := asFloat(v)
			points[i] = append(points[i], f)
			if err != nil {
				return err
			}
			return c.r.grow(8)
		})
		if err != nil {
			return nil, err
		}
	}
	if len(points[0]) != len(points[1]) {
		return nil, valueError.errorf("both points must have the same number of dimensions")
	}
	sum := 0.0
	for i, x := range points[0] {
		sum = math.Hypot(sum, x-points[1][i])
	}
	return Float(sum), nil
}

func mathModf(c *Call) (Value, error) {
	f, err := c.floats("x")
	if err != nil {
		return nil, err
	}
	whole, part := math.Modf(f[0])
	return Tuple{Float(part), Float(whole)}, nil
}
