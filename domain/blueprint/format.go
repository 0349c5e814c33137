package blueprint

import (
	"fmt"
	"strconv"
	"strings"
)

// maxWidth bounds the width and the precision of a conversion.
const maxWidth = 10_000

// format is !Format: Python's % with positional arguments.
func (r *resolver) format(t *tag) (any, error) {
	args, err := r.directs(t.args[1:])
	if err != nil {
		return nil, err
	}
	f := formatter{text: t.raw[0], args: args}
	for f.at < len(f.text) {
		before := f.out.Len()
		if err := f.next(); err != nil {
			return nil, err
		}
		if err := r.spendText(f.out.Len() - before); err != nil {
			return nil, err
		}
	}
	if f.used < len(args) {
		return nil, faultf("not all arguments converted during string formatting")
	}
	return f.out.String(), nil
}

// A formatter goes through a format text once.
type formatter struct {
	text string
	at   int
	args []any
	used int
	out  strings.Builder
}

// next copies text up to the next conversion, or does the conversion.
func (f *formatter) next() error {
	if f.text[f.at] != '%' {
		end := strings.IndexByte(f.text[f.at:], '%')
		if end < 0 {
			end = len(f.text) - f.at
		}
		f.out.WriteString(f.text[f.at : f.at+end])
		f.at += end
		return nil
	}
	f.at++
	flags := f.span("#0- +")
	width, err := f.number()
	if err != nil {
		return err
	}
	precision, dotted := 0, false
	if f.at < len(f.text) && f.text[f.at] == '.' {
		f.at++
		dotted = true
		if precision, err = f.number(); err != nil {
			return err
		}
	}
	f.span("hlL")
	if f.at >= len(f.text) {
		return faultf("incomplete format")
	}
	verb := f.text[f.at]
	f.at++
	if verb == '%' {
		f.out.WriteByte('%')
		return nil
	}
	if verb == '(' {
		return faultf("format requires a mapping")
	}
	if !strings.ContainsRune("diuoxXeEfFgGcrsa", rune(verb)) {
		return faultf("unsupported format character '%c' (0x%x) at index %d", verb, verb, f.at-1)
	}
	arg, err := f.arg()
	if err != nil {
		return err
	}
	spec := "%" + flags
	if width > 0 {
		spec += strconv.Itoa(width)
	}
	if dotted {
		spec += "." + strconv.Itoa(precision)
	}
	return f.convert(spec, verb, arg)
}

// span takes the characters of a set.
func (f *formatter) span(set string) string {
	start := f.at
	for f.at < len(f.text) && strings.IndexByte(set, f.text[f.at]) >= 0 {
		f.at++
	}
	return f.text[start:f.at]
}

// number takes a width or a precision, which * takes from the arguments.
func (f *formatter) number() (int, error) {
	if f.at < len(f.text) && f.text[f.at] == '*' {
		f.at++
		arg, err := f.arg()
		if err != nil {
			return 0, err
		}
		n, ok := arg.(int64)
		if !ok {
			return 0, faultf("* wants int")
		}
		if n < 0 || n > maxWidth {
			return 0, overLimit("a format is wider than %d", maxWidth)
		}
		return int(n), nil
	}
	digits := f.span("0123456789")
	if digits == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n > maxWidth {
		return 0, overLimit("a format is wider than %d", maxWidth)
	}
	return n, nil
}

func (f *formatter) arg() (any, error) {
	if f.used >= len(f.args) {
		return nil, faultf("not enough arguments for format string")
	}
	f.used++
	return f.args[f.used-1], nil
}

// convert prints one argument. Go's verbs pad, sign and round as Python's do.
func (f *formatter) convert(spec string, verb byte, arg any) error {
	n, isNumber := pyNumber(arg) // booleans count as numbers
	switch verb {
	case 's':
		fmt.Fprintf(&f.out, textSpec(spec), pyString(arg))
	case 'r', 'a':
		fmt.Fprintf(&f.out, textSpec(spec), pyRepr(arg))
	case 'c':
		char, isText := arg.(string)
		code, isInt := arg.(int64)
		switch {
		case isText && len([]rune(char)) == 1:
		case isInt && code >= 0 && code <= 0x10ffff:
			char = string(rune(code))
		default:
			return faultf("%%c requires int or char")
		}
		fmt.Fprintf(&f.out, textSpec(spec), char)
	case 'd', 'i', 'u':
		if !isNumber {
			return faultf("%%%c format: a real number is required, not %s", verb, pyType(arg))
		}
		fmt.Fprintf(&f.out, strings.ReplaceAll(spec, "#", "")+"d", int64(n))
	case 'o', 'x', 'X':
		if _, isFloat := arg.(float64); isFloat || !isNumber {
			return faultf("%%%c format: an integer is required, not %s", verb, pyType(arg))
		}
		if verb == 'o' {
			spec = strings.ReplaceAll(spec, "#", "")
		}
		fmt.Fprintf(&f.out, spec+string(verb), int64(n))
	default:
		if !isNumber {
			return faultf("must be real number, not %s", pyType(arg))
		}
		if !strings.Contains(spec, ".") && strings.ContainsRune("gG", rune(verb)) {
			spec += ".6"
		}
		fmt.Fprintf(&f.out, spec+string(verb), n)
	}
	return nil
}

// textSpec drops the flags that mean nothing for texts.
func textSpec(spec string) string {
	flags := strings.TrimLeft(spec[1:], "#0- +")
	if strings.Contains(spec[:len(spec)-len(flags)], "-") {
		flags = "-" + flags
	}
	return "%" + flags + "s"
}
