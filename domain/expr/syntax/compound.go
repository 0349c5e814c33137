package syntax

// compound: if | while | for | try | def
func (p *parser) compound() (Stmt, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer p.shallower()
	t := p.next()
	switch t.text {
	case "if":
		return p.branch(t.pos)
	case "while":
		return p.while(t.pos)
	case "for":
		return p.forLoop(t.pos)
	case "try":
		return p.try(t.pos)
	}
	return p.def(t.pos)
}

// block: ':' (simple statements NEWLINE | NEWLINE INDENT statement+ DEDENT)
func (p *parser) block(of string) ([]Stmt, error) {
	if !p.is(":") {
		if t := p.tok(); t.kind == operand && t.text == "=" {
			return nil, errorAt(t.pos, "expected ':', found '=': %s", otherwise["="])
		}
		return nil, errorAt(p.tok().pos, "expected ':'")
	}
	p.next()
	if p.tok().kind != newline {
		if p.is("if", "while", "for", "try", "def") {
			return nil, p.unexpected()
		}
		return p.statement()
	}
	line := p.next().pos.Line
	if p.tok().kind != indent {
		return nil, errorAt(p.tok().pos, "expected an indented block after %s on line %d", of, line)
	}
	p.next()
	var body []Stmt
	for p.tok().kind != dedent && p.tok().kind != end {
		stmts, err := p.statement()
		if err != nil {
			return nil, err
		}
		body = append(body, stmts...)
	}
	if p.tok().kind == dedent {
		p.next()
	}
	return body, nil
}

// if: 'if' named block ('elif' named block)* ['else' block]
func (p *parser) branch(pos Pos) (Stmt, error) {
	b := &Branch{Pos: pos}
	word := "if"
	for {
		cond, err := p.tested()
		if err != nil {
			return nil, err
		}
		body, err := p.block("'" + word + "' statement")
		if err != nil {
			return nil, err
		}
		b.Conds, b.Bodies = append(b.Conds, cond), append(b.Bodies, body)
		if word = "elif"; !p.accept(word) {
			break
		}
	}
	var err error
	b.Else, err = p.otherwise()
	return b, err
}

// tested: named
func (p *parser) tested() (Expr, error) {
	mark := len(p.reads)
	x, err := p.named()
	if err == nil {
		p.names[x.At()] = p.since(mark)
	}
	return x, err
}

// otherwise: ['else' block]
func (p *parser) otherwise() ([]Stmt, error) {
	if !p.accept("else") {
		return nil, nil
	}
	return p.block("'else' statement")
}

// loop: block, in which break and continue mean this loop
func (p *parser) loop(of string) ([]Stmt, error) {
	p.loops++
	defer func() { p.loops-- }()
	return p.block(of)
}

// while: 'while' named block ['else' block]
func (p *parser) while(pos Pos) (Stmt, error) {
	w := &While{Pos: pos}
	var err error
	if w.Cond, err = p.tested(); err != nil {
		return nil, err
	}
	if w.Body, err = p.loop("'while' statement"); err != nil {
		return nil, err
	}
	w.Else, err = p.otherwise()
	return w, err
}

// for: 'for' targets 'in' expressions block ['else' block]
func (p *parser) forLoop(pos Pos) (Stmt, error) {
	f := &For{Pos: pos}
	mark := len(p.reads)
	var err error
	if f.Target, err = p.forTarget(); err != nil {
		return nil, err
	}
	if f.X, err = p.expressions(); err != nil {
		return nil, err
	}
	p.names[pos] = p.since(mark)
	if f.Body, err = p.loop("'for' statement"); err != nil {
		return nil, err
	}
	f.Else, err = p.otherwise()
	return f, err
}

// try: 'try' block handler* ['else' block] ['finally' block]
func (p *parser) try(pos Pos) (Stmt, error) {
	t := &Try{Pos: pos}
	var err error
	if t.Body, err = p.block("'try' statement"); err != nil {
		return nil, err
	}
	for p.is("except") {
		if n := len(t.Handlers); n > 0 && t.Handlers[n-1].Type == nil {
			return nil, errorAt(t.Handlers[n-1].Pos, "default 'except:' must be last")
		}
		h, err := p.handler()
		if err != nil {
			return nil, err
		}
		t.Handlers = append(t.Handlers, h)
	}
	if len(t.Handlers) > 0 {
		if t.Else, err = p.otherwise(); err != nil {
			return nil, err
		}
	}
	if p.accept("finally") {
		t.Finally, err = p.block("'finally' statement")
	} else if len(t.Handlers) == 0 {
		return nil, errorAt(p.tok().pos, "expected 'except' or 'finally' block")
	}
	return t, err
}

// handler: 'except' [expressions ['as' NAME]] block
func (p *parser) handler() (Handler, error) {
	h := Handler{Pos: p.next().pos}
	if p.is("*") {
		return h, errorAt(p.tok().pos, "'except*' is not available in expressions: use except")
	}
	var err error
	if !p.is(":") {
		if h.Type, err = p.expressions(); err != nil {
			return h, err
		}
		if p.accept("as") {
			if h.As, err = p.ident(); err != nil {
				return h, err
			}
			p.scope.bind(h.As)
		}
	}
	h.Body, err = p.block("'except' statement")
	return h, err
}

// def: 'def' NAME '(' parameters ['->' annotation] block
func (p *parser) def(pos Pos) (Stmt, error) {
	id, err := p.ident()
	if err != nil {
		return nil, err
	}
	fn := &Function{Pos: pos, Name: id}
	p.scope.bind(id)
	if err := p.expect("("); err != nil {
		return nil, err
	}
	if fn.Params, err = p.parameters(")"); err != nil {
		return nil, err
	}
	if p.accept("->") {
		if _, err := p.expression(); err != nil { // an annotation has no meaning here
			return nil, err
		}
	}
	s := p.push(false)
	loops := p.loops
	p.loops = 0
	defer func() {
		p.pop()
		p.loops = loops
	}()
	for _, param := range fn.Params {
		s.bind(param.Name)
	}
	fn.Body, err = p.block("function definition")
	fn.Locals, fn.Nonlocal = s.locals, s.nonlocal
	return &Def{pos, fn}, err
}
