package invitation

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Fields are what is to be written of an invitation, by the contract's names.
// What is missing stays, or has its default on a new one.
type Fields map[string]any

// over returns the terms with the fields set over them. The fields were
// cleaned before; a value of another type counts as none.
func (f Fields) over(t Terms) Terms {
	for name, v := range f {
		switch name {
		case "name":
			t.Name, _ = v.(string)
		case "flow":
			t.Flow, _ = v.(string)
		case "single_use":
			t.SingleUse, _ = v.(bool)
		case "expires":
			text, _ := v.(string)
			t.Expires, _ = time.Parse(time.RFC3339Nano, text)
		case "fixed_data":
			t.FixedData, _ = v.(map[string]any)
		}
	}
	return t
}

// differ lists the fields in which two terms differ.
func differ(a, b Terms) []string {
	var fields []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", a.Name == b.Name},
		{"flow", a.Flow == b.Flow},
		{"single_use", a.SingleUse == b.SingleUse},
		{"expires", a.Expires.Equal(b.Expires)},
		{"fixed_data", sameData(a.FixedData, b.FixedData)},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// sameData compares as JSON does. Without any data, nothing is as good as an
// empty map.
func sameData(a, b map[string]any) bool {
	if len(a)+len(b) == 0 {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// changed says in an event what the terms were that it changes.
func changed(old Terms, e InvitationCreated) InvitationCreated {
	e.Before = &Before{}
	for _, name := range e.Changed {
		switch name {
		case "name":
			e.PreviousName = old.Name
		case "flow":
			e.Before.Flow = &old.Flow
		case "single_use":
			e.Before.SingleUse = &old.SingleUse
		case "expires":
			e.Before.Expires = &old.Expires
		case "fixed_data":
			e.PreviousData = old.FixedData
		}
	}
	if *e.Before == (Before{}) {
		e.Before = nil
	}
	return e
}

// Write makes an invitation, or changes one that is open. What is the same
// already is nothing to do.
type Write struct {
	Fields Fields
	By     string
	Via    string
}

// Decide implements [domain.Command].
func (c Write) Decide(s State) ([]Event, error) {
	terms := c.Fields.over(s.Terms)
	if terms.Name == "" {
		return nil, domain.Errorf(domain.Invalid, "An invitation needs a name.")
	}
	switch s.Status {
	case "":
		return []Event{InvitationCreated{Terms: terms, By: c.By, Via: c.Via}}, nil
	case Open:
		if fields := differ(s.Terms, terms); fields != nil {
			return []Event{changed(s.Terms, InvitationCreated{Terms: terms, Changed: fields, By: c.By, Via: c.Via})}, nil
		}
		return nil, nil
	}
	return nil, domain.Errorf(domain.NotFound, "There is no such invitation.")
}
