package adminapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// published reads the contract once; nil where it is not at hand.
var published = sync.OnceValues(func() (routers.Router, error) {
	file := filepath.Join("..", "..", "..", "shared", "contract", "authentik-2026.8.3.openapi.yml")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	document, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	document.Servers = openapi3.Servers{{URL: "/api/v3"}}
	return gorillamux.NewRouter(document)
})

var ownAction = regexp.MustCompile(`"action":"custom_[^"\\]*"`)

// checkContract fails for an answer that the contract does not allow.
func checkContract(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	router, err := published()
	if err != nil {
		t.Fatal(err)
	}
	// A dry run is ours, and answers as the import does.
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "dry_run/")
	if router == nil || strings.HasPrefix(r.URL.Path, "/api/v3/sample/") || strings.HasPrefix(r.URL.Path, "/api/v3/ledger/") {
		return
	}
	plain := &http.Request{Method: r.Method, URL: &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}, Header: r.Header}
	route, parameters, err := router.FindRoute(plain)
	if err != nil || route.Operation.Responses.Status(w.Code) == nil {
		var problem struct{ Detail string }
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || problem.Detail == "" || w.Code < 400 {
			t.Errorf("%s %s: %d is not in the contract: %s", r.Method, r.URL.Path, w.Code, w.Body)
		}
		return
	}
	// An action of somebody's own making is in the contract by its prefix only.
	body := ownAction.ReplaceAll(w.Body.Bytes(), []byte(`"action":"custom_"`))
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: plain, PathParams: parameters, Route: route},
		Status:                 w.Code,
		Header:                 w.Header(),
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		brief := regexp.MustCompile(`(?s)\nSchema:\n.*?\n\nValue:`).ReplaceAllString(err.Error(), "\nValue:")
		t.Errorf("%s %s: %d %s\nis not what the contract promises: %.1500s", r.Method, r.URL.Path, w.Code, w.Body, brief)
	}
}
