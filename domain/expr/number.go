package expr

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// maxBits is how large an integer may be.
const maxBits = 1 << 16

func itoa(n int) string { return strconv.Itoa(n) }

// integer makes a value of n, which it keeps.
func integer(n *big.Int) Value {
	if n.IsInt64() {
		return Int(n.Int64())
	}
	return &bigInt{n}
}

// bigOf returns v as an integer if it is one.
func bigOf(v Value) (*big.Int, bool) {
	switch v := v.(type) {
	case Int:
		return big.NewInt(int64(v)), true
	case Bool:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	case *bigInt:
		return v.n, true
	}
	return nil, false
}

func bigOfFloat(f float64) *big.Int {
	n, _ := new(big.Float).SetFloat64(f).Int(nil)
	return n
}

// floatOf returns v as a float if it is a number.
func floatOf(v Value) (float64, bool) {
	switch v := v.(type) {
	case Float:
		return float64(v), true
	case Int:
		return float64(v), true
	case Bool:
		if v {
			return 1, true
		}
		return 0, true
	case *bigInt:
		f, _ := new(big.Float).SetInt(v.n).Float64()
		return f, true
	}
	return 0, false
}

func isNumber(v Value) bool {
	switch v.(type) {
	case Int, Float, Bool, *bigInt:
		return true
	}
	return false
}

// smallInt is the fast way through the commonest arithmetic; it gives up on
// overflow.
func smallInt(op string, x, y Int) (Value, bool) {
	switch op {
	case "+":
		z := x + y
		return z, (z > x) == (y > 0)
	case "-":
		z := x - y
		return z, (z < x) == (y > 0)
	case "*":
		hi, lo := bits.Mul64(uint64(max(x, -x)), uint64(max(y, -y)))
		return x * y, hi == 0 && lo < math.MaxInt64
	case "%":
		if y > 0 {
			return (x%y + y) % y, y < math.MaxInt64/2
		}
	case "//":
		if y > 0 && x >= 0 {
			return x / y, true
		}
	case "&":
		return x & y, true
	case "|":
		return x | y, true
	case "^":
		return x ^ y, true
	}
	return nil, false
}

// arithmetic computes x op y of two numbers.
func (r *run) arithmetic(op string, x, y Value) (Value, error) {
	if a, ok := x.(Int); ok {
		if b, ok := y.(Int); ok {
			if v, ok := smallInt(op, a, b); ok {
				return v, nil
			}
		}
	}
	if a, ok := x.(Bool); ok {
		if b, ok := y.(Bool); ok {
			switch op {
			case "&":
				return a && b, nil
			case "|":
				return a || b, nil
			case "^":
				return Bool(a != b), nil
			}
		}
	}
	a, aInt := bigOf(x)
	b, bInt := bigOf(y)
	if aInt && bInt {
		return r.integers(op, a, b)
	}
	switch op {
	case "&", "|", "^", "<<", ">>":
		return nil, unsupported(op, x, y)
	}
	f, _ := floatOf(x)
	g, _ := floatOf(y)
	if math.IsInf(f, 0) && aInt || math.IsInf(g, 0) && bInt {
		return nil, overflowError.errorf("int too large to convert to float")
	}
	return floats(op, f, g)
}

// integers computes with integers of any size.
func (r *run) integers(op string, a, b *big.Int) (Value, error) {
	if err := r.work((a.BitLen() + b.BitLen()) >> 3); err != nil {
		return nil, err
	}
	z := new(big.Int)
	switch op {
	case "+":
		z.Add(a, b)
	case "-":
		z.Sub(a, b)
	case "&":
		z.And(a, b)
	case "|":
		z.Or(a, b)
	case "^":
		z.Xor(a, b)
	case "*":
		if err := r.product(a, b); err != nil {
			return nil, err
		}
		z.Mul(a, b)
	case "/":
		if err := r.work(a.BitLen() * (b.BitLen()>>6 + 1) >> 2); err != nil {
			return nil, err
		}
		return trueDivision(a, b)
	case "//", "%":
		return r.floorDivision(op, a, b)
	case "<<", ">>":
		return r.shift(op, a, b)
	case "**":
		return r.power(a, b)
	}
	return r.sized(z)
}

// sized checks how large a result is.
func (r *run) sized(z *big.Int) (Value, error) {
	if z.BitLen() > maxBits {
		return nil, limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	return integer(z), nil
}

// product accounts for a multiplication before it is done.
func (r *run) product(a, b *big.Int) error {
	n, m := a.BitLen(), b.BitLen()
	if n+m > maxBits+1 {
		return limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	return r.work(n >> 6 * m >> 6)
}

func trueDivision(a, b *big.Int) (Value, error) {
	if b.Sign() == 0 {
		return nil, zeroDivisionError.errorf("division by zero")
	}
	f, _ := new(big.Rat).SetFrac(a, b).Float64()
	if math.IsInf(f, 0) {
		return nil, overflowError.errorf("integer division result too large for a float")
	}
	return Float(f), nil
}

func (r *run) floorDivision(op string, a, b *big.Int) (Value, error) {
	if b.Sign() == 0 {
		if op == "%" {
			return nil, zeroDivisionError.errorf("integer modulo by zero")
		}
		return nil, zeroDivisionError.errorf("integer division or modulo by zero")
	}
	if err := r.work(a.BitLen() >> 6 * b.BitLen() >> 6); err != nil {
		return nil, err
	}
	q, m := new(big.Int).QuoRem(a, b, new(big.Int))
	if m.Sign() != 0 && m.Sign() != b.Sign() {
		m.Add(m, b)
		q.Sub(q, big.NewInt(1))
	}
	if op == "%" {
		return integer(m), nil
	}
	return integer(q), nil
}

func (r *run) shift(op string, a, b *big.Int) (Value, error) {
	if b.Sign() < 0 {
		return nil, valueError.errorf("negative shift count")
	}
	if op == ">>" {
		if !b.IsInt64() || b.Int64() > maxBits {
			b = big.NewInt(maxBits)
		}
		return integer(new(big.Int).Rsh(a, uint(b.Int64()))), nil
	}
	if a.Sign() == 0 {
		return Int(0), nil
	}
	if !b.IsInt64() || b.Int64() > maxBits {
		return nil, limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	return r.sized(new(big.Int).Lsh(a, uint(b.Int64())))
}

func (r *run) power(a, b *big.Int) (Value, error) {
	if b.Sign() < 0 {
		if a.Sign() == 0 {
			return nil, zeroDivisionError.errorf("0.0 cannot be raised to a negative power")
		}
		f, _ := new(big.Float).SetInt(a).Float64()
		g, _ := new(big.Float).SetInt(b).Float64()
		return floats("**", f, g)
	}
	if a.BitLen() > 1 && (!b.IsInt64() || b.Int64() > int64(2*maxBits/a.BitLen()+2)) {
		return nil, limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	if a.BitLen() <= 1 { // 0, 1 or -1
		if b.Bit(0) == 0 && b.Sign() > 0 {
			return integer(new(big.Int).Mul(a, a)), nil
		}
		if b.Sign() == 0 {
			return Int(1), nil
		}
		return integer(new(big.Int).Set(a)), nil
	}
	size := a.BitLen() * int(b.Int64()) >> 6
	if err := r.work(size * size); err != nil {
		return nil, err
	}
	return r.sized(new(big.Int).Exp(a, b, nil))
}

// floats computes x op y of floats.
func floats(op string, x, y float64) (Value, error) {
	switch op {
	case "+":
		return Float(x + y), nil
	case "-":
		return Float(x - y), nil
	case "*":
		return Float(x * y), nil
	case "**":
		return floatPower(x, y)
	}
	if y == 0 {
		return nil, zeroDivisionError.errorf("%s", map[string]string{"/": "float division by zero", "//": "float floor division by zero", "%": "float modulo"}[op])
	}
	switch op {
	case "/":
		return Float(x / y), nil
	case "//":
		return Float(math.Floor((x - floorMod(x, y)) / y)), nil
	}
	return Float(floorMod(x, y)), nil
}

// floorMod is % of floats: its sign is the divisor's.
func floorMod(x, y float64) float64 {
	m := math.Mod(x, y)
	switch {
	case m == 0:
		return math.Copysign(0, y)
	case (m < 0) != (y < 0):
		m += y
	}
	return m
}

func floatPower(x, y float64) (Value, error) {
	if x == 0 && y < 0 {
		return nil, zeroDivisionError.errorf("0.0 cannot be raised to a negative power")
	}
	z := math.Pow(x, y)
	if math.IsNaN(z) && !math.IsNaN(x) && !math.IsNaN(y) {
		return nil, valueError.errorf("complex numbers are not available")
	}
	if math.IsInf(z, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, overflowError.errorf("(34, 'Numerical result out of range')")
	}
	return Float(z), nil
}
