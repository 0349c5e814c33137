package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// numberFunctions are the builtins that compute.
var numberFunctions = map[string]func(*Call) (Value, error){
	"abs":    builtinAbs,
	"round":  builtinRound,
	"divmod": builtinDivmod,
	"pow":    builtinPow,
	"bin":    func(c *Call) (Value, error) { return c.inBase("#b") },
	"oct":    func(c *Call) (Value, error) { return c.inBase("#o") },
	"hex":    func(c *Call) (Value, error) { return c.inBase("#x") },
}

// asInt reads an argument that has to be an integer of moderate size.
func asInt(v Value) (int, error) {
	n, ok := bigOf(v)
	if !ok {
		return 0, typeError.errorf("'%s' object cannot be interpreted as an integer", v.Type())
	}
	if !n.IsInt64() || n.Int64() > math.MaxInt64/4 || n.Int64() < math.MinInt64/4 {
		return 0, overflowError.errorf("Python int too large to convert to C ssize_t")
	}
	return int(n.Int64()), nil
}

func builtinAbs(c *Call) (Value, error) {
	a, err := c.Bind("x")
	if err != nil {
		return nil, err
	}
	if f, ok := a[0].(Float); ok {
		return Float(math.Abs(float64(f))), nil
	}
	if n, ok := bigOf(a[0]); ok {
		return integer(new(big.Int).Abs(n)), nil
	}
	if d, ok := a[0].(duration); ok {
		return max(d, -d), nil
	}
	return nil, typeError.errorf("bad operand type for abs(): '%s'", a[0].Type())
}

func builtinRound(c *Call) (Value, error) {
	a, err := c.Bind("number", "ndigits?")
	if err != nil {
		return nil, err
	}
	toInt := a[1] == nil || a[1] == None
	digits := 0
	if !toInt {
		if digits, err = asInt(a[1]); err != nil {
			return nil, err
		}
	}
	if f, ok := a[0].(Float); ok {
		if toInt {
			return wholeNumber(math.RoundToEven(float64(f)))
		}
		return Float(roundFloat(float64(f), digits)), nil
	}
	n, ok := bigOf(a[0])
	if !ok {
		return nil, typeError.errorf("type %s doesn't define __round__ method", a[0].Type())
	}
	if digits >= 0 {
		return integer(n), nil
	}
	return c.roundInteger(n, -digits)
}

// roundFloat rounds half to even on the exact value, as Python does.
func roundFloat(f float64, digits int) float64 {
	if math.IsInf(f, 0) || math.IsNaN(f) || digits > 323 {
		return f
	}
	if digits >= 0 {
		out, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', digits, 64), 64)
		return out
	}
	if digits < -308 {
		return math.Copysign(0, f)
	}
	scale := math.Pow(10, float64(-digits))
	return math.RoundToEven(f/scale) * scale
}

func (c *Call) roundInteger(n *big.Int, digits int) (Value, error) {
	if digits > maxDigits {
		return Int(0), nil
	}
	unit, err := c.r.power(big.NewInt(10), big.NewInt(int64(digits)))
	if err != nil {
		return nil, err
	}
	u, _ := bigOf(unit)
	down := new(big.Int).Mod(n, u)
	twice := new(big.Int).Lsh(down, 1)
	low := new(big.Int).Sub(n, down)
	odd := new(big.Int).Quo(low, u).Bit(0) == 1
	if cmp := twice.Cmp(u); cmp > 0 || cmp == 0 && odd {
		low.Add(low, u)
	}
	return integer(low), nil
}

// wholeNumber makes an integer of a float.
func wholeNumber(f float64) (Value, error) {
	switch {
	case math.IsNaN(f):
		return nil, valueError.errorf("cannot convert float NaN to integer")
	case math.IsInf(f, 0):
		return nil, overflowError.errorf("cannot convert float infinity to integer")
	}
	return integer(bigOfFloat(f)), nil
}

func builtinDivmod(c *Call) (Value, error) {
	a, err := c.Bind("x", "y")
	if err != nil {
		return nil, err
	}
	q, err := c.r.binary("//", a[0], a[1])
	if err != nil {
		return nil, err
	}
	m, err := c.r.binary("%", a[0], a[1])
	return Tuple{q, m}, err
}

func builtinPow(c *Call) (Value, error) {
	a, err := c.Bind("base", "exp", "mod?")
	if err != nil {
		return nil, err
	}
	if a[2] == nil || a[2] == None {
		return c.r.binary("**", a[0], a[1])
	}
	var n [3]*big.Int
	for i, v := range a {
		var ok bool
		if n[i], ok = bigOf(v); !ok {
			return nil, typeError.errorf("pow() 3rd argument not allowed unless all arguments are integers")
		}
	}
	if n[2].Sign() == 0 {
		return nil, valueError.errorf("pow() 3rd argument cannot be 0")
	}
	if n[2].Sign() < 0 {
		return nil, valueError.errorf("pow() with a negative modulus is not available")
	}
	size := n[2].BitLen()>>6 + 1
	if err := c.r.work(n[1].BitLen() * size * size); err != nil {
		return nil, err
	}
	z := new(big.Int).Exp(n[0], n[1], n[2])
	if z == nil {
		return nil, valueError.errorf("base is not invertible for the given modulus")
	}
	return integer(z), nil
}

func (c *Call) inBase(spec string) (Value, error) {
	a, err := c.Bind("number")
	if err != nil {
		return nil, err
	}
	n, ok := bigOf(a[0])
	if !ok {
		return nil, typeError.errorf("'%s' object cannot be interpreted as an integer", a[0].Type())
	}
	s, err := c.r.formatted(integer(n), spec)
	return Str(s), err
}

func makeBool(c *Call) (Value, error) {
	a, err := c.Bind("x?")
	if err != nil {
		return nil, err
	}
	return Bool(a[0] != nil && Truth(a[0])), nil
}

func makeInt(c *Call) (Value, error) {
	a, err := c.Bind("x?", "base?")
	if err != nil {
		return nil, err
	}
	if a[1] != nil {
		base, err := asInt(a[1])
		if err != nil {
			return nil, err
		}
		return c.parseInt(a[0], base)
	}
	switch v := a[0].(type) {
	case nil:
		return Int(0), nil
	case Float:
		return wholeNumber(math.Trunc(float64(v)))
	case Str, Bytes:
		return c.parseInt(v, 10)
	}
	if n, ok := bigOf(a[0]); ok {
		return integer(n), nil
	}
	if i, ok := a[0].(interface{ integer() Value }); ok {
		return i.integer(), nil
	}
	return nil, typeError.errorf("int() argument must be a string, a bytes-like object or a real number, not '%s'", a[0].Type())
}

func (c *Call) parseInt(v Value, base int) (Value, error) {
	var s string
	switch v := v.(type) {
	case Str:
		s = string(v)
	case Bytes:
		s = string(v)
	default:
		return nil, typeError.errorf("int() can't convert non-string with explicit base")
	}
	if base < 0 || base == 1 || base > 36 {
		return nil, valueError.errorf("int() base must be >= 2 and <= 36, or 0")
	}
	if n := len(strings.TrimLeft(strings.TrimSpace(s), "+-")); n > maxDigits && base&(base-1) != 0 {
		return nil, valueError.errorf("Exceeds the limit (4300 digits) for integer string conversion: value has %d digits; use sys.set_int_max_str_digits() to increase the limit", n)
	}
	if err := c.r.grow(4 * len(s)); err != nil {
		return nil, err
	}
	if err := c.r.work(4 * len(s)); err != nil {
		return nil, err
	}
	digits := strings.TrimSpace(s)
	sign := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "+"), "-")
	if n, ok := prefixed(digits, base); ok && !(sign && strings.HasPrefix(s, "-+")) {
		if sign {
			n.Neg(n)
		}
		return c.r.sized(n)
	}
	text, err := c.r.repr(v)
	if err != nil {
		return nil, err
	}
	return nil, valueError.errorf("invalid literal for int() with base %d: %s", base, text)
}

// prefixed reads digits with the prefix that goes with the base.
func prefixed(s string, base int) (*big.Int, bool) {
	lower := strings.ToLower(s)
	for prefix, b := range map[string]int{"0x": 16, "0o": 8, "0b": 2} {
		if rest, ok := strings.CutPrefix(lower, prefix); ok && (base == b || base == 0) {
			lower, base = strings.TrimPrefix(rest, "_"), b
			break
		}
	}
	if base == 0 {
		base = 10
	}
	if lower == "" || strings.HasPrefix(lower, "_") || strings.HasSuffix(lower, "_") || strings.Contains(lower, "__") || lower[0] == '-' || lower[0] == '+' {
		return nil, false
	}
	return new(big.Int).SetString(strings.ReplaceAll(lower, "_", ""), base)
}

func makeFloat(c *Call) (Value, error) {
	a, err := c.Bind("x?")
	if err != nil {
		return nil, err
	}
	s, ok := a[0].(Str)
	if !ok {
		if a[0] == nil {
			return Float(0), nil
		}
		f, ok := floatOf(a[0])
		if !ok {
			return nil, typeError.errorf("float() argument must be a string or a real number, not '%s'", a[0].Type())
		}
		return Float(f), nil
	}
	clean := strings.ToLower(strings.TrimSpace(string(s)))
	if strings.TrimLeft(clean, "+-") == "nan" && len(clean) <= 4 {
		return Float(math.NaN()), nil
	}
	if f, err := strconv.ParseFloat(strings.ReplaceAll(clean, "_", ""), 64); err == nil || math.IsInf(f, 0) {
		if !strings.ContainsAny(clean, "xp") {
			return Float(f), nil
		}
	}
	text, err := c.r.repr(s)
	if err != nil {
		return nil, err
	}
	return nil, valueError.errorf("could not convert string to float: %s", text)
}
