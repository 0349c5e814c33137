package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

func TestRoutes(t *testing.T) {
	a, _ := newApp(t)
	if _, err := a.start(t, config{}); err != nil {
		t.Fatal(err)
	}
	m := newMetrics(a)
	h := a.handler(config{}, m)
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/-/health/live/":  {200, "alive"},
		"/-/health/ready/": {503, "starting"},
		"/api/v3/nowhere/": {404, `{"detail":"Not found."}`},
		"/nowhere/":        {404, "<html"},
		"/api/v3/flows/executor/default-authentication-flow/": {200, "ak-stage-identification"},
		"/api/v3/flows/executor/nowhere/":                     {404, "No Flow matches the given query."},
		"/if/flow/default-authentication-flow/":               {303, "?execution="},
	} {
		w := ask(http.MethodGet, path)
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
		if w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", path)
		}
	}
	ask("DANCE", "/api/v3/flows/executor/default-authentication-flow/")
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families {
		text.WriteString(f.String())
	}
	for _, want := range []string{"/api/v3/flows/executor/{slug}/", "flowledger_ledger_position", "flowledger_ready", `"other"`} {
		if !strings.Contains(strings.ReplaceAll(text.String(), `\"`, `"`), want) {
			t.Errorf("the metrics do not say %s", want)
		}
	}
	if strings.Contains(text.String(), "default-authentication-flow") || strings.Contains(text.String(), "DANCE") {
		t.Error("the metrics have a label for each path or method")
	}
}

// A panic in one request is answered, and told to the log only.
func TestPanicInARequest(t *testing.T) {
	var log bytes.Buffer
	a := &app{log: slog.New(slog.NewTextHandler(&log, nil))}
	for path, want := range map[string]string{"/": "Internal error.\n", "/api/v3/x/": `{"detail":"Internal error."}` + "\n"} {
		log.Reset()
		w := httptest.NewRecorder()
		a.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a mistake") })).
			ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != 500 || w.Body.String() != want || !strings.Contains(log.String(), "a mistake") {
			t.Errorf("%s: %d %s, logged %s", path, w.Code, w.Body, log.String())
		}
	}
}

// What the settler gives up on is parked once.
func TestPark(t *testing.T) {
	a, _ := newApp(t)
	e := eventstore.Recorded{NewEvent: eventstore.NewEvent{ID: uuid.New(), Type: "StageCompleted"}, Stream: "execution-x"}
	for range 2 {
		if err := a.park(t.Context(), "settle", e, errors.New("poison")); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.types(t, 0); len(got) != 1 || got[0] != "WorkerEventParked" {
		t.Errorf("appended %v", got)
	}
}
