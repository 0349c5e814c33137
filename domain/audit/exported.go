package audit

// ObjectExported records that configured things left the house as a blueprint.
// It stands in a stream of its own, not in that of the thing: there it would
// look like a change, and clients that name a revision would be refused.
type ObjectExported struct {
	Kind   string `json:"kind"`   // of the thing that was asked for
	Object string `json:"object"` // its id
	Name   string `json:"name"`
	Count  int    `json:"count"`        // things in the file
	Digest string `json:"digest"`       // SHA-256 of the file, in hexadecimal digits
	By     string `json:"by,omitempty"` // empty for somebody with the data folder
}

// EventType implements [domain.Event].
func (ObjectExported) EventType() string { return "ObjectExported" }

// Evolve implements [domain.Event].
func (ObjectExported) Evolve(State) State { return State{Written: true} }
