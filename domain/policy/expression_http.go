package policy

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/expr"
)

// The exceptions of requests, as handlers know them.
var (
	requestException = expr.Exception("OSError").Derive("RequestException")
	connectionError  = requestException.Derive("ConnectionError", expr.Exception("ConnectionError"))
	timeoutError     = requestException.Derive("Timeout")
	httpError        = requestException.Derive("HTTPError")
	jsonError        = requestException.Derive("JSONDecodeError", expr.Exception("ValueError"))
)

var requestExceptions = map[string]expr.Value{
	"RequestException": requestException, "ConnectionError": connectionError, "Timeout": timeoutError, "HTTPError": httpError,
	"JSONDecodeError": jsonError, "ConnectTimeout": timeoutError, "ReadTimeout": timeoutError, "SSLError": connectionError,
	"InvalidURL": requestException, "TooManyRedirects": requestException,
}

// requestsModule is what requests has, with or without an import.
var requestsModule = func() map[string]expr.Value {
	out := map[string]expr.Value{"exceptions": attributes{"module", requestExceptions}, "codes": attributes{"LookupDict", map[string]expr.Value{
		"ok": expr.Int(200), "created": expr.Int(201), "accepted": expr.Int(202), "no_content": expr.Int(204), "bad_request": expr.Int(400),
		"unauthorized": expr.Int(401), "forbidden": expr.Int(403), "not_found": expr.Int(404),
	}}}
	for _, name := range []string{"RequestException", "ConnectionError", "Timeout", "HTTPError", "JSONDecodeError", "ConnectTimeout", "ReadTimeout"} {
		out[name] = requestExceptions[name]
	}
	for _, method := range methods {
		name := strings.ToLower(method)
		out[name] = expr.Builtin(name, func(c *expr.Call) (expr.Value, error) { return fetch(c, method) })
	}
	out["request"] = expr.Builtin("request", func(c *expr.Call) (expr.Value, error) {
		if len(c.Args) == 0 {
			return nil, expr.Raise("TypeError", "request() takes a method and a URL")
		}
		rest := *c
		rest.Args = c.Args[1:]
		method := strings.ToUpper(text(c.Args[0]))
		if !slices.Contains(methods, method) {
			return nil, expr.Raise("ValueError", "there is no method %s", expr.Repr(expr.Str(method)))
		}
		return fetch(&rest, method)
	})
	return out
}()

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// A fetching is a request as it is put together.
type fetching struct {
	Fetch
	c    *expr.Call
	args map[string]expr.Value
}

// parameters are what a request takes beside its URL.
var parameters = []string{"params", "data", "json", "headers", "auth", "timeout", "allow_redirects", "verify", "stream"}

// fetch makes a request of an expression.
func fetch(c *expr.Call, method string) (expr.Value, error) {
	e := running(c)
	if e == nil || e.q.Env.Outside == nil {
		return nil, requestException.Raise("Requests of expressions are off. They can be allowed with --policy-requests.")
	}
	order := []string{"url", "params?"}
	if method == "POST" || method == "PUT" || method == "PATCH" {
		order = []string{"url", "data?", "json?"}
	}
	for _, name := range parameters {
		if !slices.Contains(order, name+"?") {
			order = append(order, name+"?")
		}
	}
	values, err := c.Bind(order...)
	if err != nil {
		return nil, err
	}
	f := &fetching{Fetch: Fetch{Method: method, Header: map[string]string{}}, c: c, args: map[string]expr.Value{}}
	for i, name := range order {
		if v := values[i]; v != nil && v != expr.None {
			f.args[strings.TrimSuffix(name, "?")] = v
		}
	}
	if err := f.assemble(); err != nil {
		return nil, err
	}
	if err := e.mayAsk(); err != nil {
		return nil, err
	}
	got, err := e.q.Env.Outside.Fetch(e.ctx, f.Fetch)
	call := "requests." + strings.ToLower(method) + "('" + e.shownURL(f.URL) + "')"
	if err != nil {
		return nil, e.refused(call, err)
	}
	e.look(call, describe(got))
	return newResponse(got), c.Grow(2*len(got.Body) + 500)
}

// refused is a request that got no answer, as an exception.
func (e *evaluation) refused(call string, err error) error {
	if ctx := e.ctx.Err(); ctx != nil {
		return ctx
	}
	text := err.Error()
	e.look(call, text)
	if f, ok := errors.AsType[*FetchError](err); ok {
		switch f.Kind {
		case FetchTimeout:
			return timeoutError.Raise("%s", text)
		case FetchRefused:
			return requestException.Raise("%s", text)
		}
	}
	return connectionError.Raise("%s", text)
}

func (f *fetching) assemble() error {
	for _, step := range []func() error{f.address, f.fixed, f.body, f.headers, f.credentials, f.patience} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// address is the URL, with the parameters in its query.
func (f *fetching) address() error {
	f.URL = text(f.args["url"])
	u, err := url.Parse(f.URL)
	if err != nil || u.Host == "" {
		return requestException.Raise("Invalid URL: a request wants one with a scheme and a host")
	}
	params, ok := f.args["params"]
	if !ok {
		return nil
	}
	query, err := f.form(params)
	if err != nil {
		return err
	}
	if u.RawQuery != "" && query != "" {
		query = "&" + query
	}
	u.RawQuery += query
	f.URL = u.String()
	return nil
}

// fixed refuses what cannot be turned off.
func (f *fetching) fixed() error {
	for _, name := range []string{"verify", "allow_redirects"} {
		if v, ok := f.args[name]; ok && v != expr.Bool(true) {
			return expr.Raise("ValueError", "%s is always True here", name)
		}
	}
	return nil
}

// body is json, a form or a text.
func (f *fetching) body() error {
	if v, ok := f.args["json"]; ok {
		plain, err := operand(v)
		if err != nil {
			return err
		}
		body, err := json.Marshal(plain)
		if err != nil {
			return expr.Raise("TypeError", "the json of a request is data only")
		}
		f.Body, f.Header["Content-Type"] = body, "application/json"
	}
	switch v := f.args["data"].(type) {
	case nil:
	case expr.Str:
		f.Body = []byte(v)
	case expr.Bytes:
		f.Body = []byte(v)
	default:
		form, err := f.form(v)
		if err != nil {
			return err
		}
		f.Body, f.Header["Content-Type"] = []byte(form), "application/x-www-form-urlencoded"
	}
	return f.c.Grow(len(f.Body))
}

// form writes a dictionary, or a list of pairs, as a query.
func (f *fetching) form(v expr.Value) (string, error) {
	values := url.Values{}
	add := func(key string, v expr.Value) error {
		items := []expr.Value{v}
		switch v := v.(type) {
		case *expr.List:
			items = v.Items()
		case expr.Tuple:
			items = v
		}
		for _, item := range items {
			if item == expr.None {
				continue
			}
			said, err := f.c.Text(item)
			if err != nil {
				return err
			}
			values.Add(key, said)
		}
		return nil
	}
	var pairs []expr.Value
	switch v := v.(type) {
	case *expr.Dict:
		for _, key := range v.Keys() {
			item, _ := v.Get(text(key))
			pairs = append(pairs, expr.Tuple{key, item})
		}
	case *expr.List:
		pairs = v.Items()
	case expr.Tuple:
		pairs = v
	case expr.Str:
		return string(v), nil
	default:
		return "", expr.Raise("TypeError", "a request takes a dict, a list of pairs or a text, not %s", v.Type())
	}
	for _, pair := range pairs {
		p, ok := pair.(expr.Tuple)
		if !ok || len(p) != 2 || p[1] == nil {
			return "", expr.Raise("ValueError", "a request takes pairs of a name and a value")
		}
		if err := add(text(p[0]), p[1]); err != nil {
			return "", err
		}
	}
	return values.Encode(), nil
}

func (f *fetching) headers() error {
	v, ok := f.args["headers"]
	if !ok {
		return nil
	}
	d, ok := v.(*expr.Dict)
	if !ok {
		return expr.Raise("TypeError", "headers are a dict, not %s", v.Type())
	}
	for _, key := range d.Keys() {
		name := text(key)
		value, _ := d.Get(name)
		if value == nil {
			continue
		}
		said, err := f.c.Text(value)
		if err != nil {
			return err
		}
		if name == "" || strings.ContainsAny(name, "\r\n: \t") || strings.ContainsAny(said, "\r\n") {
			return requestException.Raise("Invalid header name or value")
		}
		for known := range f.Header {
			if strings.EqualFold(known, name) {
				delete(f.Header, known)
			}
		}
		f.Header[name] = said
	}
	return nil
}

// credentials are a name and a password for basic authentication.
func (f *fetching) credentials() error {
	v, ok := f.args["auth"]
	if !ok {
		return nil
	}
	pair, ok := v.(expr.Tuple)
	if !ok || len(pair) != 2 {
		return expr.Raise("TypeError", "auth is a name and a password: ('name', 'password')")
	}
	f.Header["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(text(pair[0])+":"+text(pair[1])))
	return nil
}

// patience is the timeout: seconds, or those to connect and those to read.
func (f *fetching) patience() error {
	v, ok := f.args["timeout"]
	if !ok {
		return nil
	}
	parts := []expr.Value{v}
	if pair, ok := v.(expr.Tuple); ok {
		parts = pair
	}
	for _, part := range parts {
		seconds, ok := real64(expr.ToGo(part))
		if !ok || seconds <= 0 || seconds > 3600 {
			return expr.Raise("ValueError", "a timeout is a number of seconds")
		}
		f.Timeout += time.Duration(seconds * float64(time.Second))
	}
	return nil
}
