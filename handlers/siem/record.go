package siem

import (
	"encoding/json"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A Record is what formats show of an event. The embedded event is decoded
// without its sealed parts, so that no format can show one by mistake.
type Record struct {
	codec.Decoded

	// Network is where the request came from that led to the event, by the
	// append's first event. It is zero unless personal data are wanted.
	Network session.Network

	// Flow, Slug and Designation are those of the execution that the event
	// belongs to; zero where there is none.
	Flow        domain.Ref
	Slug        string
	Designation string

	Stage   domain.Ref // at which the execution was
	Policy  domain.Ref // that decided against the client, of a denial
	Session string     // id of the browser session, where one is known

	// Login tells of a PolicyDenied that it kept the client from a stage that
	// logs users in.
	Login bool

	Owner  string // id of the user whose session, token or consent it is
	Intent string // of a token

	User   Person // who acted or was to log in
	Target Person // whom it was about, where that is somebody else

	// Personal is the payload with what is sealed in it as class P or N; nil
	// unless personal data are wanted.
	Personal json.RawMessage
}

// A Person is a user as records name one. Name and Email are empty unless
// personal data are wanted and remembered.
type Person struct {
	ID       string
	Username string
	Name     string
	Email    string
}
