package mail

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is one mail.
type State struct {
	Status   Status
	Request  MailRequested
	Attempts int       // that failed
	RetryAt  time.Time // when the next attempt is due
}

// A Status tells what became of a mail.
type Status string

// The statuses. The zero one is a mail that nobody asked for.
const (
	Pending Status = "pending"
	Sent    Status = "sent"
	GivenUp Status = "given_up"
)

// An Event is something that happened to a mail.
type Event = domain.Event[State]

// A Message is what somebody wants to say to whom, before it is rendered:
// either a body, which is HTML, or a template with its variables.
type Message struct {
	To        []string       `json:"to,omitempty" seal:"T"`
	CC        []string       `json:"cc,omitempty" seal:"T"`
	BCC       []string       `json:"bcc,omitempty" seal:"T"`
	Subject   string         `json:"subject,omitempty" seal:"T"`
	Body      string         `json:"body,omitempty" seal:"T"`
	Variables map[string]any `json:"variables,omitempty" seal:"T"`
}

// MailRequested records that a mail is to be sent.
type MailRequested struct {
	Message
	Mail      string      `json:"mail"` // id of this mail
	Purpose   string      `json:"purpose"`
	Template  string      `json:"template,omitempty"`
	Stage     *domain.Ref `json:"stage,omitempty"` // whose connection and sender it uses; none for the server's
	Brand     string      `json:"brand,omitempty"` // its title
	User      string      `json:"user,omitempty"`  // id of whom it is about
	Execution string      `json:"execution,omitempty"`

	// What proves something to whoever holds it. It has a key of its own,
	// which is destroyed when the mail is on its way.
	Link domain.Secret `json:"link" seal:"X"`
	Code domain.Secret `json:"code" seal:"X"`
}

// EventType implements [domain.Event].
func (MailRequested) EventType() string { return "MailRequested" }

// SealTransient names the key of the link and the code: the execution that
// asked may be over before the mail is sent, and its own key is gone then.
func (e MailRequested) SealTransient() string { return SecretsOf(e.Mail) }

// SecretsOf names the key that seals the secrets in a mail.
func SecretsOf(id string) string { return "mail:" + id }

// Evolve implements [domain.Event].
func (e MailRequested) Evolve(State) State { return State{Status: Pending, Request: e} }

// MailSent records that a server took the mail. Whether it arrives is that
// server's business.
type MailSent struct {
	Provider     string   `json:"provider"`              // smtp, or console in development
	ProviderID   string   `json:"provider_id,omitempty"` // what the server calls it
	Milliseconds int64    `json:"ms"`
	Attempt      int      `json:"attempt"`
	User         string   `json:"user,omitempty"`
	From         string   `json:"from,omitempty"` // the installation's own address
	To           []string `json:"to,omitempty" seal:"T"`
	Subject      string   `json:"subject,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (MailSent) EventType() string { return "MailSent" }

// Evolve implements [domain.Event].
func (MailSent) Evolve(s State) State {
	s.Status = Sent
	return s
}

// MailFailed records an attempt that came to nothing.
type MailFailed struct {
	Attempt   int       `json:"attempt"` // from 1
	Code      string    `json:"code"`
	Transient bool      `json:"transient"`
	RetryAt   time.Time `json:"retry_at,omitzero"`
	Detail    string    `json:"detail,omitempty" seal:"T"` // may quote addresses
}

// EventType implements [domain.Event].
func (MailFailed) EventType() string { return "MailFailed" }

// Evolve implements [domain.Event].
func (e MailFailed) Evolve(s State) State {
	s.Attempts, s.RetryAt = e.Attempt, e.RetryAt
	return s
}

// MailGivenUp records that the mail will not be sent.
type MailGivenUp struct {
	Code     string `json:"code"`
	Attempts int    `json:"attempts"`
}

// EventType implements [domain.Event].
func (MailGivenUp) EventType() string { return "MailGivenUp" }

// Evolve implements [domain.Event].
func (MailGivenUp) Evolve(s State) State {
	s.Status = GivenUp
	return s
}
