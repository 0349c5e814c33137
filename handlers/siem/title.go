package siem

import (
	"strings"
	"sync"
	"unicode"
)

// titles remembers the title of each type.
var titles sync.Map

// title makes a sentence of an event type: UserLoggedIn is User logged in.
func title(typ string) string {
	if t, ok := titles.Load(typ); ok {
		return t.(string)
	}
	var b strings.Builder
	for i, r := range typ {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	t := b.String()
	titles.Store(typ, t)
	return t
}
