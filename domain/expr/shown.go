package expr

import "context"

// What writing one value for people may cost.
const (
	shownSteps  = 5_000
	shownMemory = 64 << 10
)

// Repr writes v as repr() does. What is too large, or nested too deeply, shows
// as its type.
func Repr(v Value) string {
	r := newRun(context.Background(), nil, &Env{Limits: Limits{Steps: shownSteps, Memory: shownMemory}})
	text, err := r.repr(v)
	if err != nil {
		return "<" + v.Type() + ">"
	}
	return text
}
