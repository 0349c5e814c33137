package adminapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

// outbox is the outgoing trail as the API asks it.
type outbox struct{ asked []string }

// Health implements [adminapi.Sinks].
func (*outbox) Health(_ context.Context, id string) ([]adminapi.SinkHealth, error) {
	if id == "" {
		return []adminapi.SinkHealth{{Name: "a", State: "failing"}, {Name: "b"}}, nil
	}
	return []adminapi.SinkHealth{{ID: id, Name: "a", State: "failing", Lag: 1.5}}, nil
}

// Parked implements [adminapi.Sinks].
func (*outbox) Parked(context.Context, string, adminapi.Page) ([]adminapi.SinkParked, int, error) {
	return []adminapi.SinkParked{{Event: "e", Class: "status 400"}}, 7, nil
}

// Settle implements [adminapi.Sinks].
func (o *outbox) Settle(_ context.Context, c session.Caller, _, event string, release bool) (int, error) {
	what := "abandon "
	if release {
		what = "release "
	}
	if c.User == "" {
		what = "nobody: " + what
	}
	o.asked = append(o.asked, what+event)
	return 3, nil
}

// Resend implements [adminapi.Sinks].
func (o *outbox) Resend(_ context.Context, _ session.Caller, _, position string, since time.Time) (string, error) {
	if position == "" {
		position = since.UTC().Format(time.RFC3339)
	}
	o.asked = append(o.asked, "resend "+position)
	return "42", nil
}

// Try implements [adminapi.Sinks].
func (o *outbox) Try(_ context.Context, t object.Thing) (adminapi.SinkTrial, error) {
	o.asked = append(o.asked, "try "+t.Name)
	return adminapi.SinkTrial{Taken: true, Answer: "202"}, nil
}

// newOutbox is a bench with sinks.
func newOutbox(t *testing.T) (*bench, *outbox) {
	t.Helper()
	b, o := newBench(t), &outbox{}
	b.server.Sinks = o
	b.router = mux.NewRouter()
	b.server.Mount(b.router)
	b.router.NotFoundHandler = b.server.NotFound()
	return b, o
}

func TestSinkEndpoints(t *testing.T) {
	b, o := newOutbox(t)
	key := b.want(201, http.MethodPost, "ledger/sinks/", fields{"name": "a", "target": "https://siem.example.org/"}).str("pk")
	one := "ledger/sinks/" + key + "/"
	if got := b.want(200, http.MethodGet, "ledger/sinks/health/?page_size=1&page=2", nil); got.at("pagination.count") != 2.0 || got.at("results.0.name") != "b" {
		t.Errorf("health of all: %s", got.text)
	}
	if got := b.want(200, http.MethodGet, one+"health/", nil); got.str("pk") != key || got.at("lag_seconds") != 1.5 {
		t.Errorf("health: %s", got.text)
	}
	if got := b.want(200, http.MethodGet, one+"parked/", nil); got.at("pagination.count") != 7.0 {
		t.Errorf("parked: %s", got.text)
	}
	const event = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"
	for _, ask := range []struct {
		status int
		path   string
		body   fields
	}{
		{200, "release/", fields{"event": event}}, {200, "release/", fields{}}, {200, "abandon/", fields{"event": nil}}, {400, "release/", fields{"event": "x"}},
		{202, "resend/", fields{"from": "7"}}, {202, "resend/", fields{"from": 7}}, {202, "resend/", fields{"from": "2026-11-23T08:00:00+01:00"}},
		{400, "resend/", fields{"from": "yesterday"}}, {400, "resend/", fields{"from": "-1"}}, {400, "resend/", fields{}}, {200, "test/", fields{}},
	} {
		b.want(ask.status, http.MethodPost, one+ask.path, ask.body)
	}
	want := "release " + event + ", release , abandon , resend 7, resend 7, resend 2026-11-23T07:00:00Z, try a"
	if got := strings.Join(o.asked, ", "); got != want {
		t.Errorf("asked for\n%s, want\n%s", got, want)
	}
	for _, path := range []string{"health/", "parked/"} {
		b.want(404, http.MethodGet, "ledger/sinks/"+event+"/"+path, nil)
	}
	for _, path := range []string{"release/", "abandon/", "resend/", "test/"} {
		b.want(404, http.MethodPost, "ledger/sinks/"+event+"/"+path, fields{"from": "1"})
	}
}

// Whoever may change a sink must not learn its secret by having it sent to
// somebody else.
func TestSecretOfASinkStaysWithItsTarget(t *testing.T) {
	b, _ := newOutbox(t)
	made := b.want(201, http.MethodPost, "ledger/sinks/", fields{"name": "a", "target": "https://siem.example.org/in", "secret": "s3cret"})
	one := "ledger/sinks/" + made.str("pk") + "/"
	for name, tt := range map[string]struct {
		set    fields
		status int
	}{
		"another path":                  {fields{"target": "https://siem.example.org/other"}, 200},
		"another name":                  {fields{"name": "b"}, 200},
		"another host":                  {fields{"target": "https://evil.example.org/in"}, 400},
		"another port":                  {fields{"target": "https://siem.example.org:8443/in"}, 400},
		"no encryption":                 {fields{"target": "http://127.0.0.1/in"}, 400},
		"other authorities":             {fields{"server_name": "evil.example.org"}, 400},
		"another host and a new secret": {fields{"target": "https://other.example.org/in", "secret": "new"}, 200},
		"another host and none":         {fields{"target": "https://third.example.org/in", "secret": ""}, 200},
	} {
		got := b.want(tt.status, http.MethodPatch, one, tt.set)
		if tt.status == 400 && !strings.Contains(got.text, "Give the secret again") {
			t.Errorf("%s: %s", name, got.text)
		}
		if strings.Contains(got.text, "s3cret") {
			t.Errorf("%s: an answer holds the secret", name)
		}
		b.want(200, http.MethodPatch, one, fields{"target": "https://siem.example.org/in", "secret": "s3cret"})
	}
}

func TestSinkEventsAreKnown(t *testing.T) {
	b, _ := newOutbox(t)
	for event, status := range map[string]int{"UserLoggedIn": 201, "session": 201, "UserLogedIn": 400, "sessions": 400} {
		b.want(status, http.MethodPost, "ledger/sinks/", fields{"name": event, "target": "https://siem.example.org/", "events": []any{event}})
	}
}
