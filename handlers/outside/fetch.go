package outside

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/flowledger/flowledger/domain/policy"
)

const usual = 5 * time.Second // for a request that names no timeout

// Fetch implements [policy.Outside].
func (w *World) Fetch(ctx context.Context, q policy.Fetch) (policy.Fetched, error) {
	if !w.requests {
		return policy.Fetched{}, refused("Requests of expressions are off. They can be allowed with --policy-requests.")
	}
	to, err := checked(q)
	if err != nil {
		return policy.Fetched{}, err
	}
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	default:
		return policy.Fetched{}, &policy.FetchError{
			Kind: policy.FetchConnection, Message: fmt.Sprintf("%d requests of expressions are under way already.", maxRequests),
		}
	}
	limit := q.Timeout
	if limit <= 0 {
		limit = usual
	}
	ctx, cancel := context.WithTimeout(ctx, min(limit, longest))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, strings.ToUpper(q.Method), to.String(), bytes.NewReader(q.Body))
	if err != nil {
		return policy.Fetched{}, refused("%s cannot be asked so.", shown(to))
	}
	r.Header.Set("User-Agent", w.agent)
	for name, value := range q.Header {
		r.Header.Set(name, value)
	}
	return w.answer(r)
}

// answer makes a request and reads the whole answer. What is counted is what
// it holds, not what was sent: a small body may unpack to a huge one.
func (w *World) answer(r *http.Request) (policy.Fetched, error) {
	response, err := w.client.Do(r)
	if err != nil {
		return policy.Fetched{}, explained(r.URL, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return policy.Fetched{}, explained(response.Request.URL, err)
	}
	if len(body) > maxAnswer {
		return policy.Fetched{}, refused("The answer of %s is larger than %d bytes.", shown(response.Request.URL), maxAnswer)
	}
	header := make(map[string]string, len(response.Header))
	for name, values := range response.Header {
		header[name] = strings.Join(values, ", ")
	}
	_, reason, _ := strings.Cut(response.Status, " ")
	return policy.Fetched{
		Status: response.StatusCode, Reason: reason, URL: response.Request.URL.String(), Header: header, Body: body,
	}, nil
}

// maxRedirects is how often an answer may send on.
const maxRedirects = 5

// kept are the headers that go to another host after a redirection. Of those
// that an expression set, any other may be a key. net/http alone would give
// Authorization to hosts below the first and to other ports, and would tell in
// Referer what the query was.
var kept = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// redirect judges where an answer sends on. The address is judged by the
// dialer.
func redirect(next *http.Request, before []*http.Request) error {
	last := before[len(before)-1].URL
	if len(before) > maxRedirects {
		return refused("%s redirects too often.", shown(before[0].URL))
	}
	if err := reachable(next.URL); err != nil {
		return err
	}
	if last.Scheme == "https" && next.URL.Scheme != "https" {
		return refused("%s redirects to an address without encryption.", shown(last))
	}
	next.Header.Del("Referer")
	for _, r := range append(before[1:len(before):len(before)], next) {
		if r.URL.Scheme == before[0].URL.Scheme && r.URL.Host == before[0].URL.Host {
			continue
		}
		bare := http.Header{}
		for _, name := range kept {
			if values := next.Header.Values(name); len(values) > 0 {
				bare[name] = values
			}
		}
		next.Header = bare
		break
	}
	return nil
}

func refused(format string, args ...any) *policy.FetchError {
	return &policy.FetchError{Kind: policy.FetchRefused, Message: fmt.Sprintf(format, args...)}
}

// shown is what messages tell of a URL. Paths and queries hold keys, and
// messages reach those who log in.
func shown(u *url.URL) string { return u.Scheme + "://" + u.Host }

// explained says in a sentence why there is no answer. The texts of net/http
// have the whole URL and inner addresses, so none of them is used.
func explained(u *url.URL, err error) *policy.FetchError {
	if e, ok := errors.AsType[*policy.FetchError](err); ok {
		return e
	}
	var wrong *url.Error
	if errors.As(err, &wrong) {
		if to, err := url.Parse(wrong.URL); err == nil && to.Host != "" {
			u = to // where a redirection led
		}
	}
	host := shown(u)
	if errors.Is(err, errPrivate) {
		return refused("%s is not at a public address, and not listed with --policy-private.", host)
	}
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return &policy.FetchError{Kind: policy.FetchTimeout, Message: host + " did not answer in time."}
	}
	broken := &policy.FetchError{Kind: policy.FetchConnection, Message: host + " gave no valid answer."}
	var unknown *net.DNSError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		broken.Message = "The request to " + host + " was given up."
	case errors.As(err, &unknown):
		broken.Message = "The address of " + host + " was not found."
	case errors.As(err, &untrusted):
		broken.Message = "The certificate of " + host + " is not trusted."
	case errors.Is(err, syscall.ECONNREFUSED):
		broken.Message = host + " accepts no connection."
	}
	return broken
}
