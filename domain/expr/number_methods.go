package expr

import (
	"math"
	"math/big"
)

var intMethods = map[string]method{
	"bit_length": func(_ *Call, self Value) (Value, error) {
		n, _ := bigOf(self)
		return Int(n.BitLen()), nil
	},
	"bit_count": func(_ *Call, self Value) (Value, error) {
		n, _ := bigOf(self)
		count := 0
		for i := range n.BitLen() {
			count += int(n.Bit(i))
		}
		return Int(count), nil
	},
	"to_bytes":   intToBytes,
	"is_integer": func(*Call, Value) (Value, error) { return Bool(true), nil },
}

var intFields = map[string]field{
	"real":        func(self Value) Value { n, _ := bigOf(self); return integer(n) },
	"imag":        func(Value) Value { return Int(0) },
	"numerator":   func(self Value) Value { n, _ := bigOf(self); return integer(n) },
	"denominator": func(Value) Value { return Int(1) },
}

var floatMethods = map[string]method{
	"is_integer": func(_ *Call, self Value) (Value, error) {
		f := float64(self.(Float))
		return Bool(f == math.Trunc(f) && !math.IsInf(f, 0)), nil
	},
}

// byteOrder reads the argument "big" or "little".
func byteOrder(v Value) (little bool, err error) {
	switch v {
	case Str("little"):
		return true, nil
	case nil, Str("big"):
		return false, nil
	}
	return false, valueError.errorf("byteorder must be either 'little' or 'big'")
}

func reverse(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}

func intToBytes(c *Call, self Value) (Value, error) {
	a, err := c.Bind("length?", "byteorder?", "signed?")
	if err != nil {
		return nil, err
	}
	size := 1
	if a[0] != nil {
		if size, err = asInt(a[0]); err != nil {
			return nil, err
		}
	}
	little, err := byteOrder(a[1])
	if err != nil {
		return nil, err
	}
	n, _ := bigOf(self)
	if n.Sign() < 0 {
		return nil, overflowError.errorf("can't convert negative int to unsigned")
	}
	if size < 0 || n.BitLen() > 8*size {
		return nil, overflowError.errorf("int too big to convert")
	}
	if err := c.r.grow(size); err != nil {
		return nil, err
	}
	b := n.FillBytes(make([]byte, size))
	if little {
		b = reverse(b)
	}
	return Bytes(b), nil
}

func intFromBytes(c *Call) (Value, error) {
	a, err := c.Bind("bytes", "byteorder?", "signed?")
	if err != nil {
		return nil, err
	}
	b, ok := a[0].(Bytes)
	if !ok {
		return nil, typeError.errorf("cannot convert '%s' object to bytes", a[0].Type())
	}
	little, err := byteOrder(a[1])
	if err != nil {
		return nil, err
	}
	if len(b) > maxBits/8 {
		return nil, limitError(MemoryLimit, "an integer has more than %d bits", maxBits)
	}
	raw := []byte(b)
	if little {
		raw = reverse(raw)
	}
	n := new(big.Int).SetBytes(raw)
	if a[2] != nil && Truth(a[2]) && len(raw) > 0 && raw[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return integer(n), nil
}
