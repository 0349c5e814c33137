package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"math/big"
	"strings"
)

// uuidValue is a UUID.
type uuidValue [16]byte

// Type implements [Value].
func (uuidValue) Type() string { return "UUID" }

func (uuidValue) classOf() *Class { return uuidClass }

// Text implements [Texter].
func (u uuidValue) Text() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (u uuidValue) repr() string { return "UUID('" + u.Text() + "')" }

func (u uuidValue) hash() any { return composite("g" + string(u[:])) }

func (u uuidValue) integer() Value { return intOfBytes(u[:]) }

func (u uuidValue) compare(other Value) (int, bool, error) {
	o, ok := other.(uuidValue)
	return strings.Compare(string(u[:]), string(o[:])), ok, nil
}

var uuidClass = &Class{name: "UUID", base: objectClass, make: makeUUID, fields: map[string]field{
	"hex":   func(self Value) Value { u := self.(uuidValue); return Str(hex.EncodeToString(u[:])) },
	"int":   func(self Value) Value { return self.(uuidValue).integer() },
	"bytes": func(self Value) Value { u := self.(uuidValue); return Bytes(u[:]) },
	"urn":   func(self Value) Value { return Str("urn:uuid:" + self.(uuidValue).Text()) },
	"version": func(self Value) Value {
		u := self.(uuidValue)
		if u[8]&0xc0 != 0x80 {
			return None
		}
		return Int(u[6] >> 4)
	},
}}

var uuidModule = map[string]Value{
	"UUID":           uuidClass,
	"uuid4":          Builtin("uuid4", uuid4),
	"uuid3":          Builtin("uuid3", func(c *Call) (Value, error) { return c.namedUUID(3) }),
	"uuid5":          Builtin("uuid5", func(c *Call) (Value, error) { return c.namedUUID(5) }),
	"NAMESPACE_DNS":  mustUUID("6ba7b8109dad11d180b400c04fd430c8"),
	"NAMESPACE_URL":  mustUUID("6ba7b8119dad11d180b400c04fd430c8"),
	"NAMESPACE_OID":  mustUUID("6ba7b8129dad11d180b400c04fd430c8"),
	"NAMESPACE_X500": mustUUID("6ba7b8149dad11d180b400c04fd430c8"),
}

func parseUUID(s string) (uuidValue, bool) {
	var u uuidValue
	s = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(s), "urn:"), "uuid:")
	s = strings.ReplaceAll(strings.Trim(s, "{}"), "-", "")
	if len(s) != 32 {
		return u, false
	}
	_, err := hex.Decode(u[:], []byte(s))
	return u, err == nil
}

func mustUUID(s string) uuidValue {
	u, _ := parseUUID(s)
	return u
}

func makeUUID(c *Call) (Value, error) {
	a, err := c.Bind("hex?", "bytes?", "int?")
	if err != nil {
		return nil, err
	}
	switch {
	case a[0] != nil:
		s, err := asText(a[0])
		if err != nil {
			return nil, err
		}
		if u, ok := parseUUID(s); ok {
			return u, c.r.work(len(s))
		}
		return nil, valueError.errorf("badly formed hexadecimal UUID string")
	case a[1] != nil:
		b, err := asBytes(a[1])
		if err != nil {
			return nil, err
		}
		if len(b) != 16 {
			return nil, valueError.errorf("bytes is not a 16-char string")
		}
		return uuidValue([]byte(b)), nil
	case a[2] != nil:
		n, err := asBig(a[2])
		if err != nil {
			return nil, err
		}
		if n.Sign() < 0 || n.BitLen() > 128 {
			return nil, valueError.errorf("int is out of range (need a 128-bit value)")
		}
		return uuidValue(new(big.Int).Set(n).FillBytes(make([]byte, 16))), nil
	}
	return nil, typeError.errorf("one of the hex, bytes, bytes_le, fields, or int arguments must be given")
}

// versioned marks 16 bytes as a UUID of a version.
func versioned(b []byte, version byte) uuidValue {
	u := uuidValue(b[:16])
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	return u
}

func uuid4(c *Call) (Value, error) {
	_, err := c.Bind()
	return versioned(c.r.randomBytes(16), 4), err
}

func (c *Call) namedUUID(version byte) (Value, error) {
	a, err := c.Bind("namespace", "name")
	if err != nil {
		return nil, err
	}
	space, ok := a[0].(uuidValue)
	if !ok {
		return nil, attributeError.errorf("'%s' object has no attribute 'bytes'", a[0].Type())
	}
	name, err := asText(a[1])
	if err != nil {
		return nil, err
	}
	if err := c.r.work(16 * len(name)); err != nil {
		return nil, err
	}
	input := append(space[:], name...)
	if version == 3 {
		sum := md5.Sum(input)
		return versioned(sum[:], version), nil
	}
	sum := sha1.Sum(input)
	return versioned(sum[:], version), nil
}
