package expr

import (
	"strings"
	"unicode/utf8"
)

// percent is text % values.
func (r *run) percent(x, y Value) (Value, error) {
	s, ok := x.(Str)
	if !ok {
		return nil, nil
	}
	p := &printf{r: r, rest: string(s), single: y}
	if t, ok := y.(Tuple); ok {
		p.args, p.single = t, nil
	} else {
		p.args = []Value{y}
	}
	out, err := p.print()
	if err != nil {
		return nil, err
	}
	if _, isMapping := y.(*Dict); p.used < len(p.args) && !isMapping {
		return nil, typeError.errorf("not all arguments converted during string formatting")
	}
	return Str(out), nil
}

// printf is a text with %conversions, being filled.
type printf struct {
	r      *run
	rest   string
	args   []Value
	single Value // the value if it is not a tuple
	used   int
}

func (p *printf) print() (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(p.rest, "%")
		b.WriteString(before)
		if !found {
			break
		}
		p.rest = after
		s, err := p.conversion()
		if err != nil {
			return "", err
		}
		if err := p.r.grow(len(s)); err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	if err := p.r.work(b.Len()); err != nil {
		return "", err
	}
	return b.String(), p.r.grow(b.Len())
}

// conversion is [(key)][flags][width][.precision]kind.
func (p *printf) conversion() (string, error) {
	if err := p.r.step(); err != nil {
		return "", err
	}
	var v Value
	if strings.HasPrefix(p.rest, "(") {
		key, rest, ok := strings.Cut(p.rest, ")")
		if !ok {
			return "", valueError.errorf("incomplete format key")
		}
		if _, isMapping := p.single.(*Dict); !isMapping {
			return "", typeError.errorf("format requires a mapping")
		}
		var err error
		if v, err = p.r.index(p.single, Str(key[1:])); err != nil {
			return "", err
		}
		p.rest, p.used = rest, len(p.args)
	}
	l := layout{fill: " ", align: '>', precision: -1}
	left := p.flags(&l)
	if err := p.sizes(&l); err != nil {
		return "", err
	}
	p.rest = strings.TrimLeft(p.rest, "hlL")
	if p.rest == "" {
		return "", valueError.errorf("incomplete format")
	}
	kind, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	if kind == '%' {
		return "%", nil
	}
	if left {
		l.align, l.fill, l.zero = '<', " ", false
	}
	if v == nil {
		if p.used >= len(p.args) {
			return "", typeError.errorf("not enough arguments for format string")
		}
		v = p.args[p.used]
		p.used++
	}
	if err := p.r.grow(4*l.width + max(l.precision, 0)); err != nil {
		return "", err
	}
	return p.value(&l, kind, v)
}

// flags reads flags; it reports whether the field is aligned to the left.
func (p *printf) flags(l *layout) bool {
	left := false
	for p.rest != "" {
		switch p.rest[0] {
		case '-':
			left = true
		case '+':
			l.sign = '+'
		case ' ':
			if l.sign == 0 {
				l.sign = ' '
			}
		case '#':
			l.alternate = true
		case '0':
			l.zero = true
		default:
			return left
		}
		p.rest = p.rest[1:]
	}
	return left
}

func (p *printf) sizes(l *layout) error {
	read := func() (int, error) {
		if strings.HasPrefix(p.rest, "*") {
			p.rest = p.rest[1:]
			if p.used >= len(p.args) {
				return 0, typeError.errorf("not enough arguments for format string")
			}
			p.used++
			return asInt(p.args[p.used-1])
		}
		n, rest, ok := leadingNumber(p.rest)
		if !ok {
			return 0, valueError.errorf("width too big")
		}
		p.rest = rest
		return n, nil
	}
	var err error
	if l.width, err = read(); err != nil {
		return err
	}
	if strings.HasPrefix(p.rest, ".") {
		p.rest = p.rest[1:]
		l.precision, err = read()
	}
	if l.width < 0 || l.width > maxWidth || l.precision > maxWidth {
		return valueError.errorf("width too big")
	}
	return err
}

func (p *printf) value(l *layout, kind rune, v Value) (string, error) {
	switch kind {
	case 's', 'r', 'a':
		s, err := p.r.converted(v, byte(kind))
		if err != nil {
			return "", err
		}
		l.sign, l.kind, l.zero = 0, 's', false
		return l.text(string(s.(Str)))
	case 'c':
		if n, ok := v.(Int); ok {
			v = Str(string(rune(n)))
		}
		s, ok := v.(Str)
		if !ok || utf8.RuneCountInString(string(s)) != 1 {
			return "", typeError.errorf("%%c requires int or char")
		}
		return l.pad("", string(s), '>'), nil
	case 'd', 'i', 'u', 'x', 'X', 'o':
		return p.integer(l, kind, v)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f, ok := floatOf(v)
		if !ok {
			return "", typeError.errorf("must be real number, not %s", v.Type())
		}
		if l.zero {
			l.align, l.fill = '=', "0"
		}
		l.kind = byte(kind)
		return l.float(f)
	}
	return "", valueError.errorf("unsupported format character '%c' (0x%x)", kind, kind)
}

func (p *printf) integer(l *layout, kind rune, v Value) (string, error) {
	n, ok := bigOf(v)
	if f, isFloat := v.(Float); isFloat && strings.ContainsRune("diu", kind) {
		whole, err := wholeNumber(float64(f))
		if err != nil {
			return "", err
		}
		n, ok = bigOf(whole)
	}
	if !ok {
		if strings.ContainsRune("diu", kind) {
			return "", typeError.errorf("%%%c format: a real number is required, not %s", kind, v.Type())
		}
		return "", typeError.errorf("%%%c format: an integer is required, not %s", kind, v.Type())
	}
	l.kind = 'd'
	if strings.ContainsRune("xXo", kind) {
		l.kind = byte(kind)
	}
	if l.zero {
		l.align, l.fill = '=', "0"
	}
	digits := l.precision
	l.precision = -1
	if digits > 0 {
		inner := layout{fill: "0", align: '=', width: digits, precision: -1, kind: l.kind}
		if n.Sign() < 0 {
			inner.width++
		}
		s, err := inner.integer(integer(n))
		return l.pad("", s, '>'), err
	}
	return l.integer(integer(n))
}
