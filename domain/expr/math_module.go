package expr

import (
	"math"
	"math/big"
)

var mathModule = map[string]Value{
	"pi": Float(math.Pi), "e": Float(math.E), "tau": Float(2 * math.Pi), "inf": Float(math.Inf(1)), "nan": Float(math.NaN()),

	"sqrt": mathFunction("sqrt", math.Sqrt), "exp": mathFunction("exp", math.Exp), "fabs": mathFunction("fabs", math.Abs),
	"sin": mathFunction("sin", math.Sin), "cos": mathFunction("cos", math.Cos), "tan": mathFunction("tan", math.Tan),
	"asin": mathFunction("asin", math.Asin), "acos": mathFunction("acos", math.Acos), "atan": mathFunction("atan", math.Atan),
	"sinh": mathFunction("sinh", math.Sinh), "cosh": mathFunction("cosh", math.Cosh), "tanh": mathFunction("tanh", math.Tanh),
	"log2": mathFunction("log2", math.Log2), "log10": mathFunction("log10", math.Log10), "log1p": mathFunction("log1p", math.Log1p),
	"degrees": mathFunction("degrees", func(x float64) float64 { return x * 180 / math.Pi }),
	"radians": mathFunction("radians", func(x float64) float64 { return x * math.Pi / 180 }),
	"atan2":   mathPair("atan2", math.Atan2), "fmod": mathPair("fmod", math.Mod), "pow": mathPair("pow", math.Pow),
	"copysign": mathPair("copysign", math.Copysign),

	"floor": rounding("floor", math.Floor), "ceil": rounding("ceil", math.Ceil), "trunc": rounding("trunc", math.Trunc),
	"isnan":    predicate("isnan", math.IsNaN),
	"isinf":    predicate("isinf", func(x float64) bool { return math.IsInf(x, 0) }),
	"isfinite": predicate("isfinite", func(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }),

	"log":       Builtin("log", mathLog),
	"hypot":     Builtin("hypot", mathHypot),
	"isclose":   Builtin("isclose", mathIsClose),
	"gcd":       Builtin("gcd", mathGCD),
	"lcm":       Builtin("lcm", mathLCM),
	"perm":      Builtin("perm", mathPerm),
	"dist":      Builtin("dist", mathDist),
	"modf":      Builtin("modf", mathModf),
	"factorial": Builtin("factorial", mathFactorial),
	"comb":      Builtin("comb", mathComb),
	"isqrt":     Builtin("isqrt", mathISqrt),
	"prod":      Builtin("prod", mathProd),
	"fsum":      Builtin("fsum", mathSum),
}

// asFloat reads an argument that has to be a number.
func asFloat(v Value) (float64, error) {
	f, ok := floatOf(v)
	if !ok {
		return 0, typeError.errorf("must be real number, not %s", v.Type())
	}
	return f, nil
}

// floats reads arguments that all have to be numbers.
func (c *Call) floats(params ...string) ([]float64, error) {
	a, err := c.Bind(params...)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(a))
	for i, v := range a {
		if out[i], err = asFloat(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func checked(y float64, inputs ...float64) (Value, error) {
	for _, x := range inputs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return Float(y), nil
		}
	}
	switch {
	case math.IsNaN(y), math.IsInf(y, -1):
		return nil, valueError.errorf("math domain error")
	case math.IsInf(y, 1):
		return nil, overflowError.errorf("math range error")
	}
	return Float(y), nil
}

func mathFunction(name string, fn func(float64) float64) Value {
	return Builtin(name, func(c *Call) (Value, error) {
		x, err := c.floats("x")
		if err != nil {
			return nil, err
		}
		return checked(fn(x[0]), x...)
	})
}

func mathPair(name string, fn func(x, y float64) float64) Value {
	return Builtin(name, func(c *Call) (Value, error) {
		x, err := c.floats("x", "y")
		if err != nil {
			return nil, err
		}
		return checked(fn(x[0], x[1]), x...)
	})
}

func rounding(name string, fn func(float64) float64) Value {
	return Builtin(name, func(c *Call) (Value, error) {
		a, err := c.Bind("x")
		if err != nil {
			return nil, err
		}
		if n, ok := bigOf(a[0]); ok {
			return integer(n), nil
		}
		x, err := asFloat(a[0])
		if err != nil {
			return nil, err
		}
		return wholeNumber(fn(x))
	})
}

func predicate(name string, holds func(float64) bool) Value {
	return Builtin(name, func(c *Call) (Value, error) {
		x, err := c.floats("x")
		if err != nil {
			return nil, err
		}
		return Bool(holds(x[0])), nil
	})
}

func mathLog(c *Call) (Value, error) {
	a, err := c.Bind("x", "base?")
	if err != nil {
		return nil, err
	}
	x, err := asFloat(a[0])
	if err != nil {
		return nil, err
	}
	if a[1] == nil {
		return checked(math.Log(x), x)
	}
	base, err := asFloat(a[1])
	if err != nil {
		return nil, err
	}
	if base == 1 {
		return nil, zeroDivisionError.errorf("float division by zero")
	}
	return checked(math.Log(x)/math.Log(base), x, base)
}

func mathHypot(c *Call) (Value, error) {
	sum := 0.0
	for _, v := range c.Args {
		x, err := asFloat(v)
		if err != nil {
			return nil, err
		}
		sum = math.Hypot(sum, x)
	}
	return Float(sum), nil
}

func mathIsClose(c *Call) (Value, error) {
	a, err := c.Bind("a", "b", "rel_tol?", "abs_tol?")
	if err != nil {
		return nil, err
	}
	x := [4]float64{0, 0, 1e-9, 0}
	for i, v := range a {
		if v == nil {
			continue
		}
		if x[i], err = asFloat(v); err != nil {
			return nil, err
		}
	}
	if x[0] == x[1] {
		return Bool(true), nil
	}
	distance := math.Abs(x[0] - x[1])
	near := max(x[2]*max(math.Abs(x[0]), math.Abs(x[1])), x[3])
	return Bool(distance <= near && !math.IsInf(distance, 0)), nil
}

// asBig reads an argument that has to be an integer.
func asBig(v Value) (*big.Int, error) {
	n, ok := bigOf(v)
	if !ok {
		return nil, typeError.errorf("'%s' object cannot be interpreted as an integer", v.Type())
	}
	return n, nil
}

func mathGCD(c *Call) (Value, error) {
	out := new(big.Int)
	for _, v := range c.Args {
		n, err := asBig(v)
		if err != nil {
			return nil, err
		}
		if err := c.r.work(n.BitLen() * (n.BitLen()>>6 + 1)); err != nil {
			return nil, err
		}
		out.GCD(nil, nil, out, new(big.Int).Abs(n))
	}
	return integer(out), nil
}

func mathFactorial(c *Call) (Value, error) {
	a, err := c.Bind("n")
	if err != nil {
		return nil, err
	}
	n, err := asInt(a[0])
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, valueError.errorf("factorial() not defined for negative values")
	}
	if n > 6000 {
		return nil, limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	if err := c.r.work(n * n / 8); err != nil {
		return nil, err
	}
	return c.r.sized(new(big.Int).MulRange(1, int64(n)))
}

func mathComb(c *Call) (Value, error) {
	a, err := c.Bind("n", "k")
	if err != nil {
		return nil, err
	}
	n, err := asInt(a[0])
	if err != nil {
		return nil, err
	}
	k, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	if n < 0 || k < 0 {
		return nil, valueError.errorf("n must be a non-negative integer")
	}
	if k > n {
		return Int(0), nil
	}
	k = min(k, n-k)
	if k > 2000 {
		return nil, limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	if err := c.r.work(k * k); err != nil {
		return nil, err
	}
	return c.r.sized(new(big.Int).Binomial(int64(n), int64(k)))
}

func mathISqrt(c *Call) (Value, error) {
	a, err := c.Bind("n")
	if err != nil {
		return nil, err
	}
	n, err := asBig(a[0])
	if err != nil {
		return nil, err
	}
	if n.Sign() < 0 {
		return nil, valueError.errorf("isqrt() argument must be nonnegative")
	}
	return integer(new(big.Int).Sqrt(n)), c.r.work(n.BitLen() * 4)
}

func mathProd(c *Call) (Value, error) {
	a, err := c.Bind("iterable", "start?")
	if err != nil {
		return nil, err
	}
	total := a[1]
	if total == nil {
		total = Int(1)
	}
	err = c.r.each(a[0], func(v Value) error {
		var err error
		total, err = c.r.binary("*", total, v)
		return err
	})
	return total, err
}

func mathSum(c *Call) (Value, error) {
	a, err := c.Bind("seq")
	if err != nil {
		return nil, err
	}
	total := new(big.Float).SetPrec(2200)
	err = c.r.each(a[0], func(v Value) error {
		f, err := asFloat(v)
		if err != nil {
			return err
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return valueError.errorf("fsum() of values that are not finite is not available")
		}
		total.Add(total, big.NewFloat(f))
		return c.r.work(512)
	})
	f, _ := total.Float64()
	return Float(f), err
}
