package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A scanner cuts a text into tokens. Inside brackets, lines do not matter.
type scanner struct {
	src      string
	off      int // of the next letter
	line     int
	mark     int   // an offset on the line whose column is known
	column   int   // of mark, from 0
	columns  []int // of the indentation, innermost last
	alt      []int // the same with tabs counted as one
	brackets []token
	fdepth   int // f-strings around
	tokens   []token
}

func scan(source string) ([]token, error) {
	src := strings.ReplaceAll(strings.TrimPrefix(source, "\ufeff"), "\r\n", "\n")
	s := &scanner{src: strings.ReplaceAll(src, "\r", "\n"), line: 1}
	for {
		more, err := s.logicalLine()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	for i := 1; i < len(s.columns); i++ {
		s.emit(token{kind: dedent, pos: s.pos()})
	}
	s.emit(token{kind: end, pos: s.pos()})
	return s.tokens, nil
}

func (s *scanner) emit(t token) { s.tokens = append(s.tokens, t) }

// pos is where the next letter stands. It counts on from where it was asked
// last, for lines can be long.
func (s *scanner) pos() Pos {
	s.column += utf8.RuneCountInString(s.src[s.mark:s.off])
	s.mark = s.off
	return Pos{s.line, s.column + 1}
}

func (s *scanner) peek() byte { return s.peekAt(0) }

func (s *scanner) peekAt(n int) byte {
	if s.off+n < len(s.src) {
		return s.src[s.off+n]
	}
	return 0
}

// lineFeed steps over a line break.
func (s *scanner) lineFeed() {
	s.off++
	s.line++
	s.mark, s.column = s.off, 0
}

// logicalLine scans one line that has something on it, with its indentation
// and with all lines that continue it. It reports whether there was one.
func (s *scanner) logicalLine() (bool, error) {
	column, alt := 0, 0
	for ; ; s.off++ {
		switch s.peek() {
		case ' ':
			column, alt = column+1, alt+1
			continue
		case '\t':
			column, alt = column/8*8+8, alt+1
			continue
		case '\f':
			column, alt = 0, 0
			continue
		case '#':
			s.comment()
		}
		if s.off >= len(s.src) {
			return false, nil
		}
		if s.peek() != '\n' {
			break
		}
		s.lineFeed()
		s.off--
		column, alt = 0, 0
	}
	if err := s.indentation(column, alt); err != nil {
		return false, err
	}
	return true, s.restOfLine()
}

func (s *scanner) comment() {
	for s.off < len(s.src) && s.src[s.off] != '\n' {
		s.off++
	}
}

func (s *scanner) indentation(column, alt int) error {
	if len(s.columns) == 0 { // the first line says where the body stands
		s.columns, s.alt = []int{column}, []int{alt}
		return nil
	}
	top := len(s.columns) - 1
	if (column > s.columns[top]) != (alt > s.alt[top]) || (column < s.columns[top]) != (alt < s.alt[top]) {
		return errorAt(s.pos(), "inconsistent use of tabs and spaces in indentation")
	}
	if column > s.columns[top] {
		if top >= maxNest {
			return errorAt(s.pos(), "too many levels of indentation")
		}
		s.columns, s.alt = append(s.columns, column), append(s.alt, alt)
		s.emit(token{kind: indent, pos: s.pos()})
		return nil
	}
	for column < s.columns[top] {
		if top == 0 || column > s.columns[top-1] {
			return errorAt(s.pos(), "unindent does not match any outer indentation level")
		}
		s.columns, s.alt = s.columns[:top], s.alt[:top]
		s.emit(token{kind: dedent, pos: s.pos()})
		top--
	}
	return nil
}

// restOfLine scans tokens up to the end of the logical line.
func (s *scanner) restOfLine() error {
	for {
		if err := s.blanks(len(s.brackets) > 0); err != nil {
			return err
		}
		if s.off >= len(s.src) || s.peek() == '\n' {
			if len(s.brackets) > 0 {
				open := s.brackets[len(s.brackets)-1]
				return errorAt(open.pos, "'%s' was never closed", open.text)
			}
			s.emit(token{kind: newline, pos: s.pos()})
			if s.off < len(s.src) {
				s.lineFeed()
			}
			return nil
		}
		t, err := s.token()
		if err != nil {
			return err
		}
		s.emit(t)
	}
}

// blanks skips blanks, comments and continued lines; line breaks too if lines
// do not matter.
func (s *scanner) blanks(lines bool) error {
	for s.off < len(s.src) {
		switch c := s.src[s.off]; {
		case c == ' ' || c == '\t' || c == '\f':
			s.off++
		case c == '#':
			s.comment()
		case c == '\n' && lines:
			s.lineFeed()
		case c == '\\':
			if s.peekAt(1) != '\n' {
				return errorAt(s.pos(), "unexpected character after line continuation character")
			}
			s.off++
			s.lineFeed()
		default:
			return nil
		}
	}
	return nil
}

// token scans one token; blanks are behind.
func (s *scanner) token() (token, error) {
	c, size := utf8.DecodeRuneInString(s.src[s.off:])
	pos := s.pos()
	switch {
	case c == '"' || c == '\'':
		return s.stringToken("", pos)
	case c >= '0' && c <= '9', c == '.' && isDigit(s.peekAt(1)):
		return s.numberToken(pos)
	case isNameStart(c):
		return s.word(pos)
	}
	for n := 3; n > 0; n-- {
		if s.off+n > len(s.src) || !operators[n-1][s.src[s.off:s.off+n]] {
			continue
		}
		t := token{kind: operand, text: s.src[s.off : s.off+n], pos: pos}
		s.off += n
		return t, s.bracket(t)
	}
	return token{}, errorAt(pos, "invalid character '%s' (U+%04X)", s.src[s.off:s.off+size], c)
}

// bracket keeps the stack of open brackets.
func (s *scanner) bracket(t token) error {
	switch t.text {
	case "(", "[", "{":
		if len(s.brackets) >= maxNest {
			return errorAt(t.pos, "too many nested parentheses")
		}
		s.brackets = append(s.brackets, t)
	case ")", "]", "}":
		if len(s.brackets) == 0 {
			return errorAt(t.pos, "unmatched '%s'", t.text)
		}
		open := s.brackets[len(s.brackets)-1]
		if open.text+t.text != "()" && open.text+t.text != "[]" && open.text+t.text != "{}" {
			return errorAt(t.pos, "closing parenthesis '%s' does not match opening parenthesis '%s'", t.text, open.text)
		}
		s.brackets = s.brackets[:len(s.brackets)-1]
	}
	return nil
}

// word scans a name, a keyword, or the prefix of a string and the string.
func (s *scanner) word(pos Pos) (token, error) {
	from := s.off
	for s.off < len(s.src) {
		c, size := utf8.DecodeRuneInString(s.src[s.off:])
		if !isNameStart(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.Mn, c) {
			break
		}
		s.off += size
	}
	word := s.src[from:s.off]
	if q := s.peek(); (q == '"' || q == '\'') && len(word) <= 2 {
		switch prefix := strings.ToLower(word); prefix {
		case "r", "u", "b", "f", "br", "rb", "fr", "rf":
			return s.stringToken(prefix, pos)
		}
	}
	if keywords[word] {
		return token{kind: keyword, text: word, pos: pos}, nil
	}
	return token{kind: name, text: word, pos: pos}, nil
}

func isNameStart(c rune) bool { return c == '_' || unicode.IsLetter(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
