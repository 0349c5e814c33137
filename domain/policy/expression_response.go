package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// A response is the answer to a request of an expression.
type response struct {
	Fetched
	headers *mapping
}

func newResponse(f Fetched) *response {
	r := &response{Fetched: f, headers: newMapping("CaseInsensitiveDict", true, false)}
	for _, name := range slices.Sorted(maps.Keys(f.Header)) {
		r.headers.put(name, expr.FromGo(f.Header[name]))
	}
	return r
}

// Type implements [expr.Value].
func (*response) Type() string { return "Response" }

// Text implements [expr.Texter].
func (r *response) Text() string { return fmt.Sprintf("<Response [%d]>", r.Status) }

// Truth implements [expr.Truther].
func (r *response) Truth() bool { return r.Status < 400 }

// Attr implements [expr.Attrs].
func (r *response) Attr(name string) (expr.Value, bool) {
	switch name {
	case "status_code":
		return expr.Int(r.Status), true
	case "ok":
		return expr.Bool(r.Truth()), true
	case "text":
		return expr.FromGo(string(r.Body)), true
	case "content":
		return expr.Bytes(r.Body), true
	case "headers":
		return r.headers, true
	case "url":
		return expr.FromGo(r.URL), true
	case "reason":
		return expr.FromGo(r.Reason), true
	case "json":
		return expr.Builtin(name, r.json), true
	case "raise_for_status":
		return expr.Builtin(name, r.raiseForStatus), true
	}
	return nil, false
}

// json reads the body. Numbers stay as exact as they are written.
func (r *response) json(c *expr.Call) (expr.Value, error) {
	if err := bare(c); err != nil {
		return nil, err
	}
	// What is read is larger than its text; this is paid for before it is made.
	if err := c.Grow(16 * len(r.Body)); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, jsonError.Raise("the answer is not JSON")
	}
	return expr.FromGo(v), nil
}

func (r *response) raiseForStatus(c *expr.Call) (expr.Value, error) {
	if r.Status < 400 {
		return expr.None, bare(c)
	}
	kind := "Client"
	if r.Status >= 500 {
		kind = "Server"
	}
	return nil, httpError.Raise("%d %s Error: %s", r.Status, kind, r.Reason)
}

// describe is an answer in a record: what it was can be recognized, and not
// read.
func describe(f Fetched) string {
	return fmt.Sprintf("status %d, %d bytes, SHA-256 %x", f.Status, len(f.Body), sha256.Sum256(f.Body))
}

// shownURL is a URL in a record: without credentials, and without what stands
// under names of secrets.
func (e *evaluation) shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "…"
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	query := strings.Split(u.RawQuery, "&")
	for i, pair := range query {
		name, value, ok := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		said, err2 := url.QueryUnescape(value)
		if ok && (err != nil || err2 != nil || execution.SecretKey(plain) || e.conceal(said) != said) {
			query[i] = name + "=" + masked
		}
	}
	u.RawQuery = ""
	text := u.Scheme + "://" + u.Host + e.conceal(u.Path)
	if q := strings.Join(query, "&"); q != "" {
		text += "?" + q
	}
	return text
}
