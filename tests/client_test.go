package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client is a browser as far as the API is concerned: it keeps cookies,
// sends the CSRF header, and follows nothing unless asked to. With a bearer
// token it keeps none.
type client struct {
	base   string
	bearer string
	agent  string // User-Agent; empty for Go's own
	from   string // X-Forwarded-For; empty for none
	http   *http.Client

	mu      sync.Mutex // guards cookies
	cookies map[string]string
}

// visitor returns a client without a past. Each JSON answer that it gets on
// the contract's paths is compared with the contract.
func (s *server) visitor(tb testing.TB) *client {
	return &client{
		base:    s.base,
		http:    &http.Client{Transport: checked(tb, http.DefaultTransport), CheckRedirect: stay, Timeout: time.Minute},
		cookies: map[string]string{},
	}
}

// admin returns a client with the bootstrap token.
func (s *server) admin(tb testing.TB) *client {
	c := s.visitor(tb)
	c.bearer, c.cookies = adminToken, nil
	return c
}

// browser returns a client whose answers are not compared with the contract:
// for pages, which are not in it, and for load.
func (s *server) browser() *client {
	return &client{
		base:    s.base,
		http:    &http.Client{CheckRedirect: stay, Timeout: time.Minute},
		cookies: map[string]string{},
	}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// An answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// A raw body is sent as it is, with its content type.
type raw struct {
	kind string
	text []byte
}

// send sends one request. The body is nil, a [raw], or a value for JSON.
func (c *client) send(method, path string, body any) (*answer, error) {
	var content io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case raw:
		kind, content = b.kind, bytes.NewReader(b.text)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", kind)
	}
	c.sign(request)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return &answer{status: response.StatusCode, header: response.Header}, nil // it has no end
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	c.remember(response)
	return &answer{status: response.StatusCode, header: response.Header, body: text}, nil
}

// sign adds what says who asks.
func (c *client) sign(request *http.Request) {
	if c.agent != "" {
		request.Header.Set("User-Agent", c.agent)
	}
	if c.from != "" {
		request.Header.Set("X-Forwarded-For", c.from)
	}
	if c.bearer != "" {
		request.Header.Set("Authorization", "Bearer "+c.bearer)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, value := range c.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if token := c.cookies["authentik_csrf"]; token != "" && request.Method != http.MethodGet {
		request.Header.Set("X-authentik-CSRF", token)
	}
}

func (c *client) remember(response *http.Response) {
	if c.bearer != "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cookie := range response.Cookies() {
		if cookie.MaxAge < 0 || !cookie.Expires.IsZero() && cookie.Expires.Before(time.Now()) || cookie.Value == "" {
			delete(c.cookies, cookie.Name)
			continue
		}
		c.cookies[cookie.Name] = cookie.Value
	}
}

// cookie returns the value of a cookie that the client holds.
func (c *client) cookie(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cookies[name]
}

// follow sends a request and goes after up to 20 redirects.
func (c *client) follow(method, path string, body any) (*answer, error) {
	a, err := c.send(method, path, body)
	for hops := 0; err == nil && a.status >= 300 && a.status < 400; hops++ {
		if hops == 20 {
			return nil, fmt.Errorf("%s %s: more than 20 redirects", method, path)
		}
		to := strings.TrimPrefix(a.header.Get("Location"), c.base)
		if !strings.HasPrefix(to, "/") {
			return nil, fmt.Errorf("%s %s leads away, to %q", method, path, to)
		}
		a, err = c.send(http.MethodGet, to, nil)
	}
	return a, err
}

// executor is the address of a flow, as a page without a query calls it.
func executor(slug string) string {
	return "/api/v3/flows/executor/" + slug + "/?query="
}

// challenge fetches the current challenge of a flow.
func (c *client) challenge(slug string) (object, error) {
	return c.asked(c.follow(http.MethodGet, executor(slug), nil))
}

// respond answers the current challenge of a flow and fetches the next.
func (c *client) respond(slug string, response object) (object, error) {
	return c.asked(c.follow(http.MethodPost, executor(slug), response))
}

func (c *client) asked(a *answer, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("a challenge was expected, but the answer is %d %s", a.status, a.body)
	}
	return a.object()
}

// login goes through a flow of identification and password, and returns the
// last challenge.
func (c *client) login(slug, user, password string) (object, error) {
	ch, err := c.challenge(slug)
	for err == nil {
		switch component := ch.text("component"); component {
		case "ak-stage-identification":
			ch, err = c.respond(slug, object{"component": component, "uid_field": user})
		case "ak-stage-password":
			if _, wrong := ch["response_errors"]; wrong {
				return ch, nil
			}
			ch, err = c.respond(slug, object{"component": component, "password": password})
		default:
			return ch, nil
		}
	}
	return nil, err
}

// importBlueprint uploads a blueprint and returns the importer's answer.
func (c *client) importBlueprint(document string) (*answer, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "blueprint.yaml")
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(part, document); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return c.send(http.MethodPost, "/api/v3/managed/blueprints/import/", raw{kind: w.FormDataContentType(), text: form.Bytes()})
}

// mustImport imports a blueprint that has to be right.
func (c *client) mustImport(tb testing.TB, document string) {
	tb.Helper()
	a, err := c.importBlueprint(document)
	if err != nil {
		tb.Fatal(err)
	}
	var result struct{ Success bool }
	if json.Unmarshal(a.body, &result); a.status != http.StatusOK || !result.Success {
		tb.Fatalf("the blueprint is refused: %d %s", a.status, a.body)
	}
}

// must sends a request that has to be answered with status.
func (c *client) must(tb testing.TB, status int, method, path string, body any) *answer {
	tb.Helper()
	a, err := c.send(method, path, body)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, path, err)
	}
	if a.status != status {
		tb.Fatalf("%s %s: got %d %s, want %d", method, path, a.status, end(string(a.body), 600), status)
	}
	return a
}

// An object is a JSON object.
type object map[string]any

// object reads the body as a JSON object.
func (a *answer) object() (object, error) {
	var o object
	if err := json.Unmarshal(a.body, &o); err != nil {
		return nil, fmt.Errorf("%d %s is no JSON object: %w", a.status, end(string(a.body), 300), err)
	}
	return o, nil
}

// text returns a string of the object, or "".
func (o object) text(key string) string {
	s, _ := o[key].(string)
	return s
}

// at returns what a dotted path leads to, such as results.0.pk; nil if nothing.
func at(v any, path string) any {
	if path == "" {
		return v
	}
	key, rest, _ := strings.Cut(path, ".")
	switch v := v.(type) {
	case object:
		return at(v[key], rest)
	case map[string]any:
		return at(v[key], rest)
	case []any:
		var i int
		if _, err := fmt.Sscanf(key, "%d", &i); err != nil || i < 0 || i >= len(v) {
			return nil
		}
		return at(v[i], rest)
	}
	return nil
}
