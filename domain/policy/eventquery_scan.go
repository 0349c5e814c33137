package policy

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// The kinds of tokens of a query.
const (
	endToken = iota
	signToken
	wordToken // a name, with its dots, or a word of the language
	textToken
	numberToken
)

// A queryToken is a piece of a query.
type queryToken struct {
	kind   int
	column int    // from 1, in characters
	source string // as it stands in the query
	text   string // of a sign or a word
	value  any    // of a text or a number
}

// reserved are words that are no names.
var reserved = map[string]bool{"and": true, "or": true, "not": true, "in": true, "True": true, "False": true, "None": true}

// constants are words that are values.
var constants = map[string]any{"True": true, "False": false, "None": nil}

// A queryScanner cuts a query into tokens.
type queryScanner struct {
	text []rune
	at   int
}

// scanQuery cuts a query into tokens, of which the last is the end.
func scanQuery(text string) ([]queryToken, error) {
	s := &queryScanner{text: []rune(text)}
	var tokens []queryToken
	for {
		for s.at < len(s.text) && unicode.IsSpace(s.text[s.at]) {
			s.at++
		}
		t, err := s.token()
		if err != nil {
			return nil, err
		}
		if tokens = append(tokens, t); t.kind == endToken {
			return tokens, nil
		}
	}
}

func (s *queryScanner) token() (queryToken, error) {
	t, from := queryToken{column: s.at + 1}, s.at
	if s.at == len(s.text) {
		return t, nil
	}
	var err error
	switch r := s.text[s.at]; {
	case r == '"' || r == '\'':
		t.kind = textToken
		t.value, err = s.quoted(r)
	case digit(r) || r == '-':
		t.kind = numberToken
		t.value, err = s.number()
	case letter(r):
		t.kind = wordToken
		t.text = s.while(func(r rune) bool { return letter(r) || digit(r) || r == '.' })
		if strings.HasSuffix(t.text, ".") || strings.Contains(t.text, "..") {
			err = &queryError{t.column, "A name has nothing behind a dot."}
		}
	default:
		t.kind = signToken
		t.text, err = s.sign()
	}
	t.source = string(s.text[from:s.at])
	return t, err
}

func digit(r rune) bool  { return '0' <= r && r <= '9' }
func letter(r rune) bool { return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// while reads as long as characters are wanted.
func (s *queryScanner) while(wanted func(rune) bool) string {
	from := s.at
	for s.at < len(s.text) && wanted(s.text[s.at]) {
		s.at++
	}
	return string(s.text[from:s.at])
}

// sign reads a sign, the longest that there is.
func (s *queryScanner) sign() (string, error) {
	for _, length := range []int{2, 1} {
		sign := string(s.text[s.at:min(s.at+length, len(s.text))])
		if _, compares := comparisons[sign]; compares || length == 1 && strings.Contains("(),", sign) {
			s.at += len([]rune(sign))
			return sign, nil
		}
	}
	return "", &queryError{s.at + 1, fmt.Sprintf("The character %q means nothing here.", s.text[s.at])}
}

func (s *queryScanner) number() (any, error) {
	column := s.at + 1
	text := s.while(func(r rune) bool { return digit(r) || r == '-' || r == '.' || letter(r) })
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xXpPiInN_") {
		return nil, &queryError{column, fmt.Sprintf("%s is no number.", cut(text))}
	}
	return n, nil
}

// escapes are what stands behind a backslash, beside quotes and the backslash
// itself.
var escapes = map[rune]rune{'n': '\n', 't': '\t', 'r': '\r', '"': '"', '\'': '\'', '\\': '\\', '/': '/'}

// quoted reads a text in quotes.
func (s *queryScanner) quoted(quote rune) (string, error) {
	column := s.at + 1
	var text strings.Builder
	for s.at++; s.at < len(s.text); s.at++ {
		r := s.text[s.at]
		switch {
		case r == quote:
			s.at++
			return text.String(), nil
		case r != '\\':
			text.WriteRune(r)
			continue
		}
		if s.at++; s.at == len(s.text) {
			break
		}
		meant, known := escapes[s.text[s.at]]
		if !known {
			return "", &queryError{s.at, fmt.Sprintf("The escape \\%c is not known.", s.text[s.at])}
		}
		text.WriteRune(meant)
	}
	return "", &queryError{column, "The text has no closing quote."}
}
