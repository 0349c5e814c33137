package syntax

// forTarget: target (',' target)* [','] 'in'
func (p *parser) forTarget() (Expr, error) {
	pos := p.tok().pos
	item := func() (Expr, error) {
		at := p.tok().pos
		if p.accept("*") {
			x, err := p.operators(0)
			return &Starred{at, x}, err
		}
		return p.operators(0)
	}
	x, err := item()
	if err != nil {
		return nil, err
	}
	if p.is(",") {
		items := []Expr{x}
		for p.accept(",") && !p.is("in") {
			if x, err = item(); err != nil {
				return nil, err
			}
			items = append(items, x)
		}
		x = &Sequence{pos, '(', items}
	}
	if err := p.target(x, true); err != nil {
		return nil, err
	}
	return x, p.expect("in")
}

// target checks that x can be assigned to, and binds its names.
func (p *parser) target(x Expr, sequences bool) error {
	switch t := x.(type) {
	case *Name:
		p.scope.bind(t.ID)
		return nil
	case *Attribute, *Subscript:
		return nil
	case *Sequence:
		if !sequences || t.Open == '{' {
			break
		}
		stars := 0
		for _, item := range t.Items {
			if star, ok := item.(*Starred); ok {
				stars++
				item = star.X
			}
			if stars > 1 {
				return errorAt(t.Pos, "multiple starred expressions in assignment")
			}
			if err := p.target(item, true); err != nil {
				return err
			}
		}
		return nil
	}
	return errorAt(x.At(), "cannot assign to %s", describe(x))
}

// describe names a kind of expression in an error message.
func describe(x Expr) string {
	switch x := x.(type) {
	case *Const:
		switch x.Value {
		case nil:
			return "None"
		case true:
			return "True"
		case false:
			return "False"
		}
		return "literal"
	case *Format:
		return "f-string expression"
	case *Call:
		return "function call"
	case *Compare:
		return "comparison"
	case *Lambda:
		return "lambda"
	case *If:
		return "conditional expression"
	case *Dict:
		return "dict literal"
	case *Sequence:
		return map[byte]string{'(': "tuple", '[': "list", '{': "set display"}[x.Open]
	case *Comprehension:
		return "comprehension"
	}
	return "expression"
}
