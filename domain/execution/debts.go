package execution

import (
	"maps"
	"slices"
	"strconv"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
)

// Debts are the effects that a decision asks for. What they write may be
// personal or secret, so it is sealed apart, by the effect's number.
type Debts struct {
	Effects       []Effect                  `json:"effects,omitempty"`
	EffectFields  map[string]map[string]any `json:"effect_fields,omitempty" seal:"T"`
	EffectSecrets map[string]domain.Secret  `json:"effect_secrets,omitempty" seal:"X"`
	// From where who logs in does: whoever pays later must bind the session to
	// that address, not to none.
	EffectIPs     map[string]string         `json:"effect_ips,omitempty" seal:"N"`
	EffectOrigins map[string]session.Origin `json:"effect_origins,omitempty" seal:"N"`
}

// Owing parts from effects what must not be in the clear.
func Owing(effects []Effect) Debts {
	d := Debts{Effects: effects}
	for i, e := range effects {
		n := strconv.Itoa(i)
		if a := e.Authenticate; a != nil && a.IP != "" {
			d.EffectIPs = with(d.EffectIPs, n, a.IP)
			if a.Origin != (session.Origin{}) {
				d.EffectOrigins = with(d.EffectOrigins, n, a.Origin)
			}
		}
		if fields := e.fields(); fields != nil {
			d.EffectFields = with(d.EffectFields, n, fields)
		}
		if secret := e.secret(); !secret.Empty() {
			d.EffectSecrets = with(d.EffectSecrets, n, secret)
		}
	}
	return d
}

func with[V any](m map[string]V, key string, v V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = v
	return m
}

// fields are what an effect writes that may be personal.
func (e Effect) fields() map[string]any {
	switch {
	case e.WriteUser != nil:
		return e.WriteUser.Fields
	case e.SendMail != nil && e.SendMail.Link != nil:
		fields := maps.Clone(e.SendMail.Fields)
		fields[pageField] = e.SendMail.Link.Page
		return fields
	case e.SendMail != nil:
		return e.SendMail.Fields
	case e.Record != nil:
		return e.Record.Context
	}
	return nil
}

// pageField is where the address of a link stands among what is sealed of its
// mail.
const pageField = "page"

// secret is what an effect writes that nobody may read.
func (e Effect) secret() domain.Secret {
	switch {
	case e.WriteUser != nil:
		return e.WriteUser.Password
	case e.Rehash != nil:
		return e.Rehash.Password
	case e.SendMail != nil && e.SendMail.Link != nil:
		return e.SendMail.Link.Key
	}
	return domain.Secret{}
}

// owed puts the effects together again with what was sealed apart.
func (d Debts) owed() []Effect {
	effects := slices.Clone(d.Effects)
	for i, e := range effects {
		n := strconv.Itoa(i)
		switch {
		case e.Authenticate != nil:
			a := *e.Authenticate
			a.IP, a.Origin = d.EffectIPs[n], d.EffectOrigins[n]
			effects[i].Authenticate = &a
		case e.WriteUser != nil:
			w := *e.WriteUser
			w.Fields, w.Password = d.EffectFields[n], d.EffectSecrets[n]
			effects[i].WriteUser = &w
		case e.Rehash != nil:
			r := *e.Rehash
			r.Password = d.EffectSecrets[n]
			effects[i].Rehash = &r
		case e.SendMail != nil:
			m := *e.SendMail
			m.Fields = d.EffectFields[n]
			if m.Link != nil {
				l := *m.Link
				m.Fields = maps.Clone(m.Fields)
				l.Page, _ = m.Fields[pageField].(string)
				delete(m.Fields, pageField)
				l.Key, m.Link = d.EffectSecrets[n], &l
			}
			effects[i].SendMail = &m
		case e.Record != nil:
			r := *e.Record
			r.Context = d.EffectFields[n]
			effects[i].Record = &r
		}
	}
	return effects
}

// promise notes what policies ask for: it is owed as soon as the decision that
// rests on their verdict is taken.
func (s State) promise(effects []Effect) State {
	if len(effects) > 0 {
		s.Promised = slices.Concat(s.Promised, effects)
	}
	return s
}

// owe ends a decision: what was owed before was paid before it was taken, and
// from here on it is what policies promised and what the decision itself asks
// for.
func (s State) owe(effects ...Effect) State {
	s.Owed = nil
	return s.oweToo(effects...)
}

// oweToo ends a decision that is taken in one go with the one before.
func (s State) oweToo(effects ...Effect) State {
	s.Owed, s.Promised = slices.Concat(s.Owed, s.Promised, effects), nil
	return s
}
