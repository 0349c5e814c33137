package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

func TestTokens(t *testing.T) {
	w := newWorld(t)
	link := token.TokenCreated{
		Intent: token.Recovery, Flow: "f", User: id("bob"), Identifier: "link", Expiring: true, Expires: start.Add(time.Hour),
		RevokeOnExecution: true, Producer: "email_stage", CredentialID: id("l"), Digest: domain.NewSecret("digest-2"),
	}
	w.append(stream("token", "t"), apiToken(), token.TokenUsed{At: start.Add(time.Minute)})
	w.append(stream("token", "l"), link)
	w.run()
	w.settle()
	api := projections.Token{
		ID: id("t"), Identifier: "My-token", Intent: token.API, User: id("ada"), Description: "what for", Created: start, LastUsed: start.Add(time.Minute),
	}
	got, total, err := w.tokens.List(t.Context(), projections.TokenFilter{}, "", projections.Page{})
	want := []projections.Token{api, {
		ID: id("l"), Identifier: "link", Intent: token.Recovery, Flow: "f", User: id("bob"), Expires: start.Add(time.Hour), Expiring: true,
		RevokeOnExecution: true, Created: start,
	}}
	if diff := cmp.Diff(want, got); diff != "" || total != 2 || err != nil {
		t.Errorf("%d, %v (-want +got):\n%s", total, err, diff)
	}
	for name, tt := range map[string]struct {
		digest string
		now    time.Time
		want   bool
	}{
		"a token works":                {"digest-1", start.AddDate(9, 0, 0), true},
		"a link works in time":         {"digest-2", start.Add(59 * time.Minute), true},
		"a link does not work later":   {"digest-2", start.Add(time.Hour), false},
		"another digest is none":       {"digest-3", start, false},
		"no digest is none":            {"", start, false},
		"a digest is no part of a SQL": {"' OR 1=1 --", start, false},
	} {
		if _, ok, err := w.tokens.ByDigest(t.Context(), tt.digest, tt.now); ok != tt.want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", name, ok, err, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		filter projections.TokenFilter
		want   int
	}{
		"intent": {projections.TokenFilter{Intent: token.API}, 1}, "user": {projections.TokenFilter{User: id("bob")}, 1},
		"search": {projections.TokenFilter{Search: "my"}, 1}, "identifier": {projections.TokenFilter{Identifier: "link"}, 1},
		"id": {projections.TokenFilter{ID: id("t")}, 1}, "time": {projections.TokenFilter{At: start.Add(2 * time.Hour)}, 1},
		"description": {projections.TokenFilter{Description: "what for"}, 1}, "part of it": {projections.TokenFilter{Search: "WHAT"}, 1},
		"expires": {projections.TokenFilter{Expires: start.Add(time.Hour)}, 1}, "expiring": {projections.TokenFilter{Expiring: new(true)}, 1},
		"not expiring": {projections.TokenFilter{Expiring: new(false)}, 1},
	} {
		if got, total, err := w.tokens.List(t.Context(), tt.filter, "-identifier", projections.Page{}); len(got) != tt.want || total != tt.want || err != nil {
			t.Errorf("by %s: %d of %d, %v, want %d", name, len(got), total, err, tt.want)
		}
	}
	if due, err := w.tokens.Due(t.Context(), start.Add(time.Hour), 9); err != nil || len(due) != 1 || due[0] != id("l") {
		t.Errorf("due: %v, %v", due, err)
	}
}

// A token that is changed or gets another key is found by what it has now.
func TestTokensChange(t *testing.T) {
	w := newWorld(t)
	to := token.Terms{
		Identifier: "renamed", Intent: token.AppPassword, User: id("bob"), Expires: start.Add(time.Hour), Expiring: true, Scope: []string{"a.b", "c.d"},
	}
	w.append(stream("token", "t"), apiToken())
	w.append(stream("token", "t"), token.TokenChanged{To: to, Description: "for bob", CredentialID: id("t")},
		token.TokenRotated{CredentialID: id("t"), Digest: domain.NewSecret("digest-9")})
	w.run()
	w.settle()
	want := projections.Token{
		ID: id("t"), Identifier: to.Identifier, Intent: to.Intent, User: to.User, Description: "for bob", Expires: to.Expires, Expiring: true,
		Scope: to.Scope, Created: start,
	}
	got, ok, err := w.tokens.ByDigest(t.Context(), "digest-9", start)
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v (-want +got):\n%s", ok, err, diff)
	}
	if _, ok, err := w.tokens.ByDigest(t.Context(), "digest-1", start); ok || err != nil {
		t.Errorf("the old key: %v, %v", ok, err)
	}
	for order, first := range map[string]string{"": "a", "-identifier": "renamed", "expires": "a", "-intent": "renamed", "nonsense": "a", "-user__username": "a"} {
		w.append(stream("token", "a"+order), token.TokenCreated{User: id("ada"), Identifier: "a", Intent: token.API, CredentialID: id("a" + order), Digest: domain.NewSecret("d")})
		w.settle()
		got, _, err := w.tokens.List(t.Context(), projections.TokenFilter{}, order, projections.Page{Limit: 1})
		if err != nil || len(got) != 1 || got[0].Identifier != first && order != "-user__username" {
			t.Errorf("by %q: %+v, %v", order, got, err)
		}
	}
}

func TestTokensEnd(t *testing.T) {
	w := newWorld(t)
	ends := map[string]codec.Event{
		"used": token.TokenUsed{At: start, Last: true}, "revoked": token.TokenRevoked{Cause: "admin"}, "expired": token.TokenExpired{},
	}
	for name, end := range ends {
		w.append(stream("token", name), apiToken())
		w.append(stream("token", name), end)
	}
	w.append(stream("token", "orphan"), apiToken())
	w.append(stream("user", "ada"), ada(), user.UserDeleted{Via: "admin"})
	w.append(stream("token", "viewed"), token.TokenCreated{User: id("bob"), Identifier: "v", CredentialID: "v", Digest: domain.NewSecret("d")}, token.TokenViewed{By: "x"})
	w.run()
	w.settle()
	got, _, err := w.tokens.List(t.Context(), projections.TokenFilter{}, "", projections.Page{})
	if err != nil || len(got) != 1 || got[0].Identifier != "v" {
		t.Errorf("left are %+v, %v", got, err)
	}
}

func TestSessions(t *testing.T) {
	w := newWorld(t)
	login(w)
	w.append(stream("user", "ada"), ada())
	w.append(stream("session", "anonymous"), session.SessionBegun{Kind: "browser", Begun: start, Expires: start.Add(time.Hour)})
	w.append(stream("session", "ended"), session.SessionBegun{Kind: "browser", Begun: start, Expires: start.Add(time.Hour)},
		session.SessionAuthenticated{User: id("ada"), Expires: start.Add(time.Hour)}, session.SessionRevoked{Cause: "admin"}, session.SessionEnded{Cause: "revoked"})
	w.run()
	w.settle()
	want := projections.Session{
		ID: id("s"), Kind: "browser", User: id("ada"), Generation: 1, Begun: start, Login: start.Add(time.Minute), Seen: start.Add(time.Minute),
		Expires: start.Add(20 * time.Hour), IP: "192.0.2.1", UserAgent: "agent",
	}
	got, ok, err := w.sessions.ByID(t.Context(), id("s"))
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v (-want +got):\n%s", ok, err, diff)
	}
	w.appendAs(codec.Meta{Network: session.Network{IP: "192.0.2.7"}}, stream("session", "s"), session.SessionSeen{At: start.Add(time.Hour)})
	w.settle()
	want.Seen, want.IP = start.Add(time.Hour), "192.0.2.7"
	got, _, _ = w.sessions.ByID(t.Context(), id("s"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("seen again (-want +got):\n%s", diff)
	}
	living, err := w.sessions.Living(t.Context(), id("ada"), start.Add(2*time.Hour))
	if diff := cmp.Diff([]stage.OtherSession{{ID: id("s"), IP: "192.0.2.7"}}, living); diff != "" || err != nil {
		t.Errorf("living %v (-want +got):\n%s", err, diff)
	}
	for _, none := range []struct {
		user string
		at   time.Time
	}{{"", start}, {id("bob"), start}, {id("ada"), start.Add(20 * time.Hour)}} {
		if living, err := w.sessions.Living(t.Context(), none.user, none.at); len(living) != 0 || err != nil {
			t.Errorf("%q lives at %s: %v, %v", none.user, none.at, living, err)
		}
	}
	if all, total, err := w.sessions.List(t.Context(), projections.SessionFilter{LoggedIn: true}, projections.Page{}); total != 1 || len(all) != 1 || err != nil {
		t.Errorf("%d logged in, %v, want 1", total, err)
	}
	for name, f := range map[string]projections.SessionFilter{
		"a word of the browser": {Search: "AGENT 192.0"}, "and of the user's name": {Search: "AD 192.0"}, "no word": {Search: "lynx"}, "an order": {Order: "-user__username"}, "another": {Order: "session__last_ip"},
	} {
		f.LoggedIn = true
		want := map[bool]int{true: 0, false: 1}[name == "no word"]
		if all, _, err := w.sessions.List(t.Context(), f, projections.Page{}); len(all) != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", name, len(all), err, want)
		}
	}
	if due, err := w.sessions.Due(t.Context(), start.Add(time.Hour), 9); err != nil || len(due) != 1 || due[0] != id("anonymous") {
		t.Errorf("due: %v, %v", due, err)
	}
	if _, ok, _ := w.sessions.ByID(t.Context(), id("ended")); ok {
		t.Error("an ended session is listed")
	}
}

// A session that nobody uses ends before its time.
func TestIdleSessions(t *testing.T) {
	w := newWorld(t)
	expires := start.AddDate(1, 0, 0)
	for name, browser := range map[string]bool{"kept": false, "browser": true} {
		w.append(stream("session", name), session.SessionBegun{Kind: "browser", Begun: start, Expires: expires},
			session.SessionAuthenticated{User: id("ada"), Login: start, Expires: expires, Browser: browser})
	}
	w.run()
	w.settle()
	for after, want := range map[time.Duration]int{
		session.IdleBrowser - time.Second: 2, session.IdleBrowser: 1, session.IdleKept - time.Second: 1, session.IdleKept: 0,
	} {
		living, err := w.sessions.Living(t.Context(), id("ada"), start.Add(after))
		due, dueErr := w.sessions.Due(t.Context(), start.Add(after), 9)
		if len(living) != want || len(due) != 2-want || err != nil || dueErr != nil {
			t.Errorf("after %s: %d live and %d are due, want %d, %v, %v", after, len(living), len(due), want, err, dueErr)
		}
	}
}
