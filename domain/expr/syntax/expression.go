package syntax

// starExpressions: starExpression (',' starExpression)* [',']
func (p *parser) expressions() (Expr, error) {
	pos := p.tok().pos
	first, err := p.starExpression()
	if err != nil || !p.is(",") {
		if _, ok := first.(*Starred); ok && err == nil {
			return nil, errorAt(pos, "can't use starred expression here")
		}
		return first, err
	}
	items := []Expr{first}
	for p.accept(",") {
		if !p.startsExpression() {
			break
		}
		item, err := p.starExpression()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return &Sequence{pos, '(', items}, nil
}

// startsExpression reports whether an expression can begin here.
func (p *parser) startsExpression() bool {
	t := p.tok()
	switch t.kind {
	case name, number, text, ftext:
		return true
	case keyword:
		return p.is("None", "True", "False", "not", "lambda", "await", "yield")
	case operand:
		return p.is("(", "[", "{", "-", "+", "~", "*", "...")
	}
	return false
}

// starExpression: '*' orExpr | named
func (p *parser) starExpression() (Expr, error) {
	pos := p.tok().pos
	if !p.accept("*") {
		return p.named()
	}
	x, err := p.operators(0)
	return &Starred{pos, x}, err
}

// named: NAME ':=' expression | expression
func (p *parser) named() (Expr, error) {
	t := p.tok()
	if t.kind != name || p.tokens[p.at+1].kind != operand || p.tokens[p.at+1].text != ":=" {
		return p.expression()
	}
	p.next()
	p.next()
	if err := checkName(t.text, t.pos); err != nil {
		return nil, err
	}
	s := p.scope
	for s.comprehension {
		s = s.outer
	}
	s.bind(t.text)
	x, err := p.expression()
	return &Walrus{t.pos, &Name{t.pos, t.text}, x}, err
}

// expression: disjunction ['if' disjunction 'else' expression] | lambda
func (p *parser) expression() (Expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer p.shallower()
	if p.is("lambda") {
		return p.lambda()
	}
	pos := p.tok().pos
	x, err := p.disjunction()
	if err != nil || !p.accept("if") {
		return x, err
	}
	cond, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if !p.is("else") {
		return nil, errorAt(pos, "expected 'else' after 'if' expression")
	}
	p.next()
	other, err := p.expression()
	return &If{pos, cond, x, other}, err
}

// disjunction: conjunction ('or' conjunction)*
func (p *parser) disjunction() (Expr, error) {
	return p.boolean("or", func() (Expr, error) { return p.boolean("and", p.inversion) })
}

// boolean: operand (word operand)*
func (p *parser) boolean(word string, operand func() (Expr, error)) (Expr, error) {
	pos := p.tok().pos
	x, err := operand()
	if err != nil || !p.is(word) {
		return x, err
	}
	items := []Expr{x}
	for p.accept(word) {
		if x, err = operand(); err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	return &Bool{pos, word == "or", items}, nil
}

// inversion: 'not' inversion | comparison
func (p *parser) inversion() (Expr, error) {
	pos := p.tok().pos
	if !p.accept("not") {
		return p.comparison()
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer p.shallower()
	x, err := p.inversion()
	return &Unary{pos, "not", x}, err
}

// comparison: orExpr (compareOp orExpr)*
func (p *parser) comparison() (Expr, error) {
	pos := p.tok().pos
	first, err := p.operators(0)
	if err != nil {
		return nil, err
	}
	c := &Compare{Pos: pos, First: first}
	for {
		op := p.compareOp()
		if op == "" {
			break
		}
		y, err := p.operators(0)
		if err != nil {
			return nil, err
		}
		c.Ops, c.Rest = append(c.Ops, op), append(c.Rest, y)
	}
	if len(c.Ops) == 0 {
		return first, nil
	}
	return c, nil
}

// compareOp: '==' | '!=' | '<' | '<=' | '>' | '>=' | ['not'] 'in' | 'is' ['not']
func (p *parser) compareOp() string {
	switch {
	case p.is("==", "!=", "<", "<=", ">", ">=", "in"):
		return p.next().text
	case p.is("not") && p.tokens[p.at+1].text == "in" && p.tokens[p.at+1].kind == keyword:
		p.next()
		p.next()
		return "not in"
	case p.accept("is"):
		if p.accept("not") {
			return "is not"
		}
		return "is"
	}
	return ""
}

// levels holds the left-associative operators, loosest first.
var levels = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"}}

// operators: operand (op operand)*, for the operators of one level
func (p *parser) operators(level int) (Expr, error) {
	if level == len(levels) {
		return p.factor()
	}
	pos := p.tok().pos
	x, err := p.operators(level + 1)
	for links := 0; err == nil && p.is(levels[level]...); links++ {
		if p.is("@") {
			return nil, errorAt(p.tok().pos, "%s", refused["@="])
		}
		op := p.next().text
		y, err := p.operators(level + 1)
		if err == nil {
			err = p.bound(links)
		}
		if err != nil {
			return nil, err
		}
		x = &Binary{pos, op, x, y}
	}
	return x, err
}

// factor: ('+' | '-' | '~') factor | power
func (p *parser) factor() (Expr, error) {
	t := p.tok()
	if !p.is("+", "-", "~") {
		return p.power()
	}
	p.next()
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer p.shallower()
	x, err := p.factor()
	return &Unary{t.pos, t.text, x}, err
}

// power: primary ['**' factor]
func (p *parser) power() (Expr, error) {
	pos := p.tok().pos
	x, err := p.primary()
	if err != nil || !p.accept("**") {
		return x, err
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer p.shallower()
	y, err := p.factor()
	return &Binary{pos, "**", x, y}, err
}
