package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gorilla/mux"
	"gopkg.in/yaml.v3"
)

// served mounts everything, and returns the router and the document that it
// serves.
func served(t *testing.T) (*mux.Router, *openapi3.T) {
	t.Helper()
	a, _ := newApp(t)
	r := a.router(config{}, newMetrics(a))
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v3/schema/", nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	document, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, document
}

// pages are the addresses below the API that answer people.
var pages = []string{"/api/v3/", "/api/v3/schema/browser/", "/api/v3/schema/browser/{}/"}

// What is served is described, and what is described is served: the router is
// asked, not the tables that the document is made of.
func TestSchemaIsComplete(t *testing.T) {
	r, document := served(t)
	braces := regexp.MustCompile(`\{[^}]*\}`)
	described := map[string]bool{}
	for path := range document.Paths.Map() {
		described["/api/v3"+braces.ReplaceAllString(path, "{}")] = true
	}
	mounted := map[string]bool{}
	for _, page := range pages {
		mounted[page] = true
	}
	err := r.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil || !strings.HasPrefix(path, "/api/") {
			return nil // a matcher without a path is no address
		}
		path = braces.ReplaceAllString(path, "{}")
		if !described[path] && !mounted[path] {
			t.Errorf("%s is served and not described", path)
		}
		mounted[path] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range described {
		if !mounted[path] {
			t.Errorf("%s is described and not served", path)
		}
	}
	if len(described) < 100 {
		t.Errorf("only %d paths are described", len(described))
	}
}

// A description that nobody wrote, or that nothing answers to, is reported.
func TestSchemaHasNoProblems(t *testing.T) {
	a, _ := newApp(t)
	var log strings.Builder
	a.log = slog.New(slog.NewTextHandler(&log, nil))
	a.router(config{}, newMetrics(a))
	if log.Len() > 0 {
		t.Errorf("problems:\n%s", log.String())
	}
}

// Each operation says what it is called, what it is for, who may call it and
// how it fails.
func TestSchemaOperations(t *testing.T) {
	_, document := served(t)
	known := map[string]string{}
	for path, item := range document.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if other := known[op.OperationID]; op.OperationID == "" || other != "" {
				t.Errorf("%s is called %q, as is %q", name, op.OperationID, other)
			}
			known[op.OperationID] = name
			if len(op.Summary) < 10 || op.Description == "" || len(op.Tags) != 1 {
				t.Errorf("%s: %q %q %q", name, op.Summary, op.Description, op.Tags)
			}
			if op.Security == nil || len(*op.Security) < 2 {
				t.Errorf("%s does not say what proves who calls", name)
			}
			var access string
			raw, _ := json.Marshal(op.Extensions["x-access"])
			_ = json.Unmarshal(raw, &access)
			permission := op.Extensions["x-permission"] != nil
			if access == "" || permission != (access == "permission" || access == "own") {
				t.Errorf("%s: access %q, permission %v", name, access, op.Extensions["x-permission"])
			}
			for status, wanted := range map[int]bool{
				403: access != "anybody", 404: strings.Contains(path, "{"), 400: op.RequestBody != nil,
			} {
				if wanted && op.Responses.Status(status) == nil {
					t.Errorf("%s does not say what a %d is", name, status)
				}
			}
		}
	}
}

// The document comes in two forms, and says the same in both.
func TestSchemaForms(t *testing.T) {
	r, _ := served(t)
	get := func(query, accept string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, "/api/v3/schema/"+query, nil)
		request.Header.Set("Accept", accept)
		r.ServeHTTP(w, request)
		return w
	}
	asJSON := get("", "*/*").Body.Bytes()
	for name, test := range map[string]struct{ query, accept, kind string }{
		"whatever":            {"", "*/*", "application/json"},
		"by format, as JSON":  {"?format=json", "", "application/vnd.oai.openapi+json"},
		"by format, as YAML":  {"?format=yaml", "", "application/vnd.oai.openapi"},
		"by the header":       {"", "text/html, application/yaml;q=0.9", "application/yaml"},
		"format beats header": {"?format=json", "application/yaml", "application/vnd.oai.openapi+json"},
	} {
		w := get(test.query, test.accept)
		if w.Code != 200 || w.Header().Get("Content-Type") != test.kind {
			t.Errorf("%s: %d %s", name, w.Code, w.Header())
			continue
		}
		var said any
		if err := yaml.Unmarshal(w.Body.Bytes(), &said); err != nil { // which reads JSON, too
			t.Fatal(err)
		}
		if again, _ := json.Marshal(said); string(again) != string(canonical(t, asJSON)) {
			t.Errorf("%s: another document", name)
		}
	}
	if w := get("?format=xml", ""); w.Code != 404 {
		t.Errorf("another format: %d", w.Code)
	}
	request := httptest.NewRequest(http.MethodGet, "/api/v3/schema/", nil)
	request.Header.Set("If-None-Match", get("", "").Header().Get("ETag"))
	w := httptest.NewRecorder()
	if r.ServeHTTP(w, request); w.Code != http.StatusNotModified {
		t.Errorf("what the client has already: %d", w.Code)
	}
}

// canonical is a JSON text with its keys in order.
func canonical(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
