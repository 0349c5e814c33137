package execution

// Made is a context that somebody made up: texts under names of secrets are
// secrets in it.
func Made(m map[string]any) Context { return Context{}.with(Learn(m)) }
