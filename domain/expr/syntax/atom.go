package syntax

// atom: NAME | NUMBER | strings | 'None' | 'True' | 'False' | group | list | braces
func (p *parser) atom() (Expr, error) {
	t := p.tok()
	switch t.kind {
	case name:
		p.next()
		p.reads = append(p.reads, t.text)
		return &Name{t.pos, t.text}, checkName(t.text, t.pos)
	case number:
		p.next()
		return &Const{t.pos, t.value}, nil
	case text, ftext:
		return p.strings()
	}
	switch {
	case p.accept("None"):
		return &Const{t.pos, nil}, nil
	case p.accept("True"):
		return &Const{t.pos, true}, nil
	case p.accept("False"):
		return &Const{t.pos, false}, nil
	case p.is("..."):
		return nil, errorAt(t.pos, "'...' is not available in expressions: use pass or None")
	}
	if !p.is("(", "[", "{") {
		return nil, p.unexpected()
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer p.shallower()
	p.next()
	switch t.text {
	case "(":
		return p.group(t.pos)
	case "[":
		return p.display(t.pos, '[', "]")
	}
	return p.braces(t.pos)
}

// group: '(' [expressions | named clauses] ')'
func (p *parser) group(pos Pos) (Expr, error) {
	if p.accept(")") {
		return &Sequence{pos, '(', nil}, nil
	}
	if p.is("yield") {
		return nil, p.unexpected()
	}
	x, err := p.starExpression()
	if err != nil {
		return nil, err
	}
	if p.is("for", "async") {
		if x, err = p.comprehension(&Comprehension{Pos: pos, Open: '(', Item: x}); err != nil {
			return nil, err
		}
		return x, p.expect(")")
	}
	if !p.is(",") {
		if _, ok := x.(*Starred); ok {
			return nil, errorAt(pos, "cannot use starred expression here")
		}
		return x, p.expect(")")
	}
	items, err := p.items(x, ")")
	return &Sequence{pos, '(', items}, err
}

// display: open [starExpression rest]
func (p *parser) display(pos Pos, open byte, closing string) (Expr, error) {
	if p.accept(closing) {
		return &Sequence{pos, open, nil}, nil
	}
	x, err := p.starExpression()
	if err != nil {
		return nil, err
	}
	return p.displayRest(&Comprehension{Pos: pos, Open: open, Item: x}, closing)
}

// displayRest: clauses close | items; the first item is parsed
func (p *parser) displayRest(c *Comprehension, closing string) (Expr, error) {
	if p.is("for", "async") {
		x, err := p.comprehension(c)
		if err != nil {
			return nil, err
		}
		return x, p.expect(closing)
	}
	items, err := p.items(c.Item, closing)
	return &Sequence{c.Pos, c.Open, items}, err
}

// items: first (',' starExpression)* [','] close
func (p *parser) items(first Expr, closing string) ([]Expr, error) {
	items := []Expr{first}
	for !p.accept(closing) {
		if err := p.expect(","); err != nil {
			return nil, err
		}
		if p.accept(closing) {
			break
		}
		x, err := p.starExpression()
		if err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	return items, nil
}

// braces: '{' '}' | dict | set | dict or set comprehension
func (p *parser) braces(pos Pos) (Expr, error) {
	d := &Dict{Pos: pos}
	if p.accept("}") {
		return d, nil
	}
	key, value, err := p.entry()
	if err != nil {
		return nil, err
	}
	if value == nil {
		return p.displayRest(&Comprehension{Pos: pos, Open: '{', Item: key}, "}")
	}
	if key != nil && p.is("for", "async") {
		x, err := p.comprehension(&Comprehension{Pos: pos, Open: ':', Item: key, Value: value})
		if err != nil {
			return nil, err
		}
		return x, p.expect("}")
	}
	for {
		d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
		if p.accept("}") {
			return d, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
		if p.accept("}") {
			return d, nil
		}
		if key, value, err = p.entry(); err != nil {
			return nil, err
		}
		if value == nil {
			return nil, errorAt(p.tok().pos, "':' expected after dictionary key")
		}
	}
}

// entry: '**' orExpr | starExpression [':' expression]; an item of a set has
// no value
func (p *parser) entry() (key, value Expr, err error) {
	if p.accept("**") {
		value, err = p.operators(0)
		return nil, value, err
	}
	if key, err = p.starExpression(); err != nil || !p.accept(":") {
		return key, nil, err
	}
	if star, ok := key.(*Starred); ok {
		return nil, nil, errorAt(star.Pos, "cannot use a starred expression in a dictionary key")
	}
	value, err = p.expression()
	return key, value, err
}

// comprehension: clause+, where clause: 'for' targets 'in' disjunction ('if' condition)*
func (p *parser) comprehension(c *Comprehension) (Expr, error) {
	if _, ok := c.Item.(*Starred); ok {
		return nil, errorAt(c.Item.At(), "iterable unpacking cannot be used in comprehension")
	}
	s := p.push(true)
	defer p.pop()
	for p.is("for", "async") {
		if p.is("async") {
			return nil, p.unexpected()
		}
		p.next()
		target, err := p.forTarget()
		if err != nil {
			return nil, err
		}
		clause := Clause{Target: target}
		if clause.X, err = p.disjunction(); err != nil {
			return nil, err
		}
		for p.accept("if") {
			cond, err := p.condition()
			if err != nil {
				return nil, err
			}
			clause.Conds = append(clause.Conds, cond)
		}
		c.Clauses = append(c.Clauses, clause)
	}
	if err := p.bound(len(c.Clauses) * 16); err != nil {
		return nil, err
	}
	c.Locals = s.locals
	return c, nil
}

// condition: lambda | disjunction
func (p *parser) condition() (Expr, error) {
	if p.is("lambda") {
		return p.lambda()
	}
	return p.disjunction()
}
