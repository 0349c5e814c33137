package syntax

// A Function is a body with its parameters and local names: the text itself, a
// def, or a lambda.
type Function struct {
	Pos
	Name     string
	Params   []Param
	Locals   []string // parameters first; every name bound in the body
	Body     []Stmt
	Nonlocal map[string]Pos   // names that a def binds further out
	Names    map[Pos][]string // of the text itself: the names in each statement and each condition, by where it begins
}

// A Param is a parameter.
type Param struct {
	Name    string
	Star    int  // 1 for *args, 2 for **kwargs
	Keyword bool // only by keyword
	Default Expr // or nil
}

// An Expr is an expression.
type Expr interface{ At() Pos }

// A Stmt is a statement.
type Stmt interface{ At() Pos }

// At returns where a node begins.
func (p Pos) At() Pos { return p }

// The expressions.
type (
	// Name reads or binds a name.
	Name struct {
		Pos
		ID string
	}
	// Const is a literal: nil, bool, int64, *big.Int, float64, string or []byte.
	Const struct {
		Pos
		Value any
	}
	// Format is an f-string.
	Format struct {
		Pos
		Pieces []Piece
	}
	// Sequence is a list, tuple or set display: '[', '(' or '{'.
	Sequence struct {
		Pos
		Open  byte
		Items []Expr
	}
	// Dict is a dictionary display; a nil key stands for **value.
	Dict struct {
		Pos
		Keys, Values []Expr
	}
	// Unary is -x, +x, ~x or not x.
	Unary struct {
		Pos
		Op string
		X  Expr
	}
	// Binary is x op y, for arithmetic.
	Binary struct {
		Pos
		Op   string
		X, Y Expr
	}
	// Bool is a chain of and, or of or.
	Bool struct {
		Pos
		Or    bool
		Items []Expr
	}
	// Compare is x op y op z.
	Compare struct {
		Pos
		First Expr
		Ops   []string
		Rest  []Expr
	}
	// If is x if cond else y.
	If struct {
		Pos
		Cond, Then, Else Expr
	}
	// Lambda makes a function.
	Lambda struct {
		Pos
		Fn *Function
	}
	// Call calls Fn.
	Call struct {
		Pos
		Fn   Expr
		Args []Arg
	}
	// Attribute is x.name.
	Attribute struct {
		Pos
		X    Expr
		Name string
	}
	// Subscript is x[index].
	Subscript struct {
		Pos
		X, Index Expr
	}
	// Slice is from:to:step, inside a subscript; each may be nil.
	Slice struct {
		Pos
		From, To, Step Expr
	}
	// Starred is *x in a display or a target.
	Starred struct {
		Pos
		X Expr
	}
	// Comprehension is a list, set or dict comprehension, or a generator:
	// '[', '{', ':' or '('.
	Comprehension struct {
		Pos
		Open    byte
		Item    Expr
		Value   Expr // of a dict
		Clauses []Clause
		Locals  []string
	}
	// Walrus is (name := x).
	Walrus struct {
		Pos
		Target *Name
		X      Expr
	}
)

// A Piece of an f-string: literal text if Value is nil.
type Piece struct {
	Literal    string
	Value      Expr
	Conversion byte
	Spec       *Format // or nil
}

// An Arg of a call.
type Arg struct {
	Name  string // of a keyword argument
	Star  int    // 1 for *x, 2 for **x
	Value Expr
}

// A Clause is for target in x [if cond …] of a comprehension.
type Clause struct {
	Target Expr
	X      Expr
	Conds  []Expr
}

// The statements.
type (
	// Do evaluates an expression.
	Do struct {
		Pos
		X Expr
	}
	// Assign binds each target to X.
	Assign struct {
		Pos
		Targets []Expr
		X       Expr
	}
	// Update is target op= x.
	Update struct {
		Pos
		Target Expr
		Op     string
		X      Expr
	}
	// Return ends the function; X may be nil. Names are the names that X reads.
	Return struct {
		Pos
		X     Expr
		Names []string
	}
	// Branch is if, elif … else.
	Branch struct {
		Pos
		Conds  []Expr
		Bodies [][]Stmt
		Else   []Stmt
	}
	// While loops.
	While struct {
		Pos
		Cond       Expr
		Body, Else []Stmt
	}
	// For loops over X.
	For struct {
		Pos
		Target     Expr
		X          Expr
		Body, Else []Stmt
	}
	// Try handles errors.
	Try struct {
		Pos
		Body, Else, Finally []Stmt
		Handlers            []Handler
	}
	// Raise raises X; nil raises again what is being handled.
	Raise struct {
		Pos
		X, Cause Expr
	}
	// Assert raises unless X holds.
	Assert struct {
		Pos
		X, Message Expr
	}
	// Delete unbinds targets.
	Delete struct {
		Pos
		Targets []Expr
	}
	// Pass does nothing.
	Pass struct{ Pos }
	// Break leaves a loop.
	Break struct{ Pos }
	// Continue goes on with the next round.
	Continue struct{ Pos }
	// Import binds a module, or names of it.
	Import struct {
		Pos
		Module string
		Name   string // imported from the module; empty for the module itself
		As     string // the name that is bound
		Root   bool   // import a.b binds a
	}
	// Def binds a function.
	Def struct {
		Pos
		Fn *Function
	}
)

// A Handler is one except clause; Type is nil for a bare one.
type Handler struct {
	Pos
	Type Expr
	As   string
	Body []Stmt
}
