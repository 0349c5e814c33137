package syntax

import "strings"

// import: 'import' module ['as' NAME] (',' module ['as' NAME])*
func (p *parser) importModules() ([]Stmt, error) {
	p.next()
	var out []Stmt
	for {
		m := &Import{Pos: p.tok().pos}
		var err error
		if m.Module, err = p.dotted(); err != nil {
			return nil, err
		}
		if p.accept("as") {
			m.As, err = p.ident()
		} else {
			m.As, _, m.Root = strings.Cut(m.Module, ".")
		}
		if err != nil {
			return nil, err
		}
		p.scope.bind(m.As)
		out = append(out, m)
		if !p.accept(",") {
			return out, nil
		}
	}
}

// from: 'from' module 'import' (names | '(' names [','] ')')
func (p *parser) importNames() ([]Stmt, error) {
	p.next()
	if p.is(".", "...") {
		return nil, errorAt(p.tok().pos, "relative imports are not available in expressions: name the module in full")
	}
	module, err := p.dotted()
	if err != nil {
		return nil, err
	}
	if err := p.expect("import"); err != nil {
		return nil, err
	}
	if p.is("*") {
		return nil, errorAt(p.tok().pos, "'import *' is not available in expressions: list the names")
	}
	brackets := p.accept("(")
	var out []Stmt
	for {
		m := &Import{Pos: p.tok().pos, Module: module}
		if m.Name, err = p.ident(); err != nil {
			return nil, err
		}
		m.As = m.Name
		if p.accept("as") {
			if m.As, err = p.ident(); err != nil {
				return nil, err
			}
		}
		p.scope.bind(m.As)
		out = append(out, m)
		if !p.accept(",") || brackets && p.is(")") {
			break
		}
	}
	if brackets {
		err = p.expect(")")
	}
	return out, err
}

// module: NAME ('.' NAME)*
func (p *parser) dotted() (string, error) {
	id, err := p.ident()
	if err != nil {
		return "", err
	}
	parts := []string{id}
	for p.accept(".") {
		if id, err = p.ident(); err != nil {
			return "", err
		}
		parts = append(parts, id)
	}
	return strings.Join(parts, "."), nil
}
