// Package syntax is the expression language as text: it scans and parses the
// subset of Python 3 in which policies are written (grammar.txt) into a tree
// with positions. The text is the body of a function. What the language leaves
// out is refused here, with the place and with what to write instead; nothing
// is looked up or evaluated.
package syntax

import (
	"fmt"
	"unicode/utf8"
)

// The sizes a text may have. They bound the work of everything that later
// walks over the tree, which recurses as deep as the text nests.
const (
	MaxSource = 64 << 10 // bytes of one text
	maxNest   = 64       // brackets, blocks and operators inside each other
	maxChain  = 400      // operators, calls or attributes in a row
	maxDigits = 4300     // decimal digits of a number
)

// A Pos is a place in the text: line and column in characters, both from 1.
type Pos struct {
	Line, Col int
}

// An Error says where a text is not a program of the language, and why.
type Error struct {
	Pos
	Message string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Col, e.Message)
}

func errorAt(p Pos, format string, args ...any) *Error {
	return &Error{Pos: p, Message: fmt.Sprintf(format, args...)}
}

// Parse reads a text as the body of a function. Its error is an [*Error].
func Parse(source string) (*Function, error) {
	if len(source) > MaxSource {
		return nil, errorAt(Pos{1, 1}, "the expression is longer than %d bytes", MaxSource)
	}
	if !utf8.ValidString(source) {
		return nil, errorAt(Pos{1, 1}, "the expression is not valid UTF-8")
	}
	tokens, err := scan(source)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, names: map[Pos][]string{}}
	body, err := p.program()
	if err != nil {
		return nil, err
	}
	return body, nil
}
