package siem

import (
	"encoding/json"
	"time"
)

// A line is an event as the API of the ledger shows it, and what belongs to it.
type line struct {
	Position   string          `json:"position"`
	Stream     string          `json:"stream"`
	Revision   int64           `json:"revision"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Schema     int             `json:"schema"`
	RecordedAt time.Time       `json:"recorded_at"`
	Header     json.RawMessage `json:"header"`
	Payload    json.RawMessage `json:"payload"`
	Sealed     int             `json:"sealed"`
	Flow       string          `json:"flow,omitempty"`
	Stage      string          `json:"stage,omitempty"`
	Network    *network        `json:"network,omitempty"`
	User       *person         `json:"user,omitempty"`
	Target     *person         `json:"target,omitempty"`
}

// A network is where a request came from.
type network struct {
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Country   string `json:"country,omitempty"`
	City      string `json:"city,omitempty"`
	ASN       int    `json:"asn,omitempty"`
	ASOrg     string `json:"as_org,omitempty"`
}

// A person is a user with names.
type person struct {
	ID       string `json:"id"`
	Username string `json:"username,omitempty"`
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
}

func appendJSONL(to []byte, r *Record, o Options) ([]byte, bool, error) {
	l := line{
		Position: r.Position.String(), Stream: string(r.Stream), Revision: int64(r.Revision), ID: r.ID.String(), Type: r.Type,
		Schema: r.Schema, RecordedAt: r.RecordedAt, Header: r.Recorded.Header, Payload: r.Payload, Sealed: len(r.Sealed),
		Flow: r.Slug, Stage: r.Stage.Name,
	}
	if o.Personal {
		if r.Personal != nil {
			l.Payload = r.Personal
		}
		l.Network, l.User, l.Target = networkOf(r), personOf(r.User), personOf(r.Target)
	}
	return appendJSON(to, l)
}

func networkOf(r *Record) *network {
	n := network{IP: r.Network.IP, UserAgent: r.Network.UserAgent}
	if p := r.Network.Place; p != nil {
		n.Country, n.City = p.Country, p.City
	}
	if s := r.Network.System; s != nil {
		n.ASN, n.ASOrg = s.Number, s.Name
	}
	if n == (network{}) {
		return nil
	}
	return &n
}

func personOf(p Person) *person {
	if p.ID == "" {
		return nil
	}
	return &person{ID: p.ID, Username: p.Username, Name: p.Name, Email: p.Email}
}
