package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of a query. It is asked about every event there is.
const (
	maxQuery      = 4 << 10 // bytes
	maxQueryDepth = 32      // parentheses
)

// An eventQuery is a condition on an audit event, in a subset of the contract's
// query language:
//
//	query     = all { "or" all } .
//	all       = one { "and" one } .
//	one       = "(" query ")" | name compare value | name ["not"] "in" "(" value { "," value } ")" .
//	compare   = "=" | "!=" | "~" | "!~" | ">" | ">=" | "<" | "<=" | ["not"] ("startswith" | "endswith") .
//	name      = word { "." word } .
//	value     = text | number | "True" | "False" | "None" .
type eventQuery interface {
	holds(event map[string]any) bool
}

// eventNames are what an event has on its first level.
var eventNames = []string{"pk", "user", "action", "app", "context", "client_ip", "created", "expires", "brand"}

// A queryError says what is wrong with a query, and where.
type queryError struct {
	column  int // from 1, in characters
	message string
}

// Error implements error.
func (e *queryError) Error() string { return fmt.Sprintf("Column %d: %s", e.column, e.message) }

// parseQuery reads a query.
func parseQuery(text string) (eventQuery, error) {
	if len(text) > maxQuery {
		return nil, &queryError{maxQuery, fmt.Sprintf("The query is longer than %d bytes.", maxQuery)}
	}
	tokens, err := scanQuery(text)
	if err != nil {
		return nil, err
	}
	p := &queryParser{tokens: tokens}
	q, err := p.query(0)
	if err == nil && p.peek().kind != endToken {
		err = p.wrong("and, or, or the end")
	}
	if err != nil {
		return nil, err
	}
	return q, nil
}

// A queryParser reads tokens, of which the last is the end.
type queryParser struct {
	tokens []queryToken
}

func (p *queryParser) peek() queryToken { return p.tokens[0] }

func (p *queryParser) next() queryToken {
	t := p.tokens[0]
	if t.kind != endToken {
		p.tokens = p.tokens[1:]
	}
	return t
}

// take consumes a sign or a word of the language, if it comes next.
func (p *queryParser) take(text string) bool {
	if t := p.peek(); (t.kind == signToken || t.kind == wordToken) && t.text == text {
		p.next()
		return true
	}
	return false
}

// wrong says that something else was to come next.
func (p *queryParser) wrong(wanted string) error {
	t := p.peek()
	found := "the end"
	if t.kind != endToken {
		found = t.source
	}
	return &queryError{t.column, fmt.Sprintf("Expected %s, found %s.", wanted, cut(found))}
}

func (p *queryParser) query(depth int) (eventQuery, error) {
	return p.several("or", func() (eventQuery, error) {
		return p.several("and", func() (eventQuery, error) { return p.one(depth) })
	})
}

// several reads conditions with a word between them.
func (p *queryParser) several(word string, one func() (eventQuery, error)) (eventQuery, error) {
	var parts []eventQuery
	for {
		q, err := one()
		if err != nil {
			return nil, err
		}
		parts = append(parts, q)
		if p.take(word) {
			continue
		}
		switch {
		case len(parts) == 1:
			return q, nil
		case word == "or":
			return someOf(parts), nil
		}
		return allOf(parts), nil
	}
}

func (p *queryParser) one(depth int) (eventQuery, error) {
	opening := p.peek()
	if !p.take("(") {
		return p.comparison()
	}
	if depth == maxQueryDepth {
		return nil, &queryError{opening.column, fmt.Sprintf("More than %d parentheses are nested.", maxQueryDepth)}
	}
	q, err := p.query(depth + 1)
	if err == nil && !p.take(")") {
		err = p.wrong("and, or, or a closing parenthesis")
	}
	return q, err
}

func (p *queryParser) comparison() (eventQuery, error) {
	t := p.peek()
	if t.kind != wordToken || reserved[t.text] {
		return nil, p.wrong("a name or an opening parenthesis")
	}
	c := comparison{path: strings.Split(p.next().text, ".")}
	if !slices.Contains(eventNames, c.path[0]) {
		return nil, &queryError{t.column, fmt.Sprintf("An event has no %s. It has %s.", cut(c.path[0]), strings.Join(eventNames, ", "))}
	}
	c.negated = p.take("not")
	op := p.peek()
	if c.negated && op.kind != wordToken {
		return nil, p.wrong("in, startswith or endswith")
	}
	c.op = op.text
	if c.compare = comparisons[op.text]; c.compare == nil || op.kind == textToken {
		return nil, p.wrong("a comparison, such as = or ~")
	}
	p.next()
	if c.op != "in" {
		v, err := p.value(c.op)
		c.values = []any{v}
		return c, err
	}
	return p.list(c)
}

// list reads the values of a comparison with several.
func (p *queryParser) list(c comparison) (eventQuery, error) {
	if !p.take("(") {
		return nil, p.wrong("an opening parenthesis")
	}
	for {
		v, err := p.value(c.op)
		if err != nil {
			return nil, err
		}
		c.values = append(c.values, v)
		if p.take(",") {
			continue
		}
		if !p.take(")") {
			return nil, p.wrong("a comma or a closing parenthesis")
		}
		return c, nil
	}
}

// value reads what an operator compares with.
func (p *queryParser) value(op string) (any, error) {
	t := p.peek()
	switch {
	case t.kind == textToken || t.kind == numberToken && !textual[op]:
		return p.next().value, nil
	case textual[op]:
		return nil, p.wrong("a text in quotes")
	case t.kind == wordToken && (op == "=" || op == "!=" || op == "in"):
		if v, ok := constants[t.text]; ok {
			p.next()
			return v, nil
		}
	}
	return nil, p.wrong("a text in quotes, a number, True, False or None")
}
