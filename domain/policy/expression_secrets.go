package policy

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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

// secretsOf are the secrets in the query of a page, such as the keys of links.
func secretsOf(query url.Values) (found []string) {
	for name, values := range query {
		for _, v := range values {
			if v != "" && execution.SecretKey(name) {
				found = append(found, v)
			}
		}
	}
	return found
}

// looks are the secrets as they may look in a text, the longest first.
func (e *evaluation) looks() []string {
	if len(e.secrets) > 0 && e.disguised == nil {
		e.disguised = disguises(e.secrets)
	}
	return e.disguised
}

// told is a text as it is recorded: without secrets, and cut at a limit. Of a
// long one no more is looked through than what may remain of it.
func (e *evaluation) told(text string, limit int) string {
	reach := 0
	if looks := e.looks(); len(looks) > 0 {
		reach = len(looks[0])
	}
	if len(text) <= limit+reach {
		return shorten(e.conceal(text), limit)
	}
	text = e.conceal(text[:limit+reach])
	text = text[:max(len(text)-reach, 0)] // which may be the beginning of a secret
	return shorten(text+"…", limit)
}

// conceal masks the secrets of the context in a text that is recorded: an
// expression sees what was typed, and the ledger must not (spec/events.md 4.1).
// It knows them as they were typed, as the language and its modules write them,
// and their usual digests. What else is made of them nobody can know.
func (e *evaluation) conceal(text string) string {
	for _, s := range e.looks() {
		if text == s {
			return masked
		}
		if len(s) >= shortSecret {
			text = strings.ReplaceAll(text, s, masked)
		}
	}
	return text
}

// repeats tells whether a text holds a secret. What the expression itself says,
// or what stands elsewhere in the clear, is none: somebody may have chosen it
// for a password, and nothing else may break for that.
func (e *evaluation) repeats(text string) bool {
	for _, s := range e.looks() {
		if (text == s || len(s) >= shortSecret && strings.Contains(text, s)) && !strings.Contains(e.inTheClear(), strings.ToLower(s)) {
			return true
		}
	}
	return false
}

// inTheClear are the texts that are no secrets, in lower case.
func (e *evaluation) inTheClear() string {
	if e.clear == "" {
		texts := []string{e.source, e.q.User.Username, e.q.User.Name, e.q.User.Email}
		if p := e.q.Pending; p != nil {
			texts = append(texts, p.Username, p.Name, p.Email)
		}
		e.clear = strings.ToLower(strings.Join(clearTexts(map[string]any(e.q.Context), texts), "\n"))
	}
	return e.clear
}

// clearTexts gathers the texts of a value that are no secrets.
func clearTexts(v any, found []string) []string {
	switch v := v.(type) {
	case string:
		found = append(found, v)
	case execution.Context:
		return clearTexts(map[string]any(v), found)
	case map[string]any:
		for key, item := range v {
			found = clearTexts(item, append(found, key))
		}
	case []any:
		for _, item := range v {
			found = clearTexts(item, found)
		}
	}
	return found
}

// disguises are secrets as they are, and as they look once somebody has
// quoted, escaped, encoded or hashed them, the longest first.
func disguises(secrets []string) []string {
	var out []string
	for i, s := range secrets {
		if slices.Contains(secrets[:i], s) {
			continue // it was typed twice
		}
		quoted := inside(inJSON(s))
		query := url.QueryEscape(s)
		looks := []string{
			s, strings.ToLower(s), strings.ToUpper(s), inside(expr.Repr(expr.Str(s))), strings.ReplaceAll(s, "'", `\'`),
			inside(expr.Repr(expr.Bytes(s))[1:]), quoted, inASCII(quoted), inHTML.Replace(s), inPattern(s),
			query, strings.ReplaceAll(query, "+", "%20"), strings.ReplaceAll(strings.ReplaceAll(query, "+", "%20"), "%2F", "/"), url.PathEscape(s),
		}
		if len(s) >= shortSecret {
			looks = append(looks, encoded(s)...)
		}
		for _, look := range looks {
			if !slices.Contains(out, look) {
				out = append(out, look)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// encoded are a secret's codes, from which everybody can read it, and its
// digests, from which the weak ones can be guessed; of the SHA-1 the part that
// the services for stolen passwords are not told.
func encoded(s string) []string {
	text := []byte(s)
	short, old, long := sha1.Sum(text), md5.Sum(text), sha256.Sum256(text)
	const told = 5
	out := []string{base64.RawStdEncoding.EncodeToString(text), base64.RawURLEncoding.EncodeToString(text)}
	for _, digits := range []string{
		hex.EncodeToString(text), hex.EncodeToString(short[:])[told:], hex.EncodeToString(old[:]), hex.EncodeToString(long[:]),
	} {
		out = append(out, digits, strings.ToUpper(digits))
	}
	return out
}

// inPattern escapes a text as the module re does.
func inPattern(s string) string {
	var b strings.Builder
	for _, letter := range s {
		if strings.ContainsRune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", letter) {
			b.WriteByte('\\')
		}
		b.WriteRune(letter)
	}
	return b.String()
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
