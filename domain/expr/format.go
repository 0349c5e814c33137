package expr

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr/syntax"
)

// A fragment of an f-string.
type fragment struct {
	literal    string
	x          code
	conversion byte
	spec       code
}

// format compiles an f-string.
func (c *compiler) format(x *syntax.Format) (code, error) {
	fragments := make([]fragment, len(x.Pieces))
	for i, p := range x.Pieces {
		fragments[i] = fragment{literal: p.Literal, conversion: p.Conversion}
		if p.Value == nil {
			continue
		}
		var err error
		if fragments[i].x, err = c.expression(p.Value); err != nil {
			return nil, err
		}
		if p.Spec != nil {
			if fragments[i].spec, err = c.format(p.Spec); err != nil {
				return nil, err
			}
		}
	}
	return func(f *frame) (Value, error) {
		var b strings.Builder
		for _, part := range fragments {
			if err := f.r.step(); err != nil {
				return nil, at(err, x.Pos)
			}
			if part.x == nil {
				b.WriteString(part.literal)
				continue
			}
			s, err := f.fill(part)
			if err != nil {
				return nil, at(err, x.Pos)
			}
			b.WriteString(s)
			if err := f.r.grow(len(s)); err != nil {
				return nil, at(err, x.Pos)
			}
		}
		v, err := f.r.text(b.String())
		if err != nil {
			return nil, at(err, x.Pos)
		}
		return v, nil
	}, nil
}

// fill writes the value of one replacement field.
func (f *frame) fill(part fragment) (string, error) {
	v, err := part.x(f)
	if err != nil {
		return "", err
	}
	if v, err = f.r.converted(v, part.conversion); err != nil {
		return "", err
	}
	if part.spec == nil {
		return f.r.formatted(v, "")
	}
	spec, err := part.spec(f)
	if err != nil {
		return "", err
	}
	return f.r.formatted(v, string(spec.(Str)))
}

// converted is !r, !s or !a.
func (r *run) converted(v Value, conversion byte) (Value, error) {
	var s string
	var err error
	switch conversion {
	case 0:
		return v, nil
	case 's':
		s, err = r.str(v)
	case 'r':
		s, err = r.repr(v)
	case 'a':
		s, err = r.repr(v)
		s = asciiOnly(s)
	}
	return Str(s), err
}

// formatter is implemented by values with format specifications of their own.
type formatter interface {
	format(spec string) (string, error)
}

// formatted is format(v, spec).
func (r *run) formatted(v Value, spec string) (string, error) {
	if spec == "" {
		return r.str(v)
	}
	if err := r.work(8 * len(spec)); err != nil {
		return "", err
	}
	if f, ok := v.(formatter); ok {
		s, err := f.format(spec)
		if err == nil {
			err = r.grow(len(s))
		}
		return s, err
	}
	l, err := parseLayout(spec)
	if err != nil {
		return "", err
	}
	if err := r.grow(4*l.width + l.precision + 16); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case Str:
		return l.text(string(v))
	case Bool:
		n, _ := bigOf(v)
		return l.integer(integer(n))
	case Int, *bigInt:
		return l.integer(v)
	case Float:
		return l.float(float64(v))
	}
	return "", typeError.errorf("unsupported format string passed to %s.__format__", v.Type())
}
