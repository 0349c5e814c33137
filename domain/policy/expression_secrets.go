package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// shortSecret is a length below which a secret is looked for only as a whole:
// a letter that is one would blank out all others.
const shortSecret = 4

// secretTexts gathers the secrets that a value holds.
func secretTexts(v any, found []string) []string {
	switch v := v.(type) {
	case domain.Secret:
		if !v.Empty() {
			found = append(found, v.Reveal())
		}
	case execution.Context:
		return secretTexts(map[string]any(v), found)
	case map[string]any:
		for _, item := range v {
			found = secretTexts(item, found)
		}
	case []any:
		for _, item := range v {
			found = secretTexts(item, found)
		}
	}
	return found
}

// conceal masks the secrets of the context in a text that is recorded: an
// expression sees what was typed, and the ledger must not (spec/events.md 4.1).
func (e *evaluation) conceal(text string) string {
	for _, s := range e.secrets {
		if text == s {
			return masked
		}
		if len(s) >= shortSecret {
			text = strings.ReplaceAll(text, s, masked)
		}
	}
	return text
}

// kept makes secrets again of the texts that were secrets before an expression
// saw them, and that it left where they were.
func kept(before, after any) any {
	switch b := before.(type) {
	case domain.Secret:
		if after == b.Reveal() {
			return b
		}
	case execution.Context:
		return kept(map[string]any(b), after)
	case map[string]any:
		if m, ok := after.(map[string]any); ok {
			for k := range m {
				m[k] = kept(b[k], m[k])
			}
		}
	}
	return after
}
