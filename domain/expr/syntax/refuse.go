package syntax

import "strings"

// refused says, for what Python has and the language has not, what to write
// instead.
var refused = map[string]string{
	"with":   "'with' is not available in expressions: there is nothing to open or close; use try … finally",
	"class":  "'class' is not available in expressions: use a dict or a tuple for data and def for code",
	"async":  "'async' is not available in expressions: everything runs in order; leave it out",
	"await":  "'await' is not available in expressions: everything runs in order; leave it out",
	"yield":  "'yield' is not available in expressions: append to a list and return it, or use a generator expression",
	"global": "'global' is not available in expressions: return the value, or use nonlocal for a variable around a def",
	"match":  "'match' is not available in expressions: use if … elif … else",
	"type":   "'type' aliases are not available in expressions: leave the statement out",
	"@":      "decorators are not available in expressions: call the function on the result of def",
	"@=":     "matrix multiplication is not available in expressions",
}

// otherwise is what other languages write, with what to write instead.
var otherwise = map[string]string{
	"&": "write and", "|": "write or", "!": "write not", "//": "a comment begins with #", "=": "to compare, write ==",
}

// checkName refuses the names through which Python reaches its own inside.
func checkName(id string, pos Pos) error {
	if !strings.HasPrefix(id, "__") || !strings.HasSuffix(id, "__") || id == "__name__" {
		return nil
	}
	advice := "leave it out"
	switch id {
	case "__class__":
		advice = "use type(x) or isinstance(x, …)"
	case "__import__":
		advice = "use the import statement"
	case "__dict__", "__getattribute__", "__getattr__":
		advice = "use getattr(x, name, default)"
	case "__len__", "__str__", "__repr__", "__iter__", "__next__", "__hash__":
		advice = "use " + strings.Trim(id, "_") + "(x)"
	}
	return errorAt(pos, "'%s' is not available in expressions: %s", id, advice)
}
