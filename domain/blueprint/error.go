package blueprint

import (
	"fmt"
	"strings"
)

// An Error says what is wrong with a blueprint, and where. Message is the
// sentence alone, as the contract has it; the rest is its place. Neither ever
// holds the value of a secret field.
type Error struct {
	File    string
	Line    int // from 1; 0 when unknown
	Column  int // from 1; 0 when unknown
	Entry   int // from 1; 0 when no entry is to blame
	EntryID string
	Model   string
	Field   string
	Message string
	Hint    string // what the entry looked for in vain, which may be the reason
}

// Error implements error: file:line:column: entry 3 (id "x", model y), field z: message.
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.File, position(e.Line), position(e.Column)} {
		if part != "" {
			b.WriteString(part + ":")
		}
	}
	if b.Len() > 0 {
		b.WriteString(" ")
	}
	if e.Entry > 0 {
		fmt.Fprintf(&b, "entry %d", e.Entry)
		var about []string
		if e.EntryID != "" {
			about = append(about, fmt.Sprintf("id %q", e.EntryID))
		}
		if e.Model != "" {
			about = append(about, "model "+e.Model)
		}
		if len(about) > 0 {
			b.WriteString(" (" + strings.Join(about, ", ") + ")")
		}
		if e.Field != "" {
			b.WriteString(", field " + e.Field)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return clip(b.String())
}

// maxMessage bounds what an error repeats of the document.
const maxMessage = 4096

func clip(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage], "") + "…"
}

func position(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// A fault is what is wrong with one value of an entry; the entry's place is
// added where it is known. Field is empty when no field is to blame. A limit
// is never forgiven, not even in an entry that asks for an absence.
type fault struct {
	field   string
	message string
	limit   bool
}

func (f *fault) Error() string { return f.message }

func faultf(format string, args ...any) *fault {
	return &fault{message: clip(fmt.Sprintf(format, args...))}
}

func overLimit(format string, args ...any) *fault {
	return &fault{message: fmt.Sprintf(format, args...), limit: true}
}
