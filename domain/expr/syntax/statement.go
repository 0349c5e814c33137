package syntax

// statement: compound | simple (';' simple)* [';'] NEWLINE
func (p *parser) statement() ([]Stmt, error) {
	if p.tok().kind == indent {
		return nil, errorAt(p.tok().pos, "unexpected indent")
	}
	if p.is("if", "while", "for", "try", "def") {
		s, err := p.compound()
		return []Stmt{s}, err
	}
	var out []Stmt
	for {
		pos, mark := p.tok().pos, len(p.reads)
		stmts, err := p.simple()
		if err != nil {
			return nil, err
		}
		p.names[pos] = p.since(mark)
		out = append(out, stmts...)
		semicolon := p.accept(";")
		if p.tok().kind == newline {
			p.next()
			return out, nil
		}
		if !semicolon {
			return nil, p.afterStatement()
		}
	}
}

// afterStatement says what is wrong behind a statement that seemed complete.
func (p *parser) afterStatement() error {
	if before := p.tokens[p.at-1]; before.kind == name && p.tok().pos.Line == before.pos.Line {
		if advice, ok := refused[before.text]; ok && p.tok().kind == name {
			return errorAt(before.pos, "%s", advice)
		}
	}
	return p.unexpected()
}

// simple: return | raise | assert | del | pass | break | continue | import |
// nonlocal | assignment
func (p *parser) simple() ([]Stmt, error) {
	pos := p.tok().pos
	switch {
	case p.is("import"):
		return p.importModules()
	case p.is("from"):
		return p.importNames()
	}
	s, err := p.simpleOne(pos)
	if s == nil || err != nil {
		return nil, err
	}
	return []Stmt{s}, nil
}

func (p *parser) simpleOne(pos Pos) (Stmt, error) {
	switch {
	case p.accept("pass"):
		return &Pass{pos}, nil
	case p.accept("return"):
		return p.returned(pos)
	case p.accept("raise"):
		return p.raised(pos)
	case p.accept("assert"):
		return p.asserted(pos)
	case p.accept("del"):
		return p.deleted(pos)
	case p.accept("nonlocal"):
		return nil, p.nonlocal(pos)
	case p.is("break", "continue"):
		word := p.next().text
		switch {
		case p.loops == 0 && word == "break":
			return nil, errorAt(pos, "'break' outside loop")
		case p.loops == 0:
			return nil, errorAt(pos, "'continue' not properly in loop")
		case word == "break":
			return &Break{pos}, nil
		}
		return &Continue{pos}, nil
	}
	return p.assignment(pos)
}

// return: 'return' [expressions]
func (p *parser) returned(pos Pos) (Stmt, error) {
	r := &Return{Pos: pos}
	if !p.startsExpression() {
		return r, nil
	}
	mark := len(p.reads)
	var err error
	if r.X, err = p.expressions(); err != nil {
		return nil, err
	}
	r.Names = p.since(mark)
	return r, nil
}

// raise: 'raise' [expression ['from' expression]]
func (p *parser) raised(pos Pos) (Stmt, error) {
	r := &Raise{Pos: pos}
	if !p.startsExpression() {
		return r, nil
	}
	var err error
	if r.X, err = p.expression(); err == nil && p.accept("from") {
		r.Cause, err = p.expression()
	}
	return r, err
}

// assert: 'assert' expression [',' expression]
func (p *parser) asserted(pos Pos) (Stmt, error) {
	a := &Assert{Pos: pos}
	var err error
	if a.X, err = p.expression(); err == nil && p.accept(",") {
		a.Message, err = p.expression()
	}
	return a, err
}

// del: 'del' target (',' target)*
func (p *parser) deleted(pos Pos) (Stmt, error) {
	x, err := p.expressions()
	if err != nil {
		return nil, err
	}
	d := &Delete{Pos: pos, Targets: []Expr{x}}
	if seq, ok := x.(*Sequence); ok && seq.Open != '{' {
		d.Targets = seq.Items
	}
	for _, t := range d.Targets {
		switch t.(type) {
		case *Name, *Attribute, *Subscript:
			if err := p.target(t, false); err != nil {
				return nil, err
			}
		default:
			return nil, errorAt(t.At(), "cannot delete %s", describe(t))
		}
	}
	return d, nil
}

// nonlocal: 'nonlocal' NAME (',' NAME)*
func (p *parser) nonlocal(pos Pos) error {
	for {
		id, err := p.ident()
		if err != nil {
			return err
		}
		outer := p.scope.outer
		for outer != nil && (outer.comprehension || !outer.known[id] && !outer.inherits(id)) {
			outer = outer.outer
		}
		if outer == nil {
			return errorAt(pos, "no binding for nonlocal '%s' found", id)
		}
		if p.scope.known[id] {
			return errorAt(pos, "name '%s' is assigned to before nonlocal declaration", id)
		}
		p.scope.nonlocal[id] = pos
		if !p.accept(",") {
			return nil
		}
	}
}

func (s *scope) inherits(id string) bool {
	_, ok := s.nonlocal[id]
	return ok
}

// assignment: expressions [':' annotation] ('=' expressions)* | target op expressions
func (p *parser) assignment(pos Pos) (Stmt, error) {
	x, err := p.expressions()
	if err != nil {
		return nil, err
	}
	if p.is("@=") {
		return nil, errorAt(p.tok().pos, "%s", refused["@="])
	}
	if p.is("+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>=") {
		return p.update(pos, x)
	}
	annotated := false
	if _, isName := x.(*Name); isName && p.is(":") && p.tokens[p.at+1].kind != newline {
		p.next()
		annotated = true
		if _, err := p.expression(); err != nil { // an annotation has no meaning here
			return nil, err
		}
	}
	if !p.is("=") {
		if annotated {
			p.scope.bind(x.(*Name).ID)
			return &Pass{pos}, nil
		}
		return &Do{pos, x}, nil
	}
	a := &Assign{Pos: pos}
	for p.accept("=") {
		if err := p.target(x, true); err != nil {
			return nil, err
		}
		a.Targets = append(a.Targets, x)
		if p.is("yield") {
			return nil, p.unexpected()
		}
		if x, err = p.expressions(); err != nil {
			return nil, err
		}
	}
	a.X = x
	return a, p.bound(len(a.Targets))
}

// update: target op expressions
func (p *parser) update(pos Pos, x Expr) (Stmt, error) {
	op := p.next().text
	switch x.(type) {
	case *Name, *Attribute, *Subscript:
	default:
		return nil, errorAt(pos, "%s is an illegal expression for augmented assignment", describe(x))
	}
	if err := p.target(x, false); err != nil {
		return nil, err
	}
	y, err := p.expressions()
	return &Update{pos, x, op[:len(op)-1], y}, err
}
