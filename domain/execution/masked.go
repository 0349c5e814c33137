package execution

import "github.com/flowledger/flowledger/domain"

// mask is what is shown of a secret (spec/flows.md 11.4).
const mask = "********************"

// Masked returns the context as it may be looked at: a mask in the place of
// each secret, whatever it is the secret of.
func (c Context) Masked() Context {
	paths := c.secretPaths()
	if len(paths) == 0 {
		return c
	}
	out := make(Context, len(c))
	for key, v := range c {
		out[key] = v
	}
	for _, path := range paths {
		put(out, splitPath(path), mask)
	}
	return out
}

// Cleansed is [Context.Masked] for those who know the context's shape only:
// what has the name of a secret is masked as one, whoever wrote it, and lists
// lose what is empty in them (spec/flows.md 11.4, 11.5).
func (c Context) Cleansed() map[string]any {
	out := make(map[string]any, len(c))
	for key, v := range c {
		if sealedWhole[key] {
			v = mask
		}
		out[key] = cleansed(key, v)
	}
	return out
}

func cleansed(key string, v any) any {
	switch v := v.(type) {
	case domain.Secret:
		return mask
	case Context:
		return v.Cleansed()
	case map[string]any:
		return Context(v).Cleansed()
	case []any:
		out := []any{}
		for _, item := range v {
			if shown := cleansed(key, item); !falsy(shown) {
				out = append(out, shown)
			}
		}
		return out
	case nil:
		return nil
	}
	if SecretKey(key) {
		return mask
	}
	return v
}

// falsy is what the contract's program takes for nothing.
func falsy(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case float64:
		return v == 0
	case int:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
