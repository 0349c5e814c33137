package session_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/session"
)

type spec = domaintest.Spec[session.State]

func given(events ...session.Event) []session.Event { return events }

var (
	now   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	later = now.Add(30 * 24 * time.Hour)
	flow  = domain.Ref{ID: "f", Kind: "authentik_flows.flow", Revision: 3, Name: "login"}

	north, east = 52.5, 13.4

	origin = session.Origin{
		Place:  &session.Place{Continent: "EU", Country: "DE", Lat: &north, Long: &east, City: "Berlin"},
		System: &session.System{Number: 64500, Name: "Example", Network: "192.0.2.0/24"},
	}

	begun    = session.SessionBegun{Kind: "browser", Begun: now, Expires: later}
	attached = session.SessionExecutionAttached{Execution: "x1", Flow: flow}
	loggedIn = session.SessionAuthenticated{
		User: "u", Execution: "x1", Login: now, Expires: later, Browser: true,
		Bound: session.Binding{Network: "bind_asn"}, IP: "192.0.2.1", Place: origin.Place, System: origin.System,
	}
	kept  = session.SessionAuthenticated{User: "u", Execution: "x1", Login: now, Expires: later}
	ended = session.SessionEnded{Cause: "revoked"}
)

func TestBegin(t *testing.T) {
	command := session.Begin{Kind: "browser", Now: now, Expires: later}
	domaintest.Run(t, map[string]spec{
		"a session begins":                 {When: command, Then: given(begun)},
		"a session begins once":            {Given: given(begun), When: command, Fails: domain.Conflict},
		"a session that ended stays ended": {Given: given(begun, ended), When: command, Fails: domain.Conflict},
	})
}

func TestAttach(t *testing.T) {
	command := session.Attach{Execution: "x2", Flow: flow}
	other := domain.Ref{ID: "g"}
	domaintest.Run(t, map[string]spec{
		"an execution becomes the current one of its flow": {
			Given: given(begun), When: command, Then: given(session.SessionExecutionAttached{Execution: "x2", Flow: flow}),
		},
		"a second execution of a flow replaces the first": {
			Given: given(begun, attached), When: command,
			Then: given(session.SessionExecutionAttached{Execution: "x2", Flow: flow, Replaces: "x1"}),
		},
		"executions of other flows are left alone": {
			Given: given(begun, attached), When: session.Attach{Execution: "x2", Flow: other},
			Then: given(session.SessionExecutionAttached{Execution: "x2", Flow: other}),
		},
		"attaching the current execution is nothing to do":  {Given: given(begun, attached), When: session.Attach{Execution: "x1", Flow: flow}},
		"nothing is attached to a session that is over":     {Given: given(begun, ended), When: command, Fails: domain.Expired},
		"nothing is attached to a session that never began": {When: command, Fails: domain.Expired},
	})
}

func TestAuthenticate(t *testing.T) {
	command := session.Authenticate{
		User: "u", Execution: "x1", Expires: later, Browser: true, Bound: session.Binding{Network: "bind_asn"}, IP: "192.0.2.1", Now: now,
		Origin: origin,
	}
	again := command
	again.User, again.Execution = "v", "x2"
	changed := loggedIn
	changed.User, changed.Execution = "v", "x2"
	domaintest.Run(t, map[string]spec{
		"a user is logged in":                               {Given: given(begun), When: command, Then: given(loggedIn)},
		"what an execution decided is done once":            {Given: given(begun, loggedIn), When: command},
		"also when the session has ended meanwhile":         {Given: given(begun, loggedIn, ended), When: command},
		"another execution may log another user in":         {Given: given(begun, loggedIn), When: again, Then: given(changed)},
		"a late repeat does not put the first one back":     {Given: given(begun, loggedIn, changed), When: command},
		"nobody is logged in to a session that is over":     {Given: given(begun, ended), When: command, Fails: domain.Expired},
		"nobody is logged in to a session that never began": {When: command, Fails: domain.Expired},
	})
}

func TestSee(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"use is recorded after a quarter of an hour": {
			Given: given(begun), When: session.See{Now: now.Add(session.SeenEvery)},
			Then: given(session.SessionSeen{At: now.Add(session.SeenEvery)}),
		},
		"use is not recorded more often": {Given: given(begun), When: session.See{Now: now.Add(session.SeenEvery - 1)}},
		"the quarter counts from the last record": {
			Given: given(begun, session.SessionSeen{At: now.Add(time.Hour)}), When: session.See{Now: now.Add(time.Hour + time.Minute)},
		},
		"a tied session that moves is seen sooner": {
			Given: given(begun, loggedIn), When: session.See{IP: "192.0.2.2", Now: now.Add(session.MovedEvery)},
			Then: given(session.SessionSeen{At: now.Add(session.MovedEvery), IP: "192.0.2.2"}),
		},
		"but not all the time":               {Given: given(begun, loggedIn), When: session.See{IP: "192.0.2.2", Now: now.Add(session.MovedEvery - 1)}},
		"nor when it stays":                  {Given: given(begun, loggedIn), When: session.See{IP: "192.0.2.1", Now: now.Add(session.MovedEvery)}},
		"nor when it has moved":              {Given: given(begun, loggedIn, session.SessionSeen{At: now, IP: "192.0.2.2"}), When: session.See{IP: "192.0.2.2", Now: now.Add(session.MovedEvery)}},
		"one that is not tied is not":        {Given: given(begun, kept), When: session.See{IP: "192.0.2.2", Now: now.Add(session.MovedEvery)}},
		"a session that is over is not used": {Given: given(begun, ended), When: session.See{Now: now.Add(time.Hour)}, Fails: domain.Expired},
	})
}

func TestBreak(t *testing.T) {
	command := session.Break{Reason: "network.asn", Mode: "bind_asn", Previous: "64500", New: "64501"}
	domaintest.Run(t, map[string]spec{
		"a session in the wrong network is revoked": {Given: given(begun, loggedIn), When: command, Then: given(
			session.SessionBindingBroken{Reason: "network.asn", Mode: "bind_asn", Previous: "64500", New: "64501"},
			session.SessionRevoked{Cause: "binding"}, ended,
		)},
		"a session breaks once": {Given: given(begun, ended), When: command},
	})
}

func TestLogOut(t *testing.T) {
	command := session.LogOut{Execution: "x2", Cause: "user"}
	keep := session.LogOut{Execution: "x2", Cause: "user", Keep: true}
	domaintest.Run(t, map[string]spec{
		"the user leaves and the session ends": {Given: given(begun, loggedIn), When: command, Then: given(
			session.SessionLoggedOut{User: "u", Execution: "x2", Cause: "user"}, session.SessionEnded{Cause: "logged_out"},
		)},
		"nobody can leave, too": {Given: given(begun), When: command, Then: given(
			session.SessionLoggedOut{Execution: "x2", Cause: "user"}, session.SessionEnded{Cause: "logged_out"},
		)},
		"a session is kept for the stages that follow": {Given: given(begun, loggedIn), When: keep, Then: given(
			session.SessionLoggedOut{User: "u", Execution: "x2", Cause: "user"},
		)},
		"there is nothing to do where nobody is logged in and the session is kept": {Given: given(begun), When: keep},
		"leaving twice is leaving": {Given: given(begun, ended), When: command},
		"a late repeat does not log out who came since": {
			Given: given(begun, loggedIn, session.SessionLoggedOut{User: "u", Execution: "x2", Cause: "user"}, loggedIn), When: keep,
		},
	})
}

func TestRevoke(t *testing.T) {
	command := session.Revoke{By: "admin", Cause: "admin"}
	domaintest.Run(t, map[string]spec{
		"a session is revoked": {
			Given: given(begun), When: command, Then: given(session.SessionRevoked{By: "admin", Cause: "admin"}, ended),
		},
		"what is over is not revoked":     {Given: given(begun, ended), When: command},
		"what never began is not revoked": {When: command},
	})
}

func TestExpire(t *testing.T) {
	expired := given(session.SessionEnded{Cause: "expired"})
	idle := given(session.SessionEnded{Cause: "idle"})
	domaintest.Run(t, map[string]spec{
		"a session ends when its time is over":         {Given: given(begun), When: session.Expire{Now: later}, Then: expired},
		"a session that nobody uses ends after a week": {Given: given(begun, kept), When: session.Expire{Now: now.Add(session.IdleKept)}, Then: idle},
		"one of the browser ends after half a day":     {Given: given(begun, loggedIn), When: session.Expire{Now: now.Add(session.IdleBrowser)}, Then: idle},
		"one of the browser lives until then":          {Given: given(begun, loggedIn), When: session.Expire{Now: now.Add(session.IdleBrowser - 1)}},
		"use keeps a session alive": {
			Given: given(begun, kept, session.SessionSeen{At: now.Add(session.IdleKept)}), When: session.Expire{Now: now.Add(session.IdleKept + time.Hour)},
		},
		"what is over does not end again": {Given: given(begun, ended), When: session.Expire{Now: later}},
		"what never began does not end":   {When: session.Expire{Now: later}},
	})
}

func TestWhoIsLoggedIn(t *testing.T) {
	tests := map[string]struct {
		events        []session.Event
		at            time.Time
		living, proof bool
	}{
		"a stranger's session lives and proves nobody": {given(begun), now, true, false},
		"after a login it proves the user":             {given(begun, loggedIn), now, true, true},
		"not when it is over":                          {given(begun, loggedIn, ended), now, false, false},
		"not when its time is over":                    {given(begun, loggedIn), later, false, false},
		"not when nobody used it":                      {given(begun, loggedIn), now.Add(session.IdleBrowser), false, false},
		"a session that never was proves nobody":       {nil, now, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := domain.Fold(session.State{}, tt.events...)
			if s.Living(tt.at) != tt.living || s.Authenticated(tt.at) != tt.proof {
				t.Errorf("living %t, authenticated %t; want %t, %t", s.Living(tt.at), s.Authenticated(tt.at), tt.living, tt.proof)
			}
		})
	}
}

func TestStateOfALife(t *testing.T) {
	s := domain.Fold(session.State{}, begun, attached, loggedIn)
	want := session.State{
		Status: session.Alive, Kind: "browser", User: "u", Execution: "x1", Generation: 1, Expires: later, Begun: now, Login: now,
		Seen: now, Browser: true, Bound: session.Binding{Network: "bind_asn"}, IP: "192.0.2.1", Flows: map[string]string{"f": "x1"},
		Logins: map[string]bool{"x1": true}, Origin: origin, LastIP: "192.0.2.1",
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("after a login (-want +got):\n%s", diff)
	}
	next := domain.Fold[session.State](s, session.SessionExecutionAttached{Execution: "x2", Flow: flow})
	if s.Flows["f"] != "x1" || next.Flows["f"] != "x2" {
		t.Error("an event writes the state that it was folded over")
	}
	for _, e := range given(session.SessionBindingBroken{Reason: "network.asn"}, session.SessionRevoked{Cause: "admin"}) {
		if diff := cmp.Diff(s, e.Evolve(s)); diff != "" {
			t.Errorf("%s changes the state by itself:\n%s", e.EventType(), diff)
		}
	}
	out := domain.Fold[session.State](s, session.SessionLoggedOut{User: "u", Cause: "user"})
	if out.User != "" || out.Generation != s.Generation+1 || out.Authenticated(now) || !out.Living(now) {
		t.Errorf("after leaving: %+v", out)
	}
	over := domain.Fold[session.State](s, ended)
	if over.User != "u" || over.Flows != nil || over.Cause != "revoked" || over.Status != session.Ended {
		t.Errorf("at its end: %+v", over)
	}
}
