package outside

// What tests see from outside.
var (
	Redirect   = redirect
	ParseRange = parseRange
)
