package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A layout is a format specification:
// [[fill]align][sign][#][0][width][grouping][.precision][kind].
type layout struct {
	fill      string
	align     byte // 0 for none
	sign      byte
	alternate bool
	zero      bool
	width     int
	grouping  byte
	precision int // -1 for none
	kind      byte
}

// maxWidth is the widest field that is not an error in itself.
const maxWidth = 1 << 24

func parseLayout(spec string) (layout, error) {
	l := layout{fill: " ", precision: -1}
	whole := spec
	isAlign := func(s string) bool { return s != "" && strings.IndexByte("<>=^", s[0]) >= 0 }
	_, size := utf8.DecodeRuneInString(spec)
	if isAlign(spec[size:]) {
		l.fill, l.align, spec = spec[:size], spec[size], spec[size+1:]
	} else if isAlign(spec) {
		l.align, spec = spec[0], spec[1:]
	}
	take := func(set string) byte {
		if spec != "" && strings.IndexByte(set, spec[0]) >= 0 {
			c := spec[0]
			spec = spec[1:]
			return c
		}
		return 0
	}
	l.sign = take("+- ")
	l.alternate = take("#") != 0
	if take("0") != 0 {
		l.zero = true
		if l.align == 0 {
			l.align, l.fill = '=', "0"
		}
	}
	var ok bool
	if l.width, spec, ok = leadingNumber(spec); !ok {
		return l, valueError.errorf("Too many decimal digits in format string")
	}
	l.grouping = take(",_")
	if take(".") != 0 {
		if spec == "" || spec[0] < '0' || spec[0] > '9' {
			return l, valueError.errorf("Format specifier missing precision")
		}
		if l.precision, spec, ok = leadingNumber(spec); !ok {
			return l, valueError.errorf("Too many decimal digits in format string")
		}
	}
	if len(spec) > 1 {
		return l, valueError.errorf("Invalid format specifier '%s'", whole)
	}
	if spec != "" {
		l.kind = spec[0]
	}
	return l, nil
}

// leadingNumber cuts a number off; ok is false if it is out of all proportion.
func leadingNumber(s string) (n int, rest string, ok bool) {
	for s != "" && s[0] >= '0' && s[0] <= '9' {
		n = n*10 + int(s[0]-'0')
		if n > maxWidth {
			return 0, s, false
		}
		s = s[1:]
	}
	return n, s, true
}

// pad brings a text to the width; body begins after the sign.
func (l *layout) pad(sign, body string, align byte) string {
	if l.align != 0 {
		align = l.align
	}
	missing := l.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(body)
	if missing <= 0 {
		return sign + body
	}
	switch align {
	case '<':
		return sign + body + strings.Repeat(l.fill, missing)
	case '^':
		left := missing / 2
		return strings.Repeat(l.fill, left) + sign + body + strings.Repeat(l.fill, missing-left)
	case '=':
		return sign + strings.Repeat(l.fill, missing) + body
	}
	return strings.Repeat(l.fill, missing) + sign + body
}

func (l *layout) unknownKind(of string) error {
	return valueError.errorf("Unknown format code '%c' for object of type '%s'", l.kind, of)
}

func (l *layout) text(s string) (string, error) {
	switch {
	case l.kind != 0 && l.kind != 's':
		return "", l.unknownKind("str")
	case l.sign != 0:
		return "", valueError.errorf("Sign not allowed in string format specifier")
	case l.align == '=' && !l.zero:
		return "", valueError.errorf("'=' alignment not allowed in string format specifier")
	case l.grouping != 0:
		return "", valueError.errorf("Cannot specify '%c' with 's'.", l.grouping)
	}
	if l.precision >= 0 {
		n := 0
		for i := range s {
			if n == l.precision {
				s = s[:i]
				break
			}
			n++
		}
	}
	if l.align == '=' {
		l.align = '<'
	}
	return l.pad("", s, '<'), nil
}

// integer lays out an Int or a *bigInt.
func (l *layout) integer(v Value) (string, error) {
	n, _ := bigOf(v)
	base, prefix := 10, ""
	switch l.kind {
	case 0, 'd', 'n':
	case 'b':
		base, prefix = 2, "0b"
	case 'o':
		base, prefix = 8, "0o"
	case 'x', 'X':
		base, prefix = 16, "0"+string(l.kind)
	case 'c':
		if !n.IsInt64() || n.Int64() < 0 || n.Int64() > utf8.MaxRune {
			return "", overflowError.errorf("%%c arg not in range(0x110000)")
		}
		return l.pad("", string(rune(n.Int64())), '<'), nil
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		f, _ := floatOf(v)
		return l.float(f)
	default:
		return "", l.unknownKind("int")
	}
	if l.precision >= 0 {
		return "", valueError.errorf("Precision not allowed in integer format specifier")
	}
	if base == 10 {
		if b, ok := v.(*bigInt); ok {
			if _, err := decimal(b); err != nil {
				return "", err
			}
		}
	}
	digits := new(big.Int).Abs(n).Text(base)
	if l.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	sign := l.signOf(n.Sign() < 0)
	if l.alternate {
		sign += prefix
	}
	size := 3
	if base != 10 {
		size = 4
	}
	return l.pad(sign, l.grouped(digits, "", len(sign), size), '>'), nil
}

func (l *layout) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case l.sign == '+' || l.sign == ' ':
		return string(l.sign)
	}
	return ""
}

// grouped puts separators between the digits; zeros that fill the width take
// part in it.
func (l *layout) grouped(digits, tail string, used, size int) string {
	if l.grouping == 0 {
		return digits + tail
	}
	if l.align == '=' && l.fill == "0" {
		room := l.width - used - len(tail) // for digits and separators
		n := max(room-room/(size+1), 1)
		for n+(n-1)/size < room {
			n++
		}
		digits = strings.Repeat("0", max(n-len(digits), 0)) + digits
	}
	var b strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%size == 0 {
			b.WriteByte(l.grouping)
		}
		b.WriteByte(digits[i])
	}
	return b.String() + tail
}

// float lays out a float.
func (l *layout) float(f float64) (string, error) {
	precision := l.precision
	if precision < 0 && l.kind != 0 {
		precision = 6
	}
	var s string
	tail := ""
	a := math.Abs(f)
	switch l.kind {
	case 'f', 'F', '%':
		if l.kind == '%' {
			a, tail = a*100, "%"
		}
		s = strconv.FormatFloat(a, 'f', precision, 64)
	case 'e', 'E':
		s = strconv.FormatFloat(a, 'e', precision, 64)
	case 'g', 'G', 'n':
		s = general(a, precision, l.alternate)
	case 0:
		s = floatText(a)
		if precision >= 0 {
			s = general(a, precision, false)
			if !strings.ContainsAny(s, ".en") {
				s += ".0"
			}
		}
	default:
		return "", l.unknownKind("float")
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		s = strings.ToLower(strings.TrimPrefix(s, "+"))
	}
	if l.kind == 'E' || l.kind == 'G' || l.kind == 'F' {
		s = strings.ToUpper(s)
	}
	sign := l.signOf(math.Signbit(f) && !math.IsNaN(f))
	whole := len(s)
	if i := strings.IndexAny(s, ".eE"); i >= 0 {
		whole = i
	}
	return l.pad(sign, l.grouped(s[:whole], s[whole:]+tail, len(sign), 3), '>'), nil
}

// general is the kind g: precision significant digits, with an exponent where
// that is shorter.
func general(f float64, precision int, keepZeros bool) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	precision = max(precision, 1)
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', precision-1, 64), "e")
	exp, _ := strconv.Atoi(exponent)
	if exp >= -4 && exp < precision {
		mantissa, exponent = strconv.FormatFloat(f, 'f', max(precision-1-exp, 0), 64), ""
	}
	if strings.Contains(mantissa, ".") && !keepZeros {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	if exponent != "" {
		return mantissa + "e" + exponent
	}
	return mantissa
}
