package auditapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/auditapi"
)

// ruled keeps the rule in memory, and decides as the aggregate does.
type ruled struct{ state retention.State }

func (k *ruled) RetentionReport(context.Context) (auditapi.RetentionReport, error) {
	report := auditapi.RetentionReport{Rule: k.state.At(time.Now()), Profiles: retention.Profiles()}
	if rule, from, pending := k.state.Pending(time.Now()); pending {
		report.Pending = &auditapi.PendingRule{Rule: rule, From: from}
	}
	return report, nil
}

func (k *ruled) SetRetention(_ context.Context, c session.Caller, rule retention.Rule) error {
	events, err := retention.Change{Rule: rule, By: c.User, Now: time.Now()}.Decide(k.state)
	k.state = domain.Fold(k.state, events...)
	return err
}

// forged refuses every request that a page could make.
type forged struct{ callers }

func (forged) CheckCSRF(_ *http.Request, c session.Caller) error {
	if c.Token == "" {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token missing.")
	}
	return nil
}

func TestRetention(t *testing.T) {
	clerk := session.Caller{User: "c", Token: "t", Granted: session.Grants{"authentik_events.view_event": true}}
	owner := session.Caller{User: "u", Token: "t", Superuser: true}
	seen := &looks{}
	for sentence, c := range map[string]struct {
		caller session.Caller
		method string
		body   string
		status int
		says   string
	}{
		"who may see events sees the rule": {clerk, "GET", "", 200, `"profile":"default","trace_months":13`},
		"strangers do not":                 {session.Caller{}, "GET", "", 403, "not provided"},
		"who may see may not set":          {clerk, "PUT", `{"profile": "hipaa"}`, 403, "permission"},
		"a page of another site may not":   {auditor, "PUT", `{"profile": "hipaa"}`, 403, "CSRF"},
		"a longer rule is in force":        {owner, "PUT", `{"profile": "hipaa"}`, 200, `{"profile":"hipaa","trace_months":73,"network_months":73,"rows_months":73,"pending":null`},
		"a shorter rule is pending":        {owner, "PUT", `{"profile": "custom", "trace_months": 6, "network_months": 2, "rows_months": 13}`, 200, `{"profile":"default","trace_months":13,"network_months":13,"rows_months":13,"pending":{"profile":"custom","trace_months":6`},
		"no profile is no rule":            {owner, "PUT", `{}`, 400, `{"profile":["This field is required."]}`},
		"an unknown profile is refused":    {owner, "PUT", `{"profile": "forever"}`, 400, `{"profile":["\"forever\" is not a valid choice."]}`},
		"no month is refused":              {owner, "PUT", `{"profile": "custom", "trace_months": 1, "network_months": 0, "rows_months": -1}`, 400, `{"network_months":["Ensure this value is greater than or equal to 1."],"rows_months"`},
		"a misspelt class is refused":      {owner, "PUT", `{"profile": "custom", "traces": 1}`, 400, "unknown field"},
		"what is no JSON is refused":       {owner, "PUT", `{`, 400, "JSON parse error"},
		"nothing else is served":           {owner, "DELETE", "", 405, "not allowed"},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := &auditapi.Server{
				Callers: callers{c.caller}, Forgery: forged{}, Retention: &ruled{}, Looks: seen,
				Wait: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler),
			}
			r := mux.NewRouter()
			s.Mount(r)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, "/api/v3/ledger/retention/", strings.NewReader(c.body)))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, c.status, c.says)
			}
		})
	}
	if len(seen.told) == 0 || !strings.Contains(strings.Join(seen.told, "\n"), "retention map[] found 0") {
		t.Errorf("the look is not recorded: %q", seen.told)
	}
}
