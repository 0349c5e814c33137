package policy_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

// abroad is a world outside that answers by path, and keeps what was asked.
type abroad struct {
	policy.Outside
	asked []string
	slow  bool
}

// Fetch implements [policy.Outside].
func (a *abroad) Fetch(ctx context.Context, q policy.Fetch) (policy.Fetched, error) {
	header := ""
	for _, name := range slices.Sorted(maps.Keys(q.Header)) {
		header += " " + name + "=" + q.Header[name]
	}
	a.asked = append(a.asked, fmt.Sprintf("%s %s%s %q %s", q.Method, q.URL, header, q.Body, q.Timeout))
	if a.slow {
		<-ctx.Done()
		return policy.Fetched{}, ctx.Err()
	}
	switch _, path, _ := strings.Cut(q.URL, ".example"); path {
	case "/refused":
		return policy.Fetched{}, &policy.FetchError{Kind: policy.FetchRefused, Message: "Not there."}
	case "/slow":
		return policy.Fetched{}, &policy.FetchError{Kind: policy.FetchTimeout, Message: "Too slow."}
	case "/broken":
		return policy.Fetched{}, &policy.FetchError{Kind: policy.FetchConnection, Message: "Broken."}
	case "/missing":
		return policy.Fetched{Status: 404, Reason: "Not Found", URL: q.URL, Body: []byte("<no json>")}, nil
	case "/fault":
		return policy.Fetched{Status: 503, Reason: "Unavailable", URL: q.URL}, nil
	}
	return policy.Fetched{
		Status: 200, Reason: "OK", URL: q.URL, Header: map[string]string{"Content-Type": "application/json"},
		Body: []byte(`{"a": [1, 2.5, null, "ü"], "big": 12345678901234567890}`),
	}, nil
}

// Resolve implements [policy.Outside].
func (a *abroad) Resolve(_ context.Context, host string, version int) []string {
	a.asked = append(a.asked, fmt.Sprint(host, " ", version))
	if host == "nowhere.example" {
		return nil
	}
	return []string{"192.0.2.1", "2001:db8::1"}
}

// Reverse implements [policy.Outside].
func (*abroad) Reverse(_ context.Context, ip string) string { return "host-" + ip }

func visited(t *testing.T, a *abroad, source string) (policy.Verdict, error) {
	t.Helper()
	r := asked(ada)
	r.Env.Outside = a
	r.Context = execution.Context{"prompt_data": map[string]any{"pin": domain.NewSecret("hunter2"), "odd": domain.NewSecret("a b'&\"ü")}}
	return ran(t, source, r)
}

// TestRequests states what expressions get from outside: each is true.
func TestRequests(t *testing.T) {
	for name, source := range map[string]string{
		"an answer":               `r = requests.get("https://x.example/")` + "\nreturn r.status_code == 200 and r.ok and bool(r) and r.reason == 'OK' and r.url == 'https://x.example/'",
		"json":                    `return requests.get("https://x.example/").json()["a"] == [1, 2.5, None, "ü"]`,
		"large numbers":           `return requests.get("https://x.example/").json()["big"] == 12345678901234567890`,
		"a text and its bytes":    `r = requests.get("https://x.example/")` + "\nreturn r.text.startswith('{') and len(r.content) == len(r.text) + 1",
		"headers in any case":     `r = requests.get("https://x.example/")` + "\nreturn r.headers['content-type'] == r.headers.get('CONTENT-TYPE') and 'content-Type' in r.headers and r.headers.get('x', 1) == 1",
		"no error of a status":    `r = requests.get("https://x.example/missing")` + "\nreturn not r.ok and not r and r.status_code == requests.codes.not_found",
		"an error if asked":       "try:\n  requests.get('https://x.example/missing').raise_for_status()\nexcept requests.HTTPError as e:\n  return str(e) == '404 Client Error: Not Found'",
		"a server's error":        "try:\n  requests.get('https://x.example/fault').raise_for_status()\nexcept requests.exceptions.RequestException as e:\n  return '503 Server Error' in str(e)",
		"none for a good status":  `return requests.get("https://x.example/").raise_for_status() is None`,
		"what is refused":         "try:\n  requests.get('https://x.example/refused')\nexcept requests.ConnectionError:\n  return False\nexcept requests.RequestException as e:\n  return str(e) == 'Not there.'",
		"what is slow":            "try:\n  requests.get('https://x.example/slow')\nexcept requests.exceptions.Timeout as e:\n  return str(e) == 'Too slow.'",
		"what is broken":          "try:\n  requests.post('https://x.example/broken')\nexcept requests.exceptions.ConnectionError as e:\n  return str(e) == 'Broken.'",
		"as an error of systems":  "try:\n  requests.get('https://x.example/broken')\nexcept OSError:\n  return True",
		"no json":                 "try:\n  requests.get('https://x.example/missing').json()\nexcept ValueError:\n  return True",
		"no json, as a request's": "try:\n  requests.get('https://x.example/missing').json()\nexcept requests.RequestException:\n  return True",
		"imported":                "import requests as r\nfrom requests import get\nfrom requests.exceptions import Timeout\nreturn r.get('https://x.example/').ok and get('https://x.example/').ok",
		"names":                   `return resolve_dns("x.example") == ["192.0.2.1", "2001:db8::1"] and resolve_dns("nowhere.example", ip_version=4) == []`,
		"addresses":               `return reverse_dns("192.0.2.1") == "host-192.0.2.1" and reverse_dns(ak_client_ip) == "host-192.0.2.7"`,
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := visited(t, &abroad{}, source); err != nil || !v.Passing {
				t.Errorf("got %t, %v", v.Passing, err)
			}
		})
	}
}

func TestRequestsAsk(t *testing.T) {
	for call, want := range map[string]string{
		`get("https://x.example/?a=1", params={"b": [2, "3 4"], "c": None})`:                       `GET https://x.example/?a=1&b=2&b=3+4 "" 0s`,
		`get("https://x.example/", {"a": 1}, timeout=(1, 2.5))`:                                    `GET https://x.example/?a=1 "" 3.5s`,
		`post("https://x.example/", json={"a": [1, None, True], "u": ak_client_ip}, timeout=5)`:    `POST https://x.example/ Content-Type=application/json "{\"a\":[1,null,true],\"u\":\"192.0.2.7\"}" 5s`,
		`post("https://x.example/", {"a": "b c"})`:                                                 `POST https://x.example/ Content-Type=application/x-www-form-urlencoded "a=b+c" 0s`,
		`put("https://x.example/", data="text", headers={"content-type": "text/plain", "X-N": 5})`: `PUT https://x.example/ X-N=5 content-type=text/plain "text" 0s`,
		`patch("https://x.example/", json=[], headers={"content-type": "application/x"})`:          `PATCH https://x.example/ content-type=application/x "[]" 0s`,
		`delete("https://x.example/", auth=("u", "p"), verify=True)`:                               `DELETE https://x.example/ Authorization=Basic dTpw "" 0s`,
		`head("https://x.example/")`:                                                               `HEAD https://x.example/ "" 0s`,
		`request("post", "https://x.example/", data=[("a", "b")], allow_redirects=True)`:           `POST https://x.example/ Content-Type=application/x-www-form-urlencoded "a=b" 0s`,
	} {
		a := &abroad{}
		if _, err := visited(t, a, "requests."+call); err != nil {
			t.Errorf("%s: %v", call, err)
		}
		if diff := cmp.Diff([]string{want}, a.asked); diff != "" {
			t.Errorf("%s: asked (-want +got):\n%s", call, diff)
		}
	}
	for call, want := range map[string]string{
		`requests.get("no url")`:                                           "RequestException: Invalid URL",
		`requests.get("https://x.example/", verify=False)`:                 "ValueError: verify is always True here",
		`requests.get("https://x.example/", allow_redirects=False)`:        "ValueError: allow_redirects is always True here",
		`requests.get("https://x.example/", cookies={})`:                   "TypeError: get() got an unexpected keyword argument 'cookies'",
		`requests.get("https://x.example/", headers={"a": "b\r\nc: d"})`:   "RequestException: Invalid header name or value",
		`requests.get("https://x.example/", headers=[])`:                   "TypeError: headers are a dict, not list",
		`requests.get("https://x.example/", auth="x")`:                     "TypeError: auth is a name and a password",
		`requests.get("https://x.example/", timeout="x")`:                  "ValueError: a timeout is a number of seconds",
		`requests.get("https://x.example/", timeout=-1)`:                   "ValueError: a timeout is a number of seconds",
		`requests.post("https://x.example/", json={1: 2})`:                 "TypeError: keys of plain data are texts, not int",
		`requests.request("CONNECT", "https://x.example/")`:                "ValueError: there is no method 'CONNECT'",
		`resolve_dns("x", 5)`:                                              "ValueError: ip_version is 4, 6 or None, not 5",
		"a = []\na.append(a)\nrequests.post('https://x.example/', json=a)": "ValueError: the value is nested too deeply",
		"for i in range(999):\n  requests.get('https://x.example/')":       "RuntimeError: the expression looks too much up",
	} {
		if _, err := visited(t, &abroad{}, call); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", call, err, want)
		}
	}
}

func TestRequestsOff(t *testing.T) {
	_, err := ran(t, `requests.get("https://x.example/")`, asked(ada))
	if err == nil || !strings.Contains(err.Error(), "--policy-requests") {
		t.Errorf("got %v", err)
	}
	v, err := ran(t, `return resolve_dns("x.example") == [] and reverse_dns("192.0.2.1") == "192.0.2.1"`, asked(ada))
	if err != nil || !v.Passing {
		t.Errorf("names: got %t, %v", v.Passing, err)
	}
}

// A policy's own time is over, whatever it handles.
func TestRequestsEndWithThePolicy(t *testing.T) {
	r := asked(ada)
	r.Env.Outside = &abroad{slow: true}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	p := &policy.Expression{Source: "try:\n  requests.get('https://x.example/')\nexcept Exception:\n  return True"}
	if v, err := p.Passes(ctx, r); err == nil || v.Passing {
		t.Errorf("got %t, %v", v.Passing, err)
	}
}

func TestRequestsAreRecorded(t *testing.T) {
	v, err := visited(t, &abroad{}, strings.Join([]string{
		`pin, odd = context["prompt_data"]["pin"], context["prompt_data"]["odd"]`,
		`requests.post("https://u:p@x.example/a/" + pin + "#" + pin, params={"q": odd, "api_key": "k", "n": 1}, json={"pin": pin}, auth=("u", pin))`,
		`requests.get("https://x.example/missing")`,
		`try:`,
		`  requests.get("https://x.example/slow")`,
		`except requests.Timeout:`,
		`  pass`,
		`resolve_dns("nowhere.example", 4)`,
		`resolve_dns(pin + ".example")`,
		`reverse_dns("192.0.2.1")`,
		`return True`,
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	const mask = "********************"
	want := []execution.Lookup{
		{Call: "requests.post('https://x.example/a/" + mask + "?api_key=" + mask + "&n=1&q=" + mask + "')",
			Answer: "status 200, 56 bytes, SHA-256 "},
		{Call: "requests.get('https://x.example/missing')", Answer: "status 404, 9 bytes, SHA-256 "},
		{Call: "requests.get('https://x.example/slow')", Answer: "Too slow."},
		{Call: "resolve_dns('nowhere.example')", Answer: "nothing"},
		{Call: "resolve_dns('" + mask + ".example')", Answer: "nothing"},
		{Call: "reverse_dns('192.0.2.1')", Answer: "host-192.0.2.1"},
	}
	got := slices.Clone(v.Detail.Lookups)
	for i := range got {
		if before, _, ok := strings.Cut(got[i].Answer, "SHA-256 "); ok && len(got[i].Answer) == len(before)+8+64 {
			got[i].Answer = before + "SHA-256 "
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("look-ups (-want +got):\n%s", diff)
	}
}
