package worker

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
)

const (
	sinkTimeout = 30 * time.Second // for a request, or a write
	dialTimeout = 10 * time.Second
	maxAnswer   = 64 << 10         // bytes of an answer that are read
	maxAfter    = 15 * time.Minute // for which a target can have itself left alone
)

// TLSConfig makes the configuration for connections to targets. Authorities,
// in PEM, are trusted instead of the system's.
func TLSConfig(authorities, serverName string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if authorities != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(authorities)) {
			return nil, errors.New("the authorities are no certificates in PEM")
		}
	}
	return c, nil
}

// client makes an HTTP client that goes where it is told, and nowhere else.
func client(c *tls.Config, lanes int) *http.Client {
	return &http.Client{
		Timeout:       sinkTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
			TLSClientConfig: c, TLSHandshakeTimeout: dialTimeout, ForceAttemptHTTP2: true, ResponseHeaderTimeout: sinkTimeout,
			MaxIdleConnsPerHost: lanes, MaxResponseHeaderBytes: maxAnswer, IdleConnTimeout: 90 * time.Second,
		},
	}
}

// post sends a request and judges the answer. The target has it when the whole
// of an answer with a status from 200 to 299 has come.
func post(c *http.Client, r *http.Request) (string, error) {
	r.Header.Set("User-Agent", "flowledger")
	answer, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	if fault := statusTrouble(answer.StatusCode, retryAfter(answer.Header.Get("Retry-After"), time.Now())); fault != nil {
		return "", fault
	}
	return strconv.Itoa(answer.StatusCode), err
}

// retryAfter reads how long a target wants to be left alone, in seconds or
// until a date.
func retryAfter(text string, now time.Time) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		d = time.Duration(min(max(n, 0), int(maxAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxAfter)
}

// An HTTPTarget posts batches, a record on each line, compressed.
type HTTPTarget struct {
	URL    string
	Media  string // type of the body
	Header string // that carries the secret
	Secret domain.Secret
	client *http.Client
}

// NewHTTPTarget makes a target for batches on so many lanes.
func NewHTTPTarget(t HTTPTarget, c *tls.Config, lanes int) *HTTPTarget {
	t.client = client(c, lanes)
	return &t
}

// Send implements [Target].
func (t *HTTPTarget) Send(ctx context.Context, batch []Item) (string, error) {
	var body bytes.Buffer
	zip, err := gzip.NewWriterLevel(&body, gzip.BestSpeed)
	if err != nil {
		return "", err
	}
	for _, item := range batch {
		_, _ = zip.Write(bytes.TrimSuffix(item.Body, []byte("\n"))) // memory takes all
		_, _ = zip.Write([]byte("\n"))
	}
	if err := zip.Close(); err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, &body)
	if err != nil {
		return "", &Trouble{Class: "the address cannot be used", Slow: true}
	}
	r.Header.Set("Content-Type", t.Media)
	r.Header.Set("Content-Encoding", "gzip")
	key, again := batchKey(batch)
	r.Header.Set("Idempotency-Key", key)
	if again {
		r.Header.Set("Flowledger-Replay", "true")
	}
	if !t.Secret.Empty() {
		r.Header.Set(t.Header, credential(t.Header, t.Secret))
	}
	return post(t.client, r)
}

// credential is the value of the header. A bare token is a bearer's.
func credential(header string, secret domain.Secret) string {
	text := secret.Reveal()
	if http.CanonicalHeaderKey(header) == "Authorization" && !strings.Contains(text, " ") {
		return "Bearer " + text
	}
	return text
}

// batchKey is the same for the same events only: where they begin and end is
// not enough, for a sink that leaves out others has other batches. What is sent
// again on purpose must not be taken for a mere repetition.
func batchKey(batch []Item) (key string, again bool) {
	h := sha256.New()
	for _, item := range batch {
		_, _ = h.Write(item.ID[:]) // it never fails
		again = again || item.Again
	}
	key = fmt.Sprintf("%s-%s-%x", batch[0].Place, batch[len(batch)-1].Place, h.Sum(nil)[:8])
	if again {
		key += "-again"
	}
	return key, again
}

// Close implements [Target].
func (t *HTTPTarget) Close() error {
	t.client.CloseIdleConnections()
	return nil
}
