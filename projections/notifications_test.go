package projections_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// withNotifications reopens a world with the read model of notifications.
func withNotifications(w *world) *projections.Notifications {
	w.t.Helper()
	w.close()
	v := must[*projections.Views](w.t.(*testing.T))(projections.Open(w.path + ".more"))
	n := projections.NewNotifications(v)
	runner, err := projections.NewRunner(w.store, w.codec, v, w.log, n)
	if err != nil {
		w.t.Fatal(err)
	}
	w.runner, w.close = runner, func() { _ = v.Close() }
	w.t.Cleanup(w.close)
	return n
}

func TestNotifications(t *testing.T) {
	w := newWorld(t)
	n := withNotifications(w)
	raise := func(letter, who, event, severity string) {
		w.clock = w.clock.Add(time.Minute)
		w.append(stream("notification", letter), notification.NotificationRaised{User: id(who), Event: id(event), Severity: severity, Body: "told to " + who})
	}
	raise("a", "ada", "e", "notice")
	raise("b", "ada", "f", "alert")
	raise("c", "ada", "e", "warning")
	raise("d", "bob", "e", "notice")
	raise("gone", "ada", "e", "notice")
	w.append(stream("notification", "gone"), notification.NotificationRemoved{})
	w.append(stream("notification", "a"), notification.NotificationSeen{})
	w.append(stream("notification", "b"), notification.NotificationSeen{})
	w.append(stream("notification", "b"), notification.NotificationUnseen{})
	w.run()
	w.settle()
	letters := map[string]string{id("a"): "a", id("b"): "b", id("c"): "c", id("d"): "d"}
	yes, no := true, false
	at := start.Add(2 * time.Minute)
	for name, tt := range map[string]struct {
		filter projections.NotificationFilter
		order  string
		want   string
	}{
		"all of ada's, the newest first": {projections.NotificationFilter{}, "", "cba"},
		"the oldest first":               {projections.NotificationFilter{}, "created", "abc"},
		"by severity":                    {projections.NotificationFilter{}, "severity", "bac"},
		"the seen last":                  {projections.NotificationFilter{}, "seen", "cba"},
		"the seen first":                 {projections.NotificationFilter{}, "-seen", "acb"},
		"an order that is none":          {projections.NotificationFilter{}, "1; DROP TABLE", "cba"},
		"seen":                           {projections.NotificationFilter{Seen: &yes}, "", "a"},
		"unseen":                         {projections.NotificationFilter{Seen: &no}, "", "cb"},
		"of an event":                    {projections.NotificationFilter{Event: id("e")}, "", "ca"},
		"of a severity":                  {projections.NotificationFilter{Severity: "alert"}, "", "b"},
		"of a time":                      {projections.NotificationFilter{From: at, Until: at.Add(time.Second)}, "", "b"},
		"one":                            {projections.NotificationFilter{ID: id("c")}, "", "c"},
		"bob's":                          {projections.NotificationFilter{User: id("bob")}, "", "d"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.filter.User == "" {
				tt.filter.User = id("ada")
			}
			found, total, err := n.List(t.Context(), tt.filter, tt.order, projections.Page{})
			got := ""
			for _, one := range found {
				got += letters[one.ID]
			}
			if err != nil || got != tt.want || total != len(tt.want) {
				t.Errorf("got %q of %d, %v, want %q", got, total, err, tt.want)
			}
		})
	}
	if found, total, err := n.List(t.Context(), projections.NotificationFilter{}, "", projections.Page{}); len(found) != 0 || total != 0 || err != nil {
		t.Errorf("nobody has %d notifications, %v", total, err)
	}
	if rows := dump(t, w.path+".more")["notifications"]; len(rows) != 4 || strings.Contains(strings.Join(rows, "\n"), "told to") {
		t.Errorf("what is kept of notifications: %v", rows)
	}
	w.append(stream("user", "ada"), user.UserDeleted{})
	w.settle()
	if _, total, err := n.List(t.Context(), projections.NotificationFilter{User: id("ada")}, "", projections.Page{}); total != 0 || err != nil {
		t.Errorf("who is gone has %d notifications, %v", total, err)
	}
}

// TestReportable holds what is told from the clear part of events against what
// the index makes of the whole.
func TestReportable(t *testing.T) {
	w := newWorld(t)
	// The samples of evaluations have no id of their own.
	all := slices.DeleteFunc(samples(), func(e codec.Event) bool { return strings.HasPrefix(e.EventType(), "Policy") })
	for _, outcome := range []string{"ok", "exception", "timeout"} {
		results := []execution.PolicyResult{{Outcome: "ok"}, {Outcome: outcome}}
		all = append(all,
			execution.PolicyEvaluated{Evaluation: execution.Evaluation{ID: id("e" + outcome), Results: results}},
			execution.PolicyDenied{Evaluation: execution.Evaluation{ID: id("d" + outcome), Results: results}})
	}
	for _, e := range all {
		meta := codec.Meta{Subject: "tenant", Header: codec.Header{Execution: id("x")}}
		if !strings.HasPrefix(e.EventType(), "Policy") {
			e = withID(e)
		}
		w.appendAs(meta, eventstore.Stream(categoryOf(e), id(e.EventType())), e)
	}
	w.run()
	w.settle()
	entries, total, _, err := w.audit.List(t.Context(), projections.AuditFilter{}, false, projections.Page{})
	if err != nil || total < 50 {
		t.Fatalf("%d entries, %v", total, err)
	}
	told, waste := 0, 0
	for _, entry := range entries {
		for r, err := range w.store.ReadStream(t.Context(), entry.Stream, entry.Revision) {
			if err != nil {
				t.Fatal(err)
			}
			may := projections.Reportable(r)
			if entry.Action != "" && !may {
				t.Errorf("the contract has the action %s for %s", entry.Action, entry.Type)
			}
			if may {
				told++
			}
			if may && entry.Action == "" {
				waste++
			}
			break
		}
	}
	if told == total || waste > total/4 {
		t.Errorf("of %d events %d may be told of, %d of them in vain", total, told, waste)
	}
}

// categoryOf is where events of a type stand; nothing for those that do not
// matter here.
func categoryOf(e codec.Event) string {
	switch e.(type) {
	case execution.Event:
		return "execution"
	case session.Event:
		return "session"
	case user.Event:
		return "user"
	case group.Event:
		return "group"
	case role.Event:
		return "role"
	case token.Event:
		return "token"
	case invitation.Event:
		return "invitation"
	case object.Event:
		return "object"
	case audit.Event:
		return "audit"
	case mail.Event:
		return "mail"
	case notification.Event:
		return "notification"
	}
	return "other"
}
