package syntax

// primary: atom ('.' NAME | '(' arguments ')' | '[' subscript ']')*
func (p *parser) primary() (Expr, error) {
	pos := p.tok().pos
	x, err := p.atom()
	for links := 0; err == nil; links++ {
		if err := p.bound(links); err != nil {
			return nil, err
		}
		switch {
		case p.accept("."):
			var id string
			id, err = p.ident()
			x = &Attribute{pos, x, id}
		case p.accept("("):
			var args []Arg
			args, err = p.arguments()
			x = &Call{pos, x, args}
		case p.accept("["):
			var index Expr
			index, err = p.subscript()
			x = &Subscript{pos, x, index}
		default:
			return x, nil
		}
	}
	return nil, err
}

// arguments: [argument (',' argument)* [',']] ')'
func (p *parser) arguments() ([]Arg, error) {
	var args []Arg
	named := false
	known := map[string]bool{}
	for !p.accept(")") {
		pos := p.tok().pos
		arg, err := p.argument(len(args) == 0)
		if err != nil {
			return nil, err
		}
		if arg.Name == "" && arg.Star == 0 && named {
			return nil, errorAt(pos, "positional argument follows keyword argument")
		}
		if arg.Name != "" && known[arg.Name] {
			return nil, errorAt(pos, "keyword argument repeated: %s", arg.Name)
		}
		known[arg.Name] = true
		named = named || arg.Name != "" || arg.Star == 2
		args = append(args, arg)
		if !p.is(")") {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}

// argument: '*' expression | '**' expression | NAME '=' expression | named [clauses]
func (p *parser) argument(first bool) (Arg, error) {
	pos := p.tok().pos
	if p.is("*", "**") {
		star := len(p.next().text)
		x, err := p.expression()
		return Arg{Star: star, Value: x}, err
	}
	if t := p.tok(); t.kind == name && p.tokens[p.at+1].kind == operand && p.tokens[p.at+1].text == "=" {
		p.next()
		p.next()
		x, err := p.expression()
		return Arg{Name: t.text, Value: x}, err
	}
	x, err := p.named()
	if err != nil || !p.is("for", "async") {
		return Arg{Value: x}, err
	}
	x, err = p.comprehension(&Comprehension{Pos: pos, Open: '(', Item: x})
	if err == nil && !(first && p.is(")")) {
		err = errorAt(pos, "Generator expression must be parenthesized")
	}
	return Arg{Value: x}, err
}

// subscript: slice (',' slice)* [','] ']'
func (p *parser) subscript() (Expr, error) {
	pos := p.tok().pos
	x, err := p.slice()
	if err != nil {
		return nil, err
	}
	if p.is(",") {
		items := []Expr{x}
		for p.accept(",") && !p.is("]") {
			if x, err = p.slice(); err != nil {
				return nil, err
			}
			items = append(items, x)
		}
		x = &Sequence{pos, '(', items}
	}
	return x, p.expect("]")
}

// slice: [expression] ':' [expression] [':' [expression]] | named
func (p *parser) slice() (Expr, error) {
	s := &Slice{Pos: p.tok().pos}
	var err error
	if !p.is(":") {
		if s.From, err = p.named(); err != nil || !p.is(":") {
			return s.From, err
		}
	}
	p.next()
	if !p.is(":", ",", "]") {
		if s.To, err = p.expression(); err != nil {
			return nil, err
		}
	}
	if p.accept(":") && !p.is(",", "]") {
		s.Step, err = p.expression()
	}
	return s, err
}

// lambda: 'lambda' [parameters] ':' expression
func (p *parser) lambda() (Expr, error) {
	pos := p.next().pos
	fn := &Function{Pos: pos, Name: "<lambda>"}
	var err error
	if fn.Params, err = p.parameters(":"); err != nil {
		return nil, err
	}
	s := p.push(false)
	defer p.pop()
	for _, param := range fn.Params {
		s.bind(param.Name)
	}
	x, err := p.expression()
	fn.Body = []Stmt{&Return{Pos: pos, X: x}}
	fn.Locals = s.locals
	return &Lambda{pos, fn}, err
}

// parameters: [parameter (',' parameter)* [',']] close, with *, *args, **kwargs
// and '/' as in Python; a def may annotate them.
func (p *parser) parameters(closing string) ([]Param, error) {
	var params []Param
	seen := map[string]bool{}
	keyword, optional, last := false, false, false
	for !p.accept(closing) {
		pos := p.tok().pos
		if p.accept("/") { // positional-only is not told apart
			if len(params) == 0 {
				return nil, errorAt(pos, "at least one argument must precede /")
			}
		} else if p.is("*") && (p.tokens[p.at+1].text == "," && p.tokens[p.at+1].kind == operand) {
			p.next()
			keyword = true
		} else {
			param, err := p.parameter(closing == ")")
			if err != nil {
				return nil, err
			}
			param.Keyword = keyword && param.Star == 0
			keyword = keyword || param.Star == 1
			switch {
			case seen[param.Name]:
				return nil, errorAt(pos, "duplicate argument '%s' in function definition", param.Name)
			case last:
				return nil, errorAt(pos, "arguments cannot follow var-keyword argument")
			case optional && param.Default == nil && param.Star == 0 && !keyword:
				return nil, errorAt(pos, "non-default argument follows default argument")
			}
			seen[param.Name] = true
			optional = optional || param.Default != nil
			last = param.Star == 2
			params = append(params, param)
		}
		if !p.is(closing) {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
	}
	return params, nil
}

// parameter: ['*' | '**'] NAME [':' expression] ['=' expression]
func (p *parser) parameter(annotated bool) (Param, error) {
	var param Param
	var err error
	if p.is("*", "**") {
		param.Star = len(p.next().text)
	}
	if param.Name, err = p.ident(); err != nil {
		return param, err
	}
	if annotated && p.accept(":") {
		if _, err := p.expression(); err != nil { // an annotation has no meaning here
			return param, err
		}
	}
	if param.Star == 0 && p.accept("=") {
		param.Default, err = p.expression()
	}
	return param, err
}
