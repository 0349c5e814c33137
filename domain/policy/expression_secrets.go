package policy

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
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
	if len(e.secrets) > 0 && e.disguised == nil {
		e.disguised = disguises(e.secrets)
	}
	for _, s := range e.disguised {
		if text == s {
			return masked
		}
		if len(s) >= shortSecret {
			text = strings.ReplaceAll(text, s, masked)
		}
	}
	return text
}

// disguises are secrets as they are, and as they look once somebody has quoted
// or escaped them, the longest first.
func disguises(secrets []string) []string {
	var out []string
	for _, s := range secrets {
		quoted := inside(inJSON(s))
		query := url.QueryEscape(s)
		for _, look := range []string{
			s, inside(expr.Repr(expr.Str(s))), strings.ReplaceAll(s, "'", `\'`), quoted, inASCII(quoted), inHTML.Replace(s),
			query, strings.ReplaceAll(query, "+", "%20"), strings.ReplaceAll(strings.ReplaceAll(query, "+", "%20"), "%2F", "/"), url.PathEscape(s),
		} {
			if !slices.Contains(out, look) {
				out = append(out, look)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// inJSON writes a text as the module json does where it keeps all letters.
func inJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

// inASCII writes what is not ASCII as JSON can.
func inASCII(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		if unit < 0x80 {
			b.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// inHTML escapes as Django does.
var inHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")

// inside is a text without its quotes.
func inside(quoted string) string {
	if len(quoted) < 2 {
		return quoted
	}
	return quoted[1 : len(quoted)-1]
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
