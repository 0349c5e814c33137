package auditapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/projections"
)

// A tap is a server of streams over a ledger in memory.
type tap struct {
	auditapi.Stories

	t      *testing.T
	store  *memory.Store
	caller atomic.Pointer[session.Caller]
	looks  looks
	ending chan struct{}
	server *auditapi.Server
	http   *httptest.Server

	executions []projections.Execution
}

func newTap(t *testing.T) *tap { return newTapWithin(t, time.Minute) }

// newTapWithin makes one whose server wants to be done with requests in time.
func newTapWithin(t *testing.T, limit time.Duration) *tap {
	p := &tap{t: t, store: memory.New(time.Now), ending: make(chan struct{})}
	p.caller.Store(&auditor)
	p.server = &auditapi.Server{
		Ledger: p.store, Index: p, Callers: p, Looks: &p.looks, Tail: p, Ending: p.ending, Executions: p, People: p, Stories: p,
		Records: gathered{}, Opened: gathered{"ann"}, Wait: func(context.Context) error { return nil },
		Log: slog.New(slog.DiscardHandler),
	}
	p.server.Hasten(time.Millisecond, time.Minute, time.Minute, 10*time.Second)
	r := mux.NewRouter()
	p.server.Mount(r)
	p.http = httptest.NewUnstartedServer(r)
	p.http.Config.ReadTimeout, p.http.Config.WriteTimeout = limit, limit
	p.http.Start()
	t.Cleanup(func() {
		p.http.CloseClientConnections()
		p.http.Close() // waits for the handlers
		if n := p.server.Streams(); n != 0 {
			t.Errorf("%d streams are left", n)
		}
	})
	return p
}

func (p *tap) Of(http.ResponseWriter, *http.Request) (session.Caller, error) {
	return *p.caller.Load(), nil
}

func (p *tap) Applied() eventstore.Position {
	head, err := p.store.Head(context.Background())
	if err != nil {
		p.t.Error(err)
	}
	return head
}

// Following finds by type only.
func (p *tap) Following(ctx context.Context, f projections.AuditFilter, after eventstore.Position, limit int) (out []projections.Entry, err error) {
	for e, err := range p.store.ReadAll(ctx, after) {
		if err != nil {
			return nil, err
		}
		if e.Type == f.Types[0] && len(out) < limit {
			out = append(out, projections.Entry{Stream: e.Stream, Revision: e.Revision, Position: e.Position})
		}
	}
	return out, nil
}

func (p *tap) Timeline(ctx context.Context, id string) (out []projections.Entry, err error) {
	for e, err := range p.store.ReadStream(ctx, eventstore.Stream("execution", id), 0) {
		if err != nil {
			return nil, err
		}
		out = append(out, projections.Entry{Stream: e.Stream, Revision: e.Revision, Position: e.Position, Type: e.Type, Execution: id})
	}
	return out, nil
}

// UserID is all that is asked of stories here.
func (p *tap) UserID(_ context.Context, text string) (string, error) {
	if text == "nobody" {
		return "", nil
	}
	return text, nil
}

// write appends events to a stream of its own.
func (p *tap) write(kind string, n int) {
	stream := eventstore.Stream("sample", uuid.NewString())
	for range n {
		e := eventstore.NewEvent{ID: uuid.New(), Type: kind, Schema: 1, Header: []byte(`{}`), Payload: []byte(`{"a": 1}`), Sealed: []byte("hidden")}
		if _, err := p.store.Append(context.Background(), stream, eventstore.Any, e); err != nil {
			p.t.Error(err)
		}
	}
}

// open begins a stream; it ends with the test.
func (p *tap) open(query, last string) (*http.Response, *bufio.Reader) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.http.URL+"/api/v3/ledger/stream/"+query, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { answer.Body.Close() })
	return answer, bufio.NewReader(answer.Body)
}

// A message is a server-sent event.
type message struct{ id, kind, data string }

// next reads the next message, comments and bare ids included.
func next(in *bufio.Reader) (m message, err error) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return m, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n":
			return m, nil
		case name == "id":
			m.id = value
		case name == "event":
			m.kind = value
		case name == "data":
			m.data = value
		}
	}
}

// nextEvent reads the next message that has an event in it.
func nextEvent(in *bufio.Reader) (message, error) {
	for {
		if m, err := next(in); err != nil || m.data != "" {
			return m, err
		}
	}
}

func TestStreamShowsEvents(t *testing.T) {
	p := newTap(t)
	p.write("Old", 2)
	answer, in := p.open("", "")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no", "Content-Encoding": "",
		"Access-Control-Allow-Origin": "",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if hello, err := next(in); hello.id != "2" || hello.data != "" || err != nil {
		t.Errorf("a stream begins with %v %v, want the end of the ledger", hello, err)
	}
	p.write("New", 1)
	m, err := nextEvent(in)
	if err != nil || m.id != "3" || m.kind != "New" {
		t.Fatalf("got %v %v", m, err)
	}
	var e auditapi.Event
	if err := json.Unmarshal([]byte(m.data), &e); err != nil || e.Type != "New" || e.Position != "3" || e.Sealed != 6 || strings.Contains(m.data, "hidden") {
		t.Errorf("data is %s %v", m.data, err)
	}
	_, some := p.open("?after=0&type=New", "")
	if m, err := nextEvent(some); m.id != "3" || err != nil {
		t.Errorf("of one type: %v %v", m, err)
	}
	if want := "stream map[] found 0|stream map[type:New] found 0"; strings.Join(p.looks.told, "|") != want {
		t.Errorf("told %q, want %q", p.looks.told, want)
	}
}

func TestStreamRefusals(t *testing.T) {
	p := newTap(t)
	p.write("Sample", 3)
	for sentence, c := range map[string]struct {
		query, last string
		status      int
		says        string
	}{
		"what is no position":           {"?after=x", "", 400, `{"after":["Enter a position of the ledger."]}`},
		"an id that is none":            {"", "x", 400, `{"Last-Event-ID":["Enter a position of the ledger."]}`},
		"a position of another ledger":  {"?after=4", "", 400, `{"after":["The ledger ends at position 3."]}`},
		"an id of another ledger":       {"", "4", 400, `{"after":["The ledger ends at position 3."]}`},
		"a filter that is misspelt":     {"?types=Sample", "", 400, `{"types":["There is no such parameter."]}`},
		"the last position is no other": {"", "3", 200, ""},
	} {
		answer, in := p.open(c.query, c.last)
		if answer.StatusCode != c.status {
			t.Errorf("%s: %d", sentence, answer.StatusCode)
		}
		if c.says != "" {
			if text, err := io.ReadAll(in); strings.TrimSpace(string(text)) != c.says || err != nil {
				t.Errorf("%s: %s %v", sentence, text, err)
			}
		}
	}
	if answer, err := http.Head(p.http.URL + "/api/v3/ledger/stream/"); err != nil || answer.StatusCode != 200 {
		t.Errorf("HEAD: %v %v", answer, err)
	}
}

// What a stream says of an event is what the list does, whatever is in it.
func TestStreamSaysWhatTheListDoes(t *testing.T) {
	p := newTap(t)
	for i, payload := range []string{`{"a":1}`, "{\n  \"a\": [1,\r\n 2]\n}", `{"header":null,"payload":null,"b":"<&>"}`, `{"a":"\u0000\n"}`} {
		e := eventstore.NewEvent{ID: uuid.New(), Type: "Sample", Schema: i + 1, Header: []byte(`{"actor":null}`), Payload: []byte(payload)}
		if _, err := p.store.Append(t.Context(), "sample-1", eventstore.Any, e); err != nil {
			t.Fatal(err)
		}
	}
	_, in := p.open("?after=0", "")
	for e, err := range p.store.ReadAll(t.Context(), eventstore.Position{}) {
		m, fault := nextEvent(in)
		if err != nil || fault != nil {
			t.Fatal(err, fault)
		}
		want, err := json.Marshal(auditapi.EventOf(e))
		if err != nil {
			t.Fatal(err)
		}
		var got, list any
		if err := errors.Join(json.Unmarshal([]byte(m.data), &got), json.Unmarshal(want, &list)); err != nil {
			t.Errorf("%s: %v", m.data, err)
		}
		if diff := cmp.Diff(list, got); diff != "" {
			t.Errorf("(-list +stream):\n%s", diff)
		}
	}
}

// Under load, a client that is cut off again and again gets every position
// once, in order, whether it reads all or what a filter wants.
func TestStreamResumes(t *testing.T) {
	const writers, each = 4, 1000
	p := newTap(t)
	var load sync.WaitGroup
	for range writers {
		load.Go(func() { p.write("Sample", each) })
	}
	var clients sync.WaitGroup
	for n, query := range []string{"?after=0", "?after=0&type=Sample", "?after=0"} {
		clients.Go(func() {
			last, seen := "", 0
			for cut := 1; seen < writers*each; cut = cut*7%211 + n {
				answer, in := p.open(query, last)
				for range cut + 1 {
					m, err := nextEvent(in)
					if err != nil {
						break // cut by the other side
					}
					if seen++; m.id != strconv.Itoa(seen) {
						t.Errorf("client %d got position %s, want %d", n, m.id, seen)
						return
					}
					last = m.id
					if seen == writers*each {
						break
					}
				}
				answer.Body.Close() // in the middle of what is on its way
			}
		})
	}
	load.Wait()
	clients.Wait()
}

// A stream whose filter finds nothing shows life, and moves its id on.
func TestStreamBeats(t *testing.T) {
	p := newTap(t)
	p.server.Hasten(time.Millisecond, 5*time.Millisecond, time.Minute, time.Second)
	_, in := p.open("?type=Never", "")
	p.write("Other", 40)
	for {
		m, err := next(in)
		if err != nil || m.data != "" {
			t.Fatalf("got %v %v", m, err)
		}
		if m.id == "40" {
			return
		}
	}
}

// A stream goes on when other requests would be over.
func TestStreamOutlivesRequests(t *testing.T) {
	const limit = 300 * time.Millisecond
	p := newTapWithin(t, limit)
	p.server.Hasten(time.Millisecond, 5*time.Millisecond, time.Minute, time.Second)
	_, in := p.open("", "")
	for begun := time.Now(); time.Since(begun) < 2*limit; {
		if _, err := next(in); err != nil {
			t.Fatalf("after %v: %v", time.Since(begun), err)
		}
	}
}

// Who may not look any more is cut off.
func TestStreamIsWithdrawn(t *testing.T) {
	for sentence, c := range map[string]session.Caller{
		"the permission is gone": {User: auditor.User}, "the session is over": {}, "it is somebody else's": {User: "eve", Superuser: true},
	} {
		p := newTap(t)
		p.server.Hasten(time.Millisecond, time.Minute, 2*time.Millisecond, time.Second)
		_, in := p.open("", "")
		if _, err := next(in); err != nil {
			t.Fatal(err)
		}
		p.caller.Store(&c)
		if m, err := next(in); err != io.EOF {
			t.Errorf("%s: %v %v", sentence, m, err)
		}
	}
}

// A client that takes nothing is cut off, and what it does not take is not
// kept for it.
func TestStreamIsStalled(t *testing.T) {
	p := newTap(t)
	p.server.Hasten(time.Millisecond, time.Minute, time.Minute, 20*time.Millisecond)
	big := eventstore.NewEvent{Type: "Big", Schema: 1, Header: []byte(`{}`), Payload: fmt.Appendf(nil, `{"a":%q}`, bytes.Repeat([]byte("a"), 60_000))}
	for range 400 {
		big.ID = uuid.New()
		if _, err := p.store.Append(t.Context(), "sample-big", eventstore.Any, big); err != nil {
			t.Fatal(err)
		}
	}
	conn := p.dial("/api/v3/ledger/stream/?after=0")
	p.until(1)
	p.until(0)
	got, _ := io.Copy(io.Discard, conn)
	if got > 20<<20 {
		t.Errorf("%d bytes were on their way", got)
	}
}

// until waits until so many streams are open.
func (p *tap) until(n int) {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for p.server.Streams() != n {
		<-look.C
	}
}

// dial asks without reading the answer.
func (p *tap) dial(path string) net.Conn {
	conn, err := net.Dial("tcp", p.http.Listener.Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		p.t.Fatal(err)
	}
	return conn
}

// When the program ends, streams do at once: those that wait, and one in the
// middle of a write that its client does not take.
func TestStreamsEndWithTheProgram(t *testing.T) {
	p := newTap(t)
	p.write("Sample", 100)
	big := bytes.Repeat([]byte("a"), 60_000)
	for range 200 {
		e := eventstore.NewEvent{ID: uuid.New(), Type: "Big", Schema: 1, Header: []byte(`{}`), Payload: fmt.Appendf(nil, `{"a":%q}`, big)}
		if _, err := p.store.Append(t.Context(), "sample-big", eventstore.Any, e); err != nil {
			t.Fatal(err)
		}
	}
	_, idle := p.open("", "")
	if _, err := next(idle); err != nil {
		t.Fatal(err)
	}
	p.dial("/api/v3/ledger/stream/?after=0")
	p.until(2)
	p.http.Config.RegisterOnShutdown(func() { close(p.ending) })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := p.http.Config.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if _, err := next(idle); err == nil {
		t.Error("a stream goes on")
	}
}

// Nobody can take all streams, and there are not more than there may be.
func TestStreamsAreBounded(t *testing.T) {
	p := newTap(t)
	for i := range 64 {
		c := session.Caller{User: fmt.Sprint("u", i/8), Superuser: true}
		p.caller.Store(&c)
		if answer, _ := p.open("", ""); answer.StatusCode != 200 {
			t.Fatalf("stream %d: %d", i, answer.StatusCode)
		}
	}
	for user, want := range map[string]int{"u0": 429, "other": 503} {
		c := session.Caller{User: user, Superuser: true}
		p.caller.Store(&c)
		if answer, _ := p.open("", ""); answer.StatusCode != want || answer.Header.Get("Retry-After") == "" {
			t.Errorf("of %s: %d %v, want %d", user, answer.StatusCode, answer.Header, want)
		}
	}
}
