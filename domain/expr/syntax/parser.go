package syntax

import "slices"

// A parser reads tokens into a tree, one function per rule of grammar.txt.
type parser struct {
	tokens []token
	at     int
	scope  *scope
	nest   int
	reads  []string         // the names read so far
	names  map[Pos][]string // those of each statement and each condition, by where it begins
	loops  int              // around the statement, within its function
}

// A scope gathers the names that one function, or one comprehension, binds.
type scope struct {
	outer         *scope
	comprehension bool
	locals        []string
	known         map[string]bool
	nonlocal      map[string]Pos
}

func (p *parser) push(comprehension bool) *scope {
	p.scope = &scope{outer: p.scope, comprehension: comprehension, known: map[string]bool{}, nonlocal: map[string]Pos{}}
	return p.scope
}

func (p *parser) pop() { p.scope = p.scope.outer }

func (s *scope) bind(id string) {
	if _, ok := s.nonlocal[id]; ok || s.known[id] {
		return
	}
	s.known[id] = true
	s.locals = append(s.locals, id)
}

func (p *parser) tok() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// is reports whether the next token is one of these operators or keywords.
func (p *parser) is(words ...string) bool {
	t := p.tok()
	return (t.kind == operand || t.kind == keyword) && slices.Contains(words, t.text)
}

// accept takes the next token if it is word.
func (p *parser) accept(word string) bool {
	if !p.is(word) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(word string) error {
	if p.accept(word) {
		return nil
	}
	return errorAt(p.tok().pos, "expected '%s', found %s", word, p.tok().describe())
}

func (p *parser) ident() (string, error) {
	t := p.tok()
	if t.kind != name {
		return "", errorAt(t.pos, "expected a name, found %s", t.describe())
	}
	p.next()
	return t.text, checkName(t.text, t.pos)
}

func (p *parser) unexpected() error {
	t := p.tok()
	if advice, ok := refused[t.text]; ok && t.kind == keyword {
		return errorAt(t.pos, "%s", advice)
	}
	if t.kind == operand && t.text == "@" {
		return errorAt(t.pos, "%s", refused["@"])
	}
	if advice, ok := otherwise[t.text]; ok && t.kind == operand {
		return errorAt(t.pos, "invalid syntax at %s: %s", t.describe(), advice)
	}
	return errorAt(t.pos, "invalid syntax at %s", t.describe())
}

// deeper counts how far the text nests; shallower must follow.
func (p *parser) deeper() error {
	p.nest++
	if p.nest > 2*maxNest {
		return errorAt(p.tok().pos, "the expression is nested too deeply")
	}
	return nil
}

func (p *parser) shallower() { p.nest-- }

// bound counts the links of a chain, which the evaluator walks recursively.
func (p *parser) bound(links int) error {
	if links > maxChain {
		return errorAt(p.tok().pos, "more than %d operations in a row: use several statements", maxChain)
	}
	return nil
}

// program: statement+ END
func (p *parser) program() (*Function, error) {
	s := p.push(false)
	defer p.pop()
	fn := &Function{Pos: p.tok().pos, Name: "expression"}
	if p.tok().kind == end {
		return nil, errorAt(fn.Pos, "the expression is empty")
	}
	for p.tok().kind != end {
		stmts, err := p.statement()
		if err != nil {
			return nil, err
		}
		fn.Body = append(fn.Body, stmts...)
	}
	fn.Locals, fn.Names = s.locals, p.names
	return fn, nil
}

// since lists the names read since mark, each once.
func (p *parser) since(mark int) []string {
	var names []string
	for _, id := range p.reads[mark:] {
		if !slices.Contains(names, id) {
			names = append(names, id)
		}
		if len(names) == maxNames {
			break
		}
	}
	return names
}

// maxNames is how many names of one statement are remembered.
const maxNames = 50
