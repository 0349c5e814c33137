package syntax

type kind uint8

const (
	end     kind = iota // of the text, or of the replacement field of an f-string
	newline             // a logical line is over
	indent
	dedent
	name
	keyword
	number  // value is int64, *big.Int or float64
	text    // value is string or []byte
	ftext   // value is []piece
	operand // an operator or a delimiter
)

// A token is a word of the text.
type token struct {
	kind  kind
	text  string
	value any
	pos   Pos
}

// A piece of an f-string: literal text, or a replacement field.
type piece struct {
	literal string
	field   *field
}

// A field is the inside of {…} in an f-string, as tokens still.
type field struct {
	tokens     []token
	source     string // the text with its =, for {x=}; else empty
	conversion byte   // 'r', 's', 'a' or 0
	spec       []piece
	hasSpec    bool
	pos        Pos
}

var keywords = map[string]bool{
	"False": true, "None": true, "True": true, "and": true, "as": true, "assert": true,
	"async": true, "await": true, "break": true, "class": true, "continue": true, "def": true,
	"del": true, "elif": true, "else": true, "except": true, "finally": true, "for": true,
	"from": true, "global": true, "if": true, "import": true, "in": true, "is": true,
	"lambda": true, "nonlocal": true, "not": true, "or": true, "pass": true, "raise": true,
	"return": true, "try": true, "while": true, "with": true, "yield": true,
}

// operators of three letters, of two and of one.
var operators = [3]map[string]bool{
	{"+": true, "-": true, "*": true, "/": true, "%": true, "@": true, "&": true, "|": true, "^": true,
		"~": true, "<": true, ">": true, "(": true, ")": true, "[": true, "]": true, "{": true, "}": true,
		",": true, ":": true, ".": true, ";": true, "=": true, "!": true},
	{"**": true, "//": true, "<<": true, ">>": true, "<=": true, ">=": true, "==": true, "!=": true,
		"->": true, "+=": true, "-=": true, "*=": true, "/=": true, "%=": true, "@=": true, "&=": true,
		"|=": true, "^=": true, ":=": true},
	{"**=": true, "//=": true, "<<=": true, ">>=": true, "...": true},
}

// describe names a token in an error message.
func (t token) describe() string {
	switch t.kind {
	case end:
		return "the end of the text"
	case newline:
		return "the end of the line"
	case indent:
		return "an indented line"
	case dedent:
		return "the end of the block"
	case text, ftext:
		return "a string"
	case number:
		return "a number"
	}
	return "'" + t.text + "'"
}
