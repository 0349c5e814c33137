// Package mail is the aggregate of one mail: who asked for it, which attempts
// there were, and what became of it. It knows no server; it renders what is
// sent, and stores only what that is made of.
package mail

import (
	"encoding/json"
	"net/mail"
	"strings"
	"unicode"

	"github.com/flowledger/flowledger/domain"
)

// The bounds of a mail. They leave room for the event that carries it.
const (
	maxRecipients = 50
	maxAddress    = 254 // RFC 5321, 4.5.3.1.3, without the angle brackets
	maxSubject    = 500 // in bytes
	maxContent    = 128 << 10
)

// Why a mail is given up before any attempt.
const (
	NoRecipient     = "no_recipient"
	BadAddress      = "bad_address"
	TooMany         = "too_many_recipients"
	BadSubject      = "bad_subject"
	TooLong         = "too_long"
	NoContent       = "no_content"
	UnknownTemplate = "unknown_template"
)

// Request asks for a mail. One that cannot be sent is given up at once, and
// the ledger says why: whoever asked for it has gone on already. Repeating it
// changes nothing.
type Request struct{ MailRequested }

// Decide implements [domain.Command].
func (c Request) Decide(s State) ([]Event, error) {
	if s.Status != "" {
		return nil, nil
	}
	e := c.MailRequested
	problem := e.Problem()
	if problem == "" {
		return []Event{e}, nil
	}
	if problem == TooLong || problem == TooMany {
		e.Message = Message{} // no event has room for it
	}
	return []Event{e, MailGivenUp{Code: problem}}, nil
}

// Problem says why a mail cannot be sent; empty if it can, as far as can be
// told without trying.
func (e MailRequested) Problem() string {
	recipients := len(e.To) + len(e.CC) + len(e.BCC)
	switch {
	case len(e.To) == 0:
		return NoRecipient
	case recipients > maxRecipients:
		return TooMany
	case e.size() > maxContent || len(e.Subject) > maxSubject:
		return TooLong
	case broken(e.Subject):
		return BadSubject
	case e.Template != "" && !Known(e.Template):
		return UnknownTemplate
	case (e.Template == "") == (e.Body == ""):
		return NoContent
	}
	for _, list := range [][]string{e.To, e.CC, e.BCC} {
		for _, text := range list {
			if _, err := Address(text); err != nil {
				return BadAddress
			}
		}
	}
	return ""
}

// size is how many bytes a message fills in its event: JSON spends six on
// each bracket of HTML.
func (m Message) size() int {
	text, err := json.Marshal(m)
	if err != nil {
		return maxContent + 1
	}
	return len(text)
}

// broken tells whether a text would end its header line, or hide something in
// it.
func broken(text string) bool {
	return strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text, "\u2028\u2029")
}

// Address reads an address, with or without a name. What does not stand on
// one line is none: the rest of it would become headers of its own.
func Address(text string) (*mail.Address, error) {
	if broken(text) {
		return nil, domain.Errorf(domain.Invalid, "An address stands on one line.")
	}
	a, err := mail.ParseAddress(text)
	// The error quotes the text, and an address that is longer than any may be
	// anything.
	if err != nil || len(a.Address) > maxAddress || broken(a.Name) || broken(a.Address) {
		return nil, domain.Errorf(domain.Invalid, "That is no mail address.")
	}
	return a, nil
}
