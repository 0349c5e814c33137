package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/worker"
	"github.com/flowledger/flowledger/projections"
)

// A receiver is a webhook's server.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []string // types of events, and again for those that were marked; guarded by mu, like all below
	ids    map[string]int
	refuse string // a type
	bodies bytes.Buffer
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{ids: map[string]int{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	var e struct{ ID, Type string }
	_ = json.Unmarshal(body, &e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Type == r.refuse {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	r.bodies.Write(body)
	r.ids[e.ID]++
	name := e.Type
	if request.Header.Get("Flowledger-Replay") != "" {
		name += " again"
	}
	r.got = append(r.got, name)
}

func (r *receiver) refusing(event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = event
}

func (r *receiver) count(name string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, got := range r.got {
		if got == name {
			n++
		}
	}
	return n
}

// comesTo waits until something is so.
func comesTo(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it does not come to that: %s", what)
		}
	}
}

// deliver runs the sinks of an app.
func (a *app) deliver(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	a.outgoing.every, a.outgoing.retry = 5*time.Millisecond, time.Millisecond
	ended := make(chan error, 1)
	go func() { ended <- a.outgoing.run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

const sinkBlueprint = `version: 1
metadata: {name: sinks}
entries:
- model: flowledger_trail.sink
  identifiers: {name: hook}
  attrs: {kind: webhook, target: "URL/hook", format: json, secret: the-key-of-signatures}
`

func flowBlueprint(slug string) string {
	return strings.ReplaceAll(`version: 1
metadata: {name: SLUG}
entries:
- model: authentik_flows.flow
  identifiers: {slug: SLUG}
  attrs: {name: SLUG, title: SLUG, designation: authentication}
`, "SLUG", slug)
}

// hook is the sink of the blueprint.
func (a *app) hook(t *testing.T) object.Thing {
	t.Helper()
	a.sync(t)
	all := a.objects.Kind(trail.Model)
	if len(all) != 1 {
		t.Fatalf("there are %d sinks", len(all))
	}
	return all[0]
}

// change writes fields of the sink.
func (a *app) change(t *testing.T, id string, fields map[string]any) {
	t.Helper()
	put := object.Put{Kind: trail.Model, Fields: fields, Via: "api"}
	if _, err := a.objectHandler.Handle(t.Context(), eventstore.Stream("object", id), put, system("object:"+id)); err != nil {
		t.Fatal(err)
	}
	a.sync(t)
}

func (a *app) healthOf(t *testing.T, id string) adminapi.SinkHealth {
	t.Helper()
	a.sync(t)
	all, err := sinksAPI{a.outgoing}.Health(t.Context(), id)
	if err != nil || len(all) != 1 {
		t.Fatalf("health: %v, %v", all, err)
	}
	return all[0]
}

func TestSinkFromItsWishToItsEnd(t *testing.T) {
	a, _ := newApp(t)
	r := newReceiver(t)
	a.load(t, flowBlueprint("before"))
	a.load(t, strings.ReplaceAll(sinkBlueprint, "URL", r.URL))
	a.load(t, flowBlueprint("between")) // nobody has looked for sinks yet
	a.deliver(t)
	sink := a.hook(t)
	comesTo(t, "the event that came before the first look", func() bool { return r.count("ObjectCreated") == 1 })

	a.change(t, sink.ID, map[string]any{"name": "renamed"})
	comesTo(t, "its own change", func() bool { return r.count("ObjectChanged") == 1 })
	a.load(t, flowBlueprint("after"))
	comesTo(t, "what came behind a change", func() bool { return r.count("ObjectCreated") == 2 })
	comesTo(t, "health", func() bool { h := a.healthOf(t, sink.ID); return h.State == worker.Delivering && h.Lag == 0 })

	// One event is refused, is parked, and goes out when it is released.
	r.refusing("ObjectCreated")
	a.load(t, flowBlueprint("refused"))
	comesTo(t, "parking", func() bool { return a.healthOf(t, sink.ID).Parked == 1 })
	if h := a.healthOf(t, sink.ID); h.State != worker.Parked {
		t.Errorf("the state is %s", h.State)
	}
	api := sinksAPI{a.outgoing}
	parked, total, err := api.Parked(t.Context(), sink.ID, adminapi.Page{Limit: 10})
	if err != nil || total != 1 || parked[0].Class != "status 422" {
		t.Fatalf("parked: %v, %v", parked, err)
	}
	who := session.Caller{User: "u1", Superuser: true}
	if _, err := api.Settle(t.Context(), who, sink.ID, parked[0].Event, true); err != nil {
		t.Fatal(err)
	}
	comesTo(t, "being parked again", func() bool { return len(a.parkings(t, sink.ID)) == 2 })
	r.refusing("")
	a.sync(t)
	if n, err := api.Settle(t.Context(), who, sink.ID, "", true); err != nil || n != 1 {
		t.Fatalf("released %d, %v", n, err)
	}
	comesTo(t, "the released event", func() bool { return r.count("ObjectCreated again") == 1 })
	if h := a.healthOf(t, sink.ID); h.Parked != 0 {
		t.Errorf("%d are parked still", h.Parked)
	}
	a.resend(t, r, sink.ID)
	a.remove(t, r, sink)
	a.discreet(t, "the-key-of-signatures")
}

// parkings lists the events that tell of parked ones.
func (a *app) parkings(t *testing.T, sink string) (out []string) {
	for e, err := range a.store.ReadStream(t.Context(), eventstore.Stream("worker", projections.SinkWorker(sink)), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "WorkerEventParked" {
			out = append(out, e.ID.String())
		}
	}
	return out
}

func (a *app) resend(t *testing.T, r *receiver, id string) {
	t.Helper()
	api, who := sinksAPI{a.outgoing}, session.Caller{User: "u1", Superuser: true}
	if _, err := api.Resend(t.Context(), who, id, "999999", time.Time{}); err == nil {
		t.Error("what was not sent yet can be sent again")
	}
	comesTo(t, "a checkpoint", func() bool { return a.healthOf(t, id).At != "0" })
	if _, err := api.Resend(t.Context(), who, id, "", time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	// The whole ledger is younger than an hour: also what came before the sink.
	comesTo(t, "all of it again", func() bool { return r.count("ObjectCreated again") >= 4 })
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, n := range r.ids {
		if n > 4 {
			t.Errorf("event %s came %d times", id, n)
		}
	}
}

func (a *app) remove(t *testing.T, r *receiver, sink object.Thing) {
	t.Helper()
	if _, err := a.objectHandler.Handle(t.Context(), eventstore.Stream("object", sink.ID), object.Remove{Via: "api"}, system("object:"+sink.ID)); err != nil {
		t.Fatal(err)
	}
	a.sync(t)
	comesTo(t, "its end", func() bool {
		_, at, err := a.checkpoint(t.Context(), projections.SinkWorker(sink.ID))
		return a.outgoing.running(sink.ID) == nil && err == nil && at == worker.Position{}
	})
	before := r.count("ObjectCreated")
	a.load(t, flowBlueprint("too-late"))
	if all, err := a.Deliveries(t.Context()); err != nil || len(all) != 0 || r.count("ObjectCreated") != before {
		t.Errorf("a removed sink has %v, %v", all, err)
	}
}

// discreet looks for a secret in all that the ledger has in the clear.
func (a *app) discreet(t *testing.T, secret string) {
	t.Helper()
	for e, err := range a.store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(e.Payload, []byte(secret)) || bytes.Contains(e.Header, []byte(secret)) || bytes.Contains(e.Sealed, []byte(secret)) {
			t.Errorf("the secret is in %s", e.Type)
		}
	}
}

func TestSinksAreTriedOut(t *testing.T) {
	a, _ := newApp(t)
	a.data = t.TempDir()
	r := newReceiver(t)
	a.load(t, strings.ReplaceAll(sinkBlueprint, "URL", r.URL))
	sink := a.hook(t)
	api := sinksAPI{a.outgoing}
	head := a.head(t)
	tried, err := api.Try(t.Context(), sink)
	if err != nil || !tried.Taken || tried.Answer != "200" || r.count("AuditCustomRecorded") != 1 {
		t.Errorf("got %+v, %v", tried, err)
	}
	r.refusing("AuditCustomRecorded")
	if tried, err = api.Try(t.Context(), sink); err != nil || tried.Taken || tried.Answer != "refuses every event: status 422" {
		t.Errorf("got %+v, %v", tried, err)
	}
	r.Close()
	if tried, err = api.Try(t.Context(), sink); err != nil || tried.Taken || tried.Answer != "connection refused" {
		t.Errorf("got %+v, %v", tried, err)
	}
	for _, format := range []string{"json", "ocsf", "ecs", "cef"} {
		a.change(t, sink.ID, map[string]any{"kind": "file", "target": format + ".log", "format": format})
		if tried, err = api.Try(t.Context(), a.hook(t)); err != nil || !tried.Taken {
			t.Errorf("%s: %+v, %v", format, tried, err)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(a.data, "trail", "*.log")); len(files) != 4 {
		t.Errorf("there are %q", files)
	}
	for _, event := range a.types(t, head) {
		if event != "ObjectChanged" {
			t.Errorf("a test appended %s", event)
		}
	}
}

// A sink that is switched off keeps its place.
func TestSinkIsSwitchedOff(t *testing.T) {
	a, _ := newApp(t)
	r := newReceiver(t)
	a.load(t, strings.ReplaceAll(sinkBlueprint, "URL", r.URL))
	a.deliver(t)
	sink := a.hook(t)
	a.load(t, flowBlueprint("one"))
	comesTo(t, "the first", func() bool { return r.count("ObjectCreated") == 1 })
	a.change(t, sink.ID, map[string]any{"enabled": false})
	comesTo(t, "its end", func() bool { return a.outgoing.running(sink.ID) == nil })
	a.load(t, flowBlueprint("two"))
	if h := a.healthOf(t, sink.ID); h.State != worker.Off || r.count("ObjectCreated") != 1 {
		t.Errorf("switched off, it is %s", h.State)
	}
	a.change(t, sink.ID, map[string]any{"enabled": true})
	comesTo(t, "what came meanwhile", func() bool { return r.count("ObjectCreated") == 2 })
}

func TestSinkFilters(t *testing.T) {
	a, _ := newApp(t)
	o := a.outgoing
	e := func(stream, event string) eventstore.Recorded {
		return eventstore.Recorded{NewEvent: eventstore.NewEvent{Type: event}, Stream: eventstore.StreamID(stream)}
	}
	tests := map[string]struct {
		sink trail.Sink
		want []string
	}{
		"all that there is":      {trail.Sink{}, []string{"UserLoggedIn", "AuditQueried", "LedgerStarted"}},
		"really all":             {trail.Sink{All: true}, []string{"UserLoggedIn", "AuditQueried", "LedgerStarted", "WorkerEventParked", "ExportDeliveryFailed"}},
		"a type":                 {trail.Sink{Events: []string{"UserLoggedIn"}}, []string{"UserLoggedIn"}},
		"a category":             {trail.Sink{Events: []string{"audit"}}, []string{"AuditQueried"}},
		"deliveries, if named":   {trail.Sink{Events: []string{"export"}}, []string{"ExportDeliveryFailed"}},
		"a type, and a category": {trail.Sink{Events: []string{"UserLoggedIn", "ledger"}}, []string{"UserLoggedIn", "LedgerStarted"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := o.clerk(object.Thing{ID: "s"}, &tt.sink)
			var got []string
			for _, event := range []eventstore.Recorded{
				e("execution-1", "UserLoggedIn"), e("audit-1", "AuditQueried"), e("ledger-1", "LedgerStarted"), e("worker-mail", "WorkerEventParked"),
				e("export-1", "ExportDeliveryFailed"),
			} {
				if k.Wants(event) {
					got = append(got, event.Type)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSinksEndWithTheProgram(t *testing.T) {
	a, _ := newApp(t)
	a.log = slog.New(slog.DiscardHandler)
	a.load(t, strings.ReplaceAll(sinkBlueprint, "URL", "http://127.0.0.1:1"))
	stop := a.deliver(t)
	a.load(t, flowBlueprint("one"))
	sink := a.hook(t)
	comesTo(t, "its failing", func() bool { return a.healthOf(t, sink.ID).State == worker.Failing })
	h := a.healthOf(t, sink.ID)
	if h.LastError != "127.0.0.1:1: connection refused" || h.Since == nil {
		t.Errorf("got %+v", h)
	}
	stop()
	// Another process tells as much by the ledger alone.
	comesTo(t, "what the ledger tells", func() bool { h := a.healthOf(t, sink.ID); return h.State == worker.Failing && h.Lag > 0 })
}
