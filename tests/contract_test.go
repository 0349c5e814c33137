package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
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

// contractFile is the published API document that clients are generated from.
var contractFile = filepath.Join("..", "..", "shared", "contract", "authentik-2026.8.3.openapi.yml")

// ours are paths below /api/v3 that the contract does not have.
var ours = []string{"/api/v3/schema/", "/api/v3/flows/executions/", "/api/v3/ledger/"}

// A contract judges answers by the published document.
type contract struct {
	document *openapi3.T
	router   routers.Router
	strict   bool // it leaves nothing out
}

// published reads the contract once per run; nil when it is not there.
var published = sync.OnceValues(func() (*contract, error) {
	if _, err := os.Stat(contractFile); err != nil {
		return nil, nil
	}
	document, err := openapi3.NewLoader().LoadFromFile(contractFile)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	document.Servers = openapi3.Servers{{URL: "/api/v3"}}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	return &contract{document: document, router: router}, nil
})

// own reads the document that a server describes itself with, once per run: all
// servers are of one build. It is stricter than what is published: an answer
// has no property that the document does not name.
func own(tb testing.TB, request *http.Request, next http.RoundTripper) *contract {
	tb.Helper()
	ownOnce.Do(func() {
		ask, err := http.NewRequestWithContext(context.WithoutCancel(request.Context()), http.MethodGet, "", nil)
		if err == nil {
			ask.URL = &url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host, Path: "/api/v3/schema/"}
			ownDocument, ownFault = readOwn(next, ask)
		}
		ownFault = errors.Join(ownFault, err)
	})
	if ownFault != nil {
		tb.Errorf("the server's own document: %v", ownFault)
		return nil
	}
	return ownDocument
}

var (
	ownOnce     sync.Once
	ownDocument *contract
	ownFault    error
)

func readOwn(next http.RoundTripper, ask *http.Request) (*contract, error) {
	response, err := next.RoundTrip(ask)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	for _, schema := range document.Components.Schemas {
		if of := schema.Value; len(of.Properties) > 0 && of.AdditionalProperties.Schema == nil {
			of.AdditionalProperties.Has = new(bool)
		}
	}
	router, err := gorillamux.NewRouter(document)
	return &contract{document: document, router: router, strict: true}, err
}

// check says what is wrong with a JSON answer to request, if anything.
func (c *contract) check(request *http.Request, response *http.Response, body []byte) error {
	if !strings.HasPrefix(request.URL.Path, "/api/v3/") || !isJSON(response.Header) {
		return nil
	}
	for _, prefix := range ours {
		if strings.HasPrefix(request.URL.Path, prefix) && !c.strict {
			return nil
		}
	}
	if strings.HasPrefix(request.URL.Path, "/api/v3/events/") {
		body = ownAction.ReplaceAll(body, []byte(`"action":"custom_"`))
	}
	// The router compares hosts; the contract's server has none.
	plain := &http.Request{Method: request.Method, URL: &url.URL{Path: request.URL.Path, RawQuery: request.URL.RawQuery}, Header: request.Header}
	route, parameters, err := c.router.FindRoute(plain)
	if c.strict && err != nil && response.StatusCode < 400 {
		return errors.New("the server does not describe it")
	}
	if err != nil || route.Operation.Responses.Status(response.StatusCode) == nil {
		// Statuses that the document leaves out, such as 404 and 405, and
		// paths that it does not have, are explained by a sentence.
		if response.StatusCode >= 400 {
			return checkDetail(body)
		}
		return fmt.Errorf("%d is no status that the contract has here", response.StatusCode)
	}
	return openapi3filter.ValidateResponse(request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: plain, PathParams: parameters, Route: route},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

// ownAction is an action of somebody's own making. The contract lists only what
// all of them begin with.
var ownAction = regexp.MustCompile(`"action":"custom_[^"\\]*"`)

func checkDetail(body []byte) error {
	var problem struct{ Detail string }
	if err := json.Unmarshal(body, &problem); err != nil || problem.Detail == "" {
		return errors.New(`an error has no "detail" in words`)
	}
	return nil
}

func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// checked returns a transport that compares each JSON answer with the contract,
// if it is there, and with what the server says of itself, and fails the test
// for one that differs.
func checked(tb testing.TB, next http.RoundTripper) http.RoundTripper {
	c, err := published()
	if err != nil {
		tb.Error(err)
	}
	return &checker{tb: tb, contract: c, next: next}
}

type checker struct {
	tb       testing.TB
	contract *contract // nil where it is not there
	next     http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (c *checker) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	promises := map[string]*contract{"the contract": c.contract}
	if strings.HasPrefix(request.URL.Path, "/api/v3/") && isJSON(response.Header) {
		promises["the server itself"] = own(c.tb, request, c.next)
	}
	for who, promise := range promises {
		if promise == nil {
			continue
		}
		if err := promise.check(request, response, body); err != nil {
			c.tb.Errorf("%s %s: %d %s\nis not what %s promises: %s",
				request.Method, request.URL.Path, response.StatusCode, end(string(body), 800), who, brief(err))
		}
	}
	return response, nil
}

// brief leaves out the schemas that kin-openapi quotes at length.
func brief(err error) string {
	text := regexp.MustCompile(`(?s)\nSchema:\n.*?\n\nValue:`).ReplaceAllString(err.Error(), "\nValue:")
	if len(text) > 1500 {
		text = text[:1500] + "…"
	}
	return text
}

// TestContractChecker proves that a wrong answer is found out.
func TestContractChecker(t *testing.T) {
	shared(t, "contract")
	c, err := published()
	if err != nil {
		t.Fatal(err)
	}
	const path = "/api/v3/flows/executor/default-authentication-flow/?query="
	tests := map[string]struct {
		path   string
		status int
		body   string
		good   bool
	}{
		"a dummy challenge":                {path, 200, `{"component":"ak-stage-dummy","name":"a","flow_info":{"cancel_url":"/","layout":"stacked"}}`, true},
		"a redirect":                       {path, 200, `{"component":"xak-flow-redirect","to":"/if/user/","final_redirect":true}`, true},
		"a challenge without its fields":   {path, 200, `{"component":"ak-stage-password"}`, false},
		"a challenge of an unknown kind":   {path, 200, `{"component":"ak-stage-nonsense"}`, false},
		"a layout that does not exist":     {path, 200, `{"component":"ak-stage-dummy","name":"a","flow_info":{"cancel_url":"/","layout":"upside-down"}}`, false},
		"a status that is not documented":  {path, 201, `{"component":"xak-flow-redirect","to":"/"}`, false},
		"an error in words":                {path, 404, `{"detail":"No such flow."}`, true},
		"an error without words":           {path, 404, `{"error":"No such flow."}`, false},
		"a refusal without words":          {path, 403, `{}`, false},
		"a list":                           {"/api/v3/core/groups/", 200, `{"pagination":{},"results":[]}`, false},
		"a path that only we have":         {"/api/v3/ledger/", 200, `[1]`, true},
		"a path that nobody has":           {"/api/v3/nowhere/", 200, `{}`, false},
		"a path that nobody has, as error": {"/api/v3/nowhere/", 404, `{"detail":"Not found."}`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9000"+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response := &http.Response{StatusCode: test.status, Header: http.Header{"Content-Type": {"application/json"}}}
			if err := c.check(request, response, []byte(test.body)); (err == nil) != test.good {
				t.Errorf("got %v, want good = %v", err, test.good)
			}
		})
	}
}
