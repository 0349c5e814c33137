package tests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// answerWithin is how long a node may take for one answer, whatever happens to
// its store.
const answerWithin = 15 * time.Second

// A balancer stands before the nodes of a cluster and sends each request to
// one of them at random. It knows nothing of sessions. As other balancers do, it
// asks nodes whether they are ready, and passes over those that say no, as long
// as there is one that says yes.
type balancer struct {
	nodes []*server
	base  string
	next  http.RoundTripper

	mu     sync.Mutex     // guards the rest
	red    []bool         // nodes that said that they are not ready
	served map[string]int // answers by node
	busy   int            // answers of 503
	faults []string       // answers that no client should get
}

func newBalancer(tb testing.TB, nodes []*server) *balancer {
	b := &balancer{nodes: nodes, next: &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}, served: map[string]int{}, red: make([]bool, len(nodes))}
	front := httptest.NewServer(b)
	b.base = front.URL
	ctx, stop := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	for i := range nodes {
		asking.Go(func() { b.ask(ctx, i) })
	}
	tb.Cleanup(func() {
		stop()
		asking.Wait()
		front.Close()
	})
	return b
}

// ask asks a node again and again whether it is ready. One that does not
// answer is found out by who connects.
func (b *balancer) ask(ctx context.Context, i int) {
	for tick := time.NewTicker(250 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		status, _, err := b.nodes[i].health()
		b.mu.Lock()
		b.red[i] = err == nil && status != http.StatusOK
		b.mu.Unlock()
	}
}

// order is in which order to try the nodes for a request.
func (b *balancer) order() (nodes []*server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var last []*server
	for _, i := range rand.Perm(len(b.nodes)) {
		if b.red[i] {
			last = append(last, b.nodes[i])
		} else {
			nodes = append(nodes, b.nodes[i])
		}
	}
	return append(nodes, last...)
}

// ServeHTTP implements [http.Handler]. A node that takes no connection is
// passed over, as any proxy does; a connection that breaks later breaks for
// the client, too, for the node may have done what it was asked.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for _, node := range b.order() {
		out := r.Clone(r.Context())
		out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", node.listen
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if len(body) == 0 {
			out.Body = http.NoBody
		}
		began := time.Now()
		response, err := b.next.RoundTrip(out)
		if refused := new(net.OpError); errors.As(err, &refused) && refused.Op == "dial" {
			continue
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		b.judge(r, node, response, text, time.Since(began))
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write(text) // a client that is gone needs no answer
		return
	}
	panic(http.ErrAbortHandler)
}

// judge remembers what no client should get: internal errors, a refusal that
// does not say when to come again, and silence.
func (b *balancer) judge(r *http.Request, node *server, response *http.Response, text []byte, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.served[node.listen]++
	fault := ""
	switch status := response.StatusCode; {
	case status == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "":
		fault = "503 without Retry-After"
	case status == http.StatusServiceUnavailable:
		b.busy++
	case status >= 500:
		fault = fmt.Sprint(status)
	}
	if took > answerWithin {
		fault += fmt.Sprintf(" after %v", took.Round(time.Second))
	}
	if fault != "" {
		b.faults = append(b.faults, fmt.Sprintf("%s %s at %s: %s: %s", r.Method, r.URL.Path, node.listen, fault, end(string(text), 300)))
	}
}

// check fails the test for each answer that no client should have got.
func (b *balancer) check(tb testing.TB) {
	tb.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, fault := range b.faults {
		if i == 10 {
			tb.Errorf("… and %d more", len(b.faults)-i)
			break
		}
		tb.Error(fault)
	}
}

// shares is how many answers each node has given.
func (b *balancer) shares() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.served)
}

// refusals is how many answers asked to come again later.
func (b *balancer) refusals() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.busy
}
