package codec

import "time"

// A Header says who caused an event, and on the way of what. It is clear:
// nothing personal is in it but pseudonymous ids (spec/events.md 2.2).
type Header struct {
	Tenant      string    `json:"tenant,omitempty"`
	Brand       string    `json:"brand,omitempty"`
	Actor       Actor     `json:"actor,omitzero"`
	Execution   string    `json:"execution,omitempty"`   // id of the execution that caused the event
	Correlation string    `json:"correlation,omitempty"` // id of what started it all
	Causation   string    `json:"causation,omitempty"`   // id of the event that led to this one
	Trace       string    `json:"trace,omitempty"`       // W3C trace id and span id
	Request     Request   `json:"request,omitzero"`
	OccurredAt  time.Time `json:"occurred_at,omitzero"` // only where it is far from the time of recording
	Writer      Writer    `json:"writer,omitzero"`
	Net         string    `json:"net,omitempty"` // id of the event that carries the network of this append
}

// An Actor is who acts: anonymous, user, admin, service, outpost, policy,
// blueprint or system.
type Actor struct {
	Kind            string `json:"kind"`
	ID              string `json:"id,omitempty"`
	Session         string `json:"session,omitempty"`
	Token           string `json:"token,omitempty"`            // id of the bearer token
	OnBehalfOf      string `json:"on_behalf_of,omitempty"`     // who is impersonated
	AuthenticatedAs string `json:"authenticated_as,omitempty"` // the browser's user, when the execution is about another
}

// A Request is the HTTP request that led to an event. Route is the pattern,
// for a raw path can hold anything.
type Request struct {
	ID     string `json:"id,omitempty"`
	Method string `json:"method,omitempty"`
	Route  string `json:"route,omitempty"`
}

// A Writer is the process that wrote an event.
type Writer struct {
	Version  string `json:"version,omitempty"`
	Instance string `json:"instance,omitempty"`
	Node     string `json:"node,omitempty"`
}
