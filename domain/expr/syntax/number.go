package syntax

import (
	"math/big"
	"strconv"
	"strings"
)

// numberToken scans an integer or a float.
func (s *scanner) numberToken(pos Pos) (token, error) {
	from := s.off
	base := 10
	if s.peek() == '0' {
		switch s.peekAt(1) {
		case 'x', 'X':
			base = 16
		case 'o', 'O':
			base = 8
		case 'b', 'B':
			base = 2
		}
	}
	if base != 10 {
		s.off += 2
	}
	isFloat := false
	s.digits(base)
	if base == 10 {
		if s.peek() == '.' {
			isFloat = true
			s.off++
			s.digits(10)
		}
		isFloat = s.exponent() || isFloat
	}
	raw := s.src[from:s.off]
	if c := s.peek(); c == 'j' || c == 'J' {
		return token{}, errorAt(pos, "complex numbers are not available in expressions: use two floats")
	}
	if c := s.peek(); isNameStart(rune(c)) && c < 0x80 && !s.keywordAhead() || isDigit(c) {
		return token{}, errorAt(pos, "invalid number literal")
	}
	value, err := numberValue(raw, base, isFloat)
	if err != "" {
		return token{}, errorAt(pos, "%s", err)
	}
	return token{kind: number, text: raw, value: value, pos: pos}, nil
}

// keywordAhead reports whether a keyword follows, as in "1if x else 2".
func (s *scanner) keywordAhead() bool {
	rest := s.src[s.off:]
	n := 0
	for n < len(rest) && rest[n] >= 'a' && rest[n] <= 'z' {
		n++
	}
	switch rest[:n] {
	case "and", "or", "if", "else", "in", "is", "not", "for":
		return true
	}
	return false
}

func (s *scanner) digits(base int) {
	for s.off < len(s.src) {
		c := s.src[s.off] | 0x20
		isOne := isDigit(s.src[s.off]) && int(s.src[s.off]-'0') < base || base == 16 && c >= 'a' && c <= 'f'
		if !isOne && s.src[s.off] != '_' {
			return
		}
		s.off++
	}
}

func (s *scanner) exponent() bool {
	if s.peek()|0x20 != 'e' {
		return false
	}
	n := 1
	if c := s.peekAt(1); c == '+' || c == '-' {
		n = 2
	}
	if !isDigit(s.peekAt(n)) {
		return false
	}
	s.off += n
	s.digits(10)
	return true
}

// numberValue reads a literal; the second result says what is wrong with it.
func numberValue(raw string, base int, isFloat bool) (any, string) {
	if strings.HasSuffix(raw, "_") || strings.Contains(raw, "__") || strings.Contains(raw, "_.") || strings.Contains(raw, "._") {
		return nil, "invalid decimal literal"
	}
	digits := strings.ReplaceAll(raw, "_", "")
	if isFloat {
		f, _ := strconv.ParseFloat(digits, 64) // out of range is infinite, as in Python
		return f, ""
	}
	if base != 10 {
		digits = digits[2:]
	} else if strings.HasPrefix(digits, "0") && strings.Trim(digits, "0") != "" {
		return nil, "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers"
	}
	if len(digits) > maxDigits {
		return nil, "Exceeds the limit (4300 digits) for integer string conversion"
	}
	if n, err := strconv.ParseInt(digits, base, 64); err == nil {
		return n, ""
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return nil, "invalid number literal"
	}
	return n, ""
}
