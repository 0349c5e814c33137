package expr

import (
	"strings"
	"unicode"
)

// policyFunctions are those of authentik's functions that need nothing from
// outside.
var policyFunctions = map[string]func(*Call) (Value, error){
	"regex_match":   policyRegexMatch,
	"regex_replace": policyRegexReplace,
	"list_flatten":  policyListFlatten,
	"slugify":       policySlugify,
	"ip_address":    makeAddress,
	"ip_network":    makeNetwork,
}

func policyRegexMatch(c *Call) (Value, error) {
	a, err := c.Bind("value", "regex")
	if err != nil {
		return nil, err
	}
	x, _, err := (&Call{c.Name, a[1:], nil, c.r}).pattern("")
	if err != nil {
		return nil, err
	}
	s, err := searched(a[0])
	if err != nil {
		return nil, err
	}
	m, err := c.r.find(x, "search", s)
	return Bool(m != nil), err
}

func policyRegexReplace(c *Call) (Value, error) {
	a, err := c.Bind("value", "regex", "repl")
	if err != nil {
		return nil, err
	}
	x, _, err := (&Call{c.Name, a[1:2], nil, c.r}).pattern("")
	if err != nil {
		return nil, err
	}
	s, err := searched(a[0])
	if err != nil {
		return nil, err
	}
	out, _, err := c.substitute(x, a[2], s, -1)
	return Str(out), err
}

func policyListFlatten(c *Call) (Value, error) {
	a, err := c.Bind("value")
	if err != nil {
		return nil, err
	}
	l, ok := a[0].(*List)
	switch {
	case !ok:
		return a[0], nil
	case len(l.items) == 0:
		return None, nil
	}
	return l.items[0], nil
}

// plainLetters takes the marks off the letters of European languages.
var plainLetters = marks(map[string]string{
	"a": "àáâãäåāăą", "c": "çćĉċč", "d": "ď", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥ", "i": "ìíîïĩīĭį",
	"j": "ĵ", "k": "ķ", "l": "ĺļľ", "n": "ñńņň", "o": "òóôõöōŏő", "r": "ŕŗř", "s": "śŝşšș", "t": "ţťț",
	"u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
})

func marks(letters map[string]string) *strings.Replacer {
	var pairs []string
	for plain, marked := range letters {
		for _, letter := range marked {
			pairs = append(pairs, string(letter), plain)
		}
	}
	return strings.NewReplacer(pairs...)
}

// policySlugify is Django's slugify: letters of ASCII, digits and hyphens.
func policySlugify(c *Call) (Value, error) {
	a, err := c.Bind("value")
	if err != nil {
		return nil, err
	}
	s, err := c.r.str(a[0])
	if err != nil {
		return nil, err
	}
	if err := c.r.work(8 * len(s)); err != nil {
		return nil, err
	}
	if err := c.r.grow(4 * len(s)); err != nil {
		return nil, err
	}
	var b strings.Builder
	gap := false
	for _, letter := range plainLetters.Replace(strings.ToLower(s)) {
		isWord := letter < 0x80 && (letter == '_' || unicode.IsLetter(letter) || unicode.IsDigit(letter))
		if isWord {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(letter)
			gap = false
		} else if letter == '-' || unicode.IsSpace(letter) {
			gap = true
		}
	}
	return c.r.text(strings.Trim(b.String(), "-_"))
}
