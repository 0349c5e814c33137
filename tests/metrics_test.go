package tests

import (
	"net/http"
	"strings"
	"testing"
)

// TestMetrics asks for the metrics where they are, and where they must not be.
func TestMetrics(t *testing.T) {
	apart, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, "--metrics-listen", apart)
	if _, err := s.browser().challenge("default-authentication-flow"); err != nil {
		t.Fatal(err)
	}
	metrics := &client{base: "http://" + apart, http: http.DefaultClient, cookies: map[string]string{}}
	a := metrics.must(t, http.StatusOK, http.MethodGet, "/metrics", nil)
	for _, want := range []string{"flowledger_", "go_goroutines"} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("the metrics have no %s:\n%s", want, end(string(a.body), 1000))
		}
	}
	s.browser().must(t, http.StatusNotFound, http.MethodGet, "/metrics", nil)
	metrics.must(t, http.StatusNotFound, http.MethodGet, executor("default-authentication-flow"), nil)
}
