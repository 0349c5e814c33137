package adminapi_test

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

func init() {
	codec.Register[notification.NotificationRaised](1)
	codec.Register[notification.NotificationSeen](1)
	codec.Register[notification.NotificationUnseen](1)
	codec.Register[notification.NotificationRemoved](1)
	codec.Register[audit.AuditCustomRecorded](1)
}

// Notifications implements [adminapi.Notifications]. They are as old as their
// ids say.
func (v *views) Notifications(
	_ context.Context, f adminapi.NotificationFilter, order string, p adminapi.Page,
) ([]adminapi.Notification, int, error) {
	var out []adminapi.Notification
	for id, s := range v.now().notifications {
		switch {
		case s.Status != notification.Present, s.User != f.User, f.ID != "" && f.ID != id, f.Severity != "" && f.Severity != s.Severity:
		case f.Event != "" && f.Event != s.Event, f.Seen != nil && *f.Seen != s.Seen:
		case !f.From.IsZero() && (f.From.After(now()) || !f.Until.After(now())):
		default:
			out = append(out, adminapi.Notification{ID: id, Event: s.Event, Severity: s.Severity, Body: s.Body, Created: now(), Seen: s.Seen})
		}
	}
	slices.SortFunc(out, func(a, b adminapi.Notification) int {
		if order == "severity" {
			a, b = b, a
		}
		return cmp.Compare(b.Severity, a.Severity)
	})
	return cut(out, p), len(out), nil
}

// raise notifies somebody of an event.
func (b *bench) raise(user, event, severity, body string) string {
	b.t.Helper()
	id := uuid.NewString()
	_, err := b.server.Notices.Handle(b.t.Context(), eventstore.Stream("notification", id), notification.Raise{NotificationRaised: notification.NotificationRaised{
		Rule: domain.Ref{ID: "r"}, Event: event, User: user, Severity: severity, Body: body,
	}}, b.meta)
	b.must(err)
	b.must(b.views.wait(b.t.Context()))
	return id
}

// Try implements [adminapi.Courier].
func (b *bench) Try(_ context.Context, c session.Caller, transport object.Thing) error {
	u, _ := b.views.user(c.User)
	b.tried = append(b.tried, transport.Name+" for "+u.Username)
	return nil
}

const notifications = "events/notifications/"

func TestNotifications(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	jane, root := b.callers[member].User, b.callers[admin].User
	b.happen(jane, execution.UserLoggedIn{User: jane, AuthMethod: "password"})
	b.happen(jane, audit.AuditCustomRecorded{Action: "custom_look", App: "p", By: jane, Context: map[string]any{"hyperlink": "https://example.org", "hyperlink_label": "Look"}})
	login, custom := b.views.now().entries[0].ID.String(), b.views.now().entries[1].ID.String()
	b.raise(root, login, "alert", "for the administrator")
	warning, notice := b.raise(jane, custom, "warning", "Look there"), b.raise(jane, login, "notice", "Login: jane")
	as := func(method, path string, body any) reply { return b.do(member, method, notifications+path, body) }

	one := as(http.MethodGet, notice+"/", nil)
	if one.status != 200 || one.str("body") != "Login: jane" || one.str("event.action") != "login" || one.str("event.user.username") != "jane" ||
		one.at("seen") != false || one.at("hyperlink") != nil {
		t.Errorf("one: %d %s", one.status, one.text)
	}
	if got := as(http.MethodGet, warning+"/", nil); got.str("hyperlink") != "https://example.org" || got.str("hyperlink_label") != "Look" {
		t.Errorf("a link: %s", got.text)
	}
	marked := as(http.MethodPatch, notice+"/", fields{"seen": true, "body": "other"})
	if marked.status != 200 || marked.at("seen") != true || marked.str("body") != "Login: jane" {
		t.Errorf("marked: %s", marked.text)
	}
	key := one.at("event.user.pk")
	for query, want := range map[string][]string{
		"":                             {"warning", "notice"},
		"ordering=severity":            {"notice", "warning"},
		"severity=warning":             {"warning"},
		"seen=true":                    {"notice"},
		"seen=false":                   {"warning"},
		"event=" + custom:              {"warning"},
		"search=LOOK there":            {"warning"},
		"search=nothing":               {},
		"body=Login: jane":             {"notice"},
		"page_size=1&page=2":           {"notice"},
		"created=2026-11-22T12:00:00Z": {"warning", "notice"},
		"created=2026-11-22T12:00:01Z": {},
		"user=999":                     {},
		"user=" + diffKey(key):         {"warning", "notice"},
	} {
		query = strings.ReplaceAll(query, " ", url.QueryEscape(" "))
		if d := diff.Diff(want, as(http.MethodGet, "?"+query, nil).names("severity")); d != "" {
			t.Errorf("%s (-want +got):\n%s", query, d)
		}
	}
	for _, query := range []string{"severity=loud", "event=x", "created=then"} {
		if got := as(http.MethodGet, "?"+query, nil); got.status != 400 {
			t.Errorf("%s: %d", query, got.status)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodPut, http.MethodDelete} {
		if got := b.do(admin, method, notifications+notice+"/", fields{"seen": false}); got.status != 404 {
			t.Errorf("somebody else's: %s: %d", method, got.status)
		}
	}
	if got := as(http.MethodPatch, notice+"/", fields{"seen": "perhaps"}); got.status != 400 {
		t.Errorf("neither seen nor not: %d", got.status)
	}
	if got := as(http.MethodPut, notice+"/", fields{"seen": false}); got.at("seen") != false {
		t.Errorf("unseen: %s", got.text)
	}
	if got := as(http.MethodPost, "mark_all_seen/", nil); got.status != 204 {
		t.Errorf("mark all: %d %s", got.status, got.text)
	}
	if got := as(http.MethodGet, "?seen=false", nil).names("pk"); len(got) != 0 {
		t.Errorf("unseen after all were seen: %v", got)
	}
	if got := b.want(200, http.MethodGet, notifications+"?seen=false", nil).names("body"); len(got) != 1 {
		t.Errorf("the administrator has %v unseen", got)
	}
	if got := as(http.MethodGet, notice+"/used_by/", nil); got.status != 200 {
		t.Errorf("used by: %d", got.status)
	}
	if got := as(http.MethodDelete, notice+"/", nil); got.status != 204 {
		t.Errorf("removed: %d", got.status)
	}
	if got := as(http.MethodGet, notice+"/", nil); got.status != 404 {
		t.Errorf("after that: %d", got.status)
	}
}

func diffKey(v any) string {
	n, _ := v.(float64)
	return string(rune('0' + int(n)))
}

func TestNotificationRules(t *testing.T) {
	b := newBench(t)
	const rules, transports = "events/rules/", "events/transports/"
	group := b.want(201, http.MethodPost, "core/groups/", fields{"name": "watchers", "users": []any{}}).str("pk")
	local := b.want(201, http.MethodPost, transports, fields{"name": "local"})
	if local.str("mode") != "local" || local.str("mode_verbose") == "" || local.at("send_once") != false {
		t.Errorf("a transport: %s", local.text)
	}
	made := b.want(201, http.MethodPost, rules, fields{
		"name": "logins", "transports": []any{local.str("pk")}, "severity": "alert", "destination_group": group,
	})
	if made.str("destination_group_obj.name") != "watchers" || made.at("destination_event_user") != false {
		t.Errorf("a rule: %s", made.text)
	}
	plain := b.want(201, http.MethodPost, rules, fields{"name": "plain"})
	if plain.at("destination_group_obj") != nil || plain.str("severity") != "notice" {
		t.Errorf("a rule with nothing but a name: %s", plain.text)
	}
	for query, want := range map[string][]string{
		"": {"logins", "plain"}, "?severity=alert": {"logins"}, "?destination_group__name=watchers": {"logins"}, "?search=plain": {"plain"},
		"?ordering=-name": {"plain", "logins"},
	} {
		if d := diff.Diff(want, b.want(200, http.MethodGet, rules+query, nil).names("name")); d != "" {
			t.Errorf("%s (-want +got):\n%s", query, d)
		}
	}
	tried := b.want(200, http.MethodPost, transports+local.str("pk")+"/test/", nil)
	if d := diff.Diff([]string{"local for root"}, b.tried); d != "" || tried.at("messages") == nil {
		t.Errorf("tried %s (-want +got):\n%s", tried.text, d)
	}
	b.want(404, http.MethodPost, transports+made.str("pk")+"/test/", nil)
	policy := b.want(201, http.MethodPost, "policies/event_matcher/", fields{"name": "p", "action": "login"}).str("pk")
	binding := b.want(201, http.MethodPost, "policies/bindings/", fields{"target": made.str("pk"), "policy": policy, "order": 0}).str("pk")
	b.want(400, http.MethodPost, "policies/bindings/", fields{"target": local.str("pk"), "policy": policy, "order": 0})
	for field, bad := range map[string]any{"mode": "webhook", "webhook_url": "https://hooks.example.org/x", "email_template": "none.html"} {
		got := b.want(400, http.MethodPost, transports, fields{"name": "x", field: bad})
		if m, _ := got.json.(fields); len(m) != 1 || m[field] == nil {
			t.Errorf("%s: %s", field, got.text)
		}
	}
	b.want(400, http.MethodPost, rules, fields{"name": "x", "transports": []any{policy}})
	b.want(400, http.MethodPost, rules, fields{"name": "logins"})
	b.want(204, http.MethodDelete, transports+local.str("pk")+"/", nil)
	if got := b.want(200, http.MethodGet, rules+made.str("pk")+"/", nil).at("transports"); len(got.([]any)) != 0 {
		t.Errorf("transports after the last was removed: %v", got)
	}
	b.want(204, http.MethodDelete, rules+made.str("pk")+"/", nil)
	b.want(404, http.MethodGet, "policies/bindings/"+binding+"/", nil)
}
