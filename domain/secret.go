package domain

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// redacted is all that a secret shows of itself.
const redacted = "REDACTED"

// A Secret is a text that must not be seen: a typed password, a code, a key.
// However it is printed, logged or marshalled, it shows as REDACTED. Only
// [Secret.Reveal] gives it away, and only the codec stores it, sealed.
type Secret struct {
	text string
}

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text. Whoever calls it must not store or print it.
func (s Secret) Reveal() string { return s.text }

// Empty tells whether there is nothing inside.
func (s Secret) Empty() bool { return s.text == "" }

// Equal compares in constant time.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.text), []byte(t.text)) == 1
}

// String implements [fmt.Stringer].
func (Secret) String() string { return redacted }

// GoString implements [fmt.GoStringer].
func (Secret) GoString() string { return redacted }

// Format implements [fmt.Formatter], so that no verb reaches the field.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler], which JSON and YAML use.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// A Sealed class says what a sealed part of an event holds, and so when it
// dies (spec/events.md 6.1). Events name it in the struct tag seal.
type Sealed byte

// The classes.
const (
	Profile    Sealed = 'P' // state of a living person: name, e-mail, attributes
	Trace      Sealed = 'T' // what executions and changes mention of persons
	Network    Sealed = 'N' // addresses, agents, geography
	Credential Sealed = 'C' // hashes, seeds, keys
	Transient  Sealed = 'X' // secrets in flight within one execution
)
