package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A quoting is how one string literal is written.
type quoting struct {
	quote  string // what ends it: one letter or three
	raw    bool
	bytes  bool
	format bool
}

func (s *scanner) stringToken(prefix string, pos Pos) (token, error) {
	q := quoting{
		quote:  s.src[s.off : s.off+1],
		raw:    strings.Contains(prefix, "r"),
		bytes:  strings.Contains(prefix, "b"),
		format: strings.Contains(prefix, "f"),
	}
	if triple := strings.Repeat(q.quote, 3); strings.HasPrefix(s.src[s.off:], triple) {
		q.quote = triple
	}
	s.off += len(q.quote)
	if q.format {
		pieces, err := s.pieces(q, pos)
		return token{kind: ftext, value: pieces, pos: pos}, err
	}
	var b strings.Builder
	for !strings.HasPrefix(s.src[s.off:], q.quote) {
		if err := s.letter(&b, q, pos); err != nil {
			return token{}, err
		}
	}
	s.off += len(q.quote)
	if q.bytes {
		return token{kind: text, value: []byte(b.String()), pos: pos}, nil
	}
	return token{kind: text, value: b.String(), pos: pos}, nil
}

// letter scans one letter or one escape of a string into b.
func (s *scanner) letter(b *strings.Builder, q quoting, start Pos) error {
	c, size := utf8.DecodeRuneInString(s.src[s.off:])
	switch {
	case s.off >= len(s.src) || c == '\n' && len(q.quote) == 1:
		if len(q.quote) == 3 {
			return errorAt(start, "unterminated triple-quoted string literal")
		}
		return errorAt(start, "unterminated string literal")
	case c == '\n':
		b.WriteByte('\n')
		s.lineFeed()
		return nil
	case c == '\\':
		return s.escape(b, q)
	case q.bytes && c >= 0x80:
		return errorAt(s.pos(), "bytes can only contain ASCII literal characters")
	}
	b.WriteString(s.src[s.off : s.off+size])
	s.off += size
	return nil
}

var simpleEscapes = map[byte]byte{
	'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11,
}

// escape scans a backslash and what belongs to it.
func (s *scanner) escape(b *strings.Builder, q quoting) error {
	pos := s.pos()
	s.off++
	c := s.peek()
	if q.raw {
		b.WriteByte('\\')
		if c == '\\' || c == '\'' || c == '"' {
			b.WriteByte(c)
			s.off++
		}
		return nil
	}
	if e, ok := simpleEscapes[c]; ok {
		b.WriteByte(e)
		s.off++
		return nil
	}
	switch {
	case c == '\n':
		s.lineFeed()
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && s.peekAt(n) >= '0' && s.peekAt(n) <= '7' {
			n++
		}
		return s.coded(b, q, escapeCode{pos, s.src[s.off : s.off+n], 8, n})
	case c == 'x':
		return s.hexEscape(b, q, pos, 2)
	case c == 'u' && !q.bytes:
		return s.hexEscape(b, q, pos, 4)
	case c == 'U' && !q.bytes:
		return s.hexEscape(b, q, pos, 8)
	case c == 'N' && !q.bytes:
		return errorAt(pos, `\N{…} is not available in expressions: write the letter itself or use \u`)
	default:
		b.WriteByte('\\') // an unknown escape stands for itself
	}
	return nil
}

func (s *scanner) hexEscape(b *strings.Builder, q quoting, pos Pos, n int) error {
	s.off++
	if s.off+n > len(s.src) {
		return errorAt(pos, "truncated escape in string literal")
	}
	return s.coded(b, q, escapeCode{pos, s.src[s.off : s.off+n], 16, n})
}

// An escapeCode is the number in a numeric escape.
type escapeCode struct {
	pos    Pos
	digits string
	base   int
	width  int
}

func (s *scanner) coded(b *strings.Builder, q quoting, e escapeCode) error {
	n, err := strconv.ParseUint(e.digits, e.base, 32)
	if err != nil {
		return errorAt(e.pos, "truncated escape in string literal")
	}
	s.off += e.width
	if q.bytes {
		b.WriteByte(byte(n))
		return nil
	}
	if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return errorAt(e.pos, "U+%04X is not a character of its own", n)
	}
	b.WriteRune(rune(n))
	return nil
}
