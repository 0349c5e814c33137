package syntax

// strings: (STRING | FSTRING)+, which are one string
func (p *parser) strings() (Expr, error) {
	pos := p.tok().pos
	var plain string
	var raw []byte
	var pieces []Piece
	bytes, formatted := false, false
	for n := 0; p.tok().kind == text || p.tok().kind == ftext; n++ {
		t := p.next()
		b, isBytes := t.value.([]byte)
		if n > 0 && isBytes != bytes {
			return nil, errorAt(t.pos, "cannot mix bytes and nonbytes literals")
		}
		bytes = isBytes
		switch v := t.value.(type) {
		case []byte:
			raw = append(raw, b...)
		case string:
			plain += v
			pieces = append(pieces, Piece{Literal: v})
		case []piece:
			formatted = true
			f, err := p.format(v, t.pos)
			if err != nil {
				return nil, err
			}
			pieces = append(pieces, f.Pieces...)
		}
	}
	switch {
	case bytes:
		return &Const{pos, raw}, nil
	case formatted:
		return &Format{pos, pieces}, nil
	}
	return &Const{pos, plain}, nil
}

// format parses the fields of an f-string.
func (p *parser) format(in []piece, pos Pos) (*Format, error) {
	f := &Format{Pos: pos}
	for _, part := range in {
		if part.field == nil {
			if part.literal != "" {
				f.Pieces = append(f.Pieces, Piece{Literal: part.literal})
			}
			continue
		}
		if part.field.source != "" {
			f.Pieces = append(f.Pieces, Piece{Literal: part.field.source})
		}
		out, err := p.field(part.field)
		if err != nil {
			return nil, err
		}
		f.Pieces = append(f.Pieces, out)
	}
	return f, nil
}

// field: expressions END, on the tokens between the braces
func (p *parser) field(in *field) (Piece, error) {
	if err := p.deeper(); err != nil {
		return Piece{}, err
	}
	defer p.shallower()
	tokens, at := p.tokens, p.at
	p.tokens, p.at = in.tokens, 0
	defer func() { p.tokens, p.at = tokens, at }()
	x, err := p.namedOrTuple()
	if err != nil {
		return Piece{}, err
	}
	if p.tok().kind != end {
		return Piece{}, errorAt(p.tok().pos, "f-string: expecting '}', found %s", p.tok().describe())
	}
	out := Piece{Value: x, Conversion: in.conversion}
	if in.source != "" && in.conversion == 0 && !in.hasSpec {
		out.Conversion = 'r'
	}
	if in.hasSpec {
		out.Spec, err = p.format(in.spec, in.pos)
	}
	return out, err
}

// namedOrTuple: expressions, without the yield that Python allows
func (p *parser) namedOrTuple() (Expr, error) {
	if p.is("yield", "await") {
		return nil, p.unexpected()
	}
	return p.expressions()
}
