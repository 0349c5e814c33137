package syntax

import "strings"

// pieces scans the inside of an f-string up to and with its closing quote.
func (s *scanner) pieces(q quoting, start Pos) ([]piece, error) {
	if s.fdepth >= 8 {
		return nil, errorAt(start, "f-string: expressions nested too deeply")
	}
	s.fdepth++
	defer func() { s.fdepth-- }()
	var out []piece
	var b strings.Builder
	for !strings.HasPrefix(s.src[s.off:], q.quote) {
		c := s.peek()
		switch {
		case c == '{' && s.peekAt(1) == '{', c == '}' && s.peekAt(1) == '}':
			b.WriteByte(c)
			s.off += 2
		case c == '}':
			return nil, errorAt(s.pos(), "f-string: single '}' is not allowed")
		case c == '{':
			f, err := s.replacement(q, start)
			if err != nil {
				return nil, err
			}
			out = append(out, piece{literal: b.String()}, piece{field: f})
			b.Reset()
		default:
			if err := s.letter(&b, q, start); err != nil {
				return nil, err
			}
		}
	}
	s.off += len(q.quote)
	return append(out, piece{literal: b.String()}), nil
}

// replacement scans {expression [=] [!conversion] [:spec]}.
func (s *scanner) replacement(q quoting, start Pos) (*field, error) {
	f := &field{pos: s.pos()}
	s.off++
	from, outer := s.off, s.brackets
	s.brackets = nil
	defer func() { s.brackets = outer }()
	for {
		if err := s.blanks(true); err != nil {
			return nil, err
		}
		c := s.peek()
		if s.off >= len(s.src) {
			return nil, errorAt(start, "f-string: expecting '}'")
		}
		if len(s.brackets) == 0 {
			if c == '}' || c == ':' || c == '!' && s.peekAt(1) != '=' {
				break
			}
			if c == '=' && s.peekAt(1) != '=' {
				s.off++
				if err := s.blanks(true); err != nil {
					return nil, err
				}
				f.source = s.src[from:s.off]
				break
			}
		}
		t, err := s.token()
		if err != nil {
			return nil, err
		}
		f.tokens = append(f.tokens, t)
	}
	if len(f.tokens) == 0 {
		return nil, errorAt(f.pos, "f-string: valid expression required before '%c'", s.peek())
	}
	f.tokens = append(f.tokens, token{kind: end, pos: s.pos()})
	return f, s.fieldEnd(f, q, start)
}

// fieldEnd scans [!conversion] [:spec] }.
func (s *scanner) fieldEnd(f *field, q quoting, start Pos) error {
	if s.peek() == '!' {
		f.conversion = s.peekAt(1)
		if f.conversion != 'r' && f.conversion != 's' && f.conversion != 'a' || isNameStart(rune(s.peekAt(2))) {
			return errorAt(s.pos(), "f-string: invalid conversion character: expected 's', 'r', or 'a'")
		}
		s.off += 2
		if err := s.blanks(true); err != nil {
			return err
		}
	}
	if s.peek() == ':' {
		s.off++
		f.hasSpec = true
		if err := s.specPieces(f, q, start); err != nil {
			return err
		}
	}
	if s.peek() != '}' {
		return errorAt(s.pos(), "f-string: expecting '}'")
	}
	s.off++
	return nil
}

// specPieces scans a format specification, which may hold fields itself.
func (s *scanner) specPieces(f *field, q quoting, start Pos) error {
	if s.fdepth >= 8 {
		return errorAt(start, "f-string: expressions nested too deeply")
	}
	s.fdepth++
	defer func() { s.fdepth-- }()
	var b strings.Builder
	for s.peek() != '}' {
		if strings.HasPrefix(s.src[s.off:], q.quote) {
			return errorAt(s.pos(), "f-string: expecting '}'")
		}
		if s.peek() == '{' {
			inner, err := s.replacement(q, start)
			if err != nil {
				return err
			}
			f.spec = append(f.spec, piece{literal: b.String()}, piece{field: inner})
			b.Reset()
			continue
		}
		if err := s.letter(&b, q, start); err != nil {
			return err
		}
	}
	f.spec = append(f.spec, piece{literal: b.String()})
	return nil
}
