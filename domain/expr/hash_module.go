package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
)

func intOfBytes(b []byte) Value { return integer(new(big.Int).SetBytes(b)) }

// algorithms are those of hashlib. The weak ones are there for what identifies
// things, such as the addresses of avatars.
var algorithms = map[string]func([]byte) []byte{
	"md5":      func(b []byte) []byte { s := md5.Sum(b); return s[:] },
	"sha1":     func(b []byte) []byte { s := sha1.Sum(b); return s[:] },
	"sha224":   func(b []byte) []byte { s := sha256.Sum224(b); return s[:] },
	"sha256":   func(b []byte) []byte { s := sha256.Sum256(b); return s[:] },
	"sha384":   func(b []byte) []byte { s := sha512.Sum384(b); return s[:] },
	"sha512":   func(b []byte) []byte { s := sha512.Sum512(b); return s[:] },
	"sha3_256": func(b []byte) []byte { s := sha3.Sum256(b); return s[:] },
	"sha3_512": func(b []byte) []byte { s := sha3.Sum512(b); return s[:] },
}

var hashlibModule = hashFunctions()

func hashFunctions() map[string]Value {
	out := map[string]Value{"new": Builtin("new", func(c *Call) (Value, error) {
		a, err := c.Bind("name", "data?", "usedforsecurity?")
		if err != nil {
			return nil, err
		}
		name, _ := a[0].(Str)
		if algorithms[strings.ToLower(string(name))] == nil {
			return nil, valueError.errorf("unsupported hash type %s", name)
		}
		return c.hashObject(strings.ToLower(string(name)), a[1])
	})}
	for name := range algorithms {
		out[name] = Builtin(name, func(c *Call) (Value, error) {
			a, err := c.Bind("string?", "usedforsecurity?")
			if err != nil {
				return nil, err
			}
			return c.hashObject(name, a[0])
		})
	}
	return out
}

// hashObject is a hash being computed.
type hashObject struct {
	name string
	data []byte
}

// Type implements [Value].
func (*hashObject) Type() string { return "HASH" }

func (*hashObject) classOf() *Class { return hashClass }

func (c *Call) hashObject(name string, data Value) (Value, error) {
	h := &hashObject{name: name}
	if data == nil {
		return h, nil
	}
	return h, c.updateHash(h, data)
}

func (c *Call) updateHash(h *hashObject, v Value) error {
	if _, ok := v.(Str); ok {
		return typeError.errorf("Strings must be encoded before hashing")
	}
	b, err := asBytes(v)
	if err != nil {
		return err
	}
	if err := c.r.grow(3 * len(b)); err != nil { // more room is made than is needed
		return err
	}
	h.data = append(h.data, b...)
	return nil
}

func (c *Call) digest(self Value) ([]byte, error) {
	h := self.(*hashObject)
	if err := c.r.work(16 * len(h.data)); err != nil {
		return nil, err
	}
	return algorithms[h.name](h.data), c.r.grow(96)
}

var hashClass = &Class{name: "HASH", base: objectClass, methods: map[string]method{
	"update": func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("data")
		if err != nil {
			return nil, err
		}
		return None, c.updateHash(self.(*hashObject), a[0])
	},
	"digest": func(c *Call, self Value) (Value, error) {
		b, err := c.digest(self)
		return Bytes(b), err
	},
	"hexdigest": func(c *Call, self Value) (Value, error) {
		b, err := c.digest(self)
		return Str(hex.EncodeToString(b)), err
	},
}, fields: map[string]field{
	"name":        func(self Value) Value { return Str(self.(*hashObject).name) },
	"digest_size": func(self Value) Value { return Int(len(algorithms[self.(*hashObject).name](nil))) },
}}

// binasciiError is binascii.Error.
var binasciiError = newException("Error", valueError)

var base64Module = map[string]Value{
	"b64encode":          encoding("b64encode", base64.StdEncoding.EncodeToString),
	"standard_b64encode": encoding("standard_b64encode", base64.StdEncoding.EncodeToString),
	"urlsafe_b64encode":  encoding("urlsafe_b64encode", base64.URLEncoding.EncodeToString),
	"b32encode":          encoding("b32encode", base32.StdEncoding.EncodeToString),
	"b16encode":          encoding("b16encode", func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }),
	"b64decode":          decoding("b64decode", base64Decode),
	"standard_b64decode": decoding("standard_b64decode", base64Decode),
	"urlsafe_b64decode": decoding("urlsafe_b64decode", func(s string) ([]byte, error) {
		return base64Decode(strings.NewReplacer("-", "+", "_", "/").Replace(s))
	}),
	"b32decode": decoding("b32decode", base32.StdEncoding.DecodeString),
	"b16decode": decoding("b16decode", hex.DecodeString),
}

func encoding(name string, encode func([]byte) string) Value {
	return Builtin(name, func(c *Call) (Value, error) {
		a, err := c.Bind("s")
		if err != nil {
			return nil, err
		}
		b, err := asBytes(a[0])
		if err != nil {
			return nil, err
		}
		if err := c.r.grow(2 * len(b)); err != nil {
			return nil, err
		}
		return Bytes(encode([]byte(b))), c.r.work(2 * len(b))
	})
}

func decoding(name string, decode func(string) ([]byte, error)) Value {
	return Builtin(name, func(c *Call) (Value, error) {
		a, err := c.Bind("s", "altchars?", "validate?")
		if err != nil {
			return nil, err
		}
		var s string
		switch v := a[0].(type) {
		case Str:
			s = string(v)
		case Bytes:
			s = string(v)
		default:
			return nil, typeError.errorf("argument should be a bytes-like object or ASCII string, not '%s'", v.Type())
		}
		if err := c.r.grow(len(s)); err != nil {
			return nil, err
		}
		b, err := decode(s)
		if err != nil {
			return nil, failureOf(err)
		}
		return Bytes(b), c.r.work(2 * len(s))
	})
}

func failureOf(err error) error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return binasciiError.errorf("Non-alphabet digit found")
}

// base64Decode skips what is not of the alphabet, as Python does.
func base64Decode(s string) ([]byte, error) {
	s = strings.Map(func(c rune) rune {
		if c < 0x80 && (c == '+' || c == '/' || c == '=' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z') {
			return c
		}
		return -1
	}, s)
	body := strings.TrimRight(s, "=")
	switch len(body) % 4 {
	case 1:
		return nil, binasciiError.errorf("Invalid base64-encoded string: number of data characters (%d) cannot be 1 more than a multiple of 4", len(body))
	case 2, 3:
		if len(s)-len(body) < 4-len(body)%4 {
			return nil, binasciiError.errorf("Incorrect padding")
		}
	}
	return base64.RawStdEncoding.DecodeString(body)
}
