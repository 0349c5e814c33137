package siem_test

import (
	"context"
	"encoding/json"
	"iter"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/siem"
	_ "github.com/flowledger/flowledger/projections" // registers the types of events
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)

// A world is a ledger with a gatherer.
type world struct {
	t     testing.TB
	now   time.Time
	store *counted
	vault *vault.Vault
	codec *codec.Codec
	*siem.Gatherer
}

// counted is a store that counts how often a stream is read.
type counted struct {
	eventstore.Store
	reads int
}

func (c *counted) ReadStream(ctx context.Context, stream eventstore.StreamID, since eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	c.reads++
	return c.Store.ReadStream(ctx, stream, since)
}

// people are users that everybody finds.
type people map[string]user.Person

func (p people) Person(_ context.Context, id string) (user.Person, error) { return p[id], nil }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: start}
	clock := func() time.Time { return w.now }
	v, err := vault.Open(vault.Memory, [32]byte{1}, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	w.vault = v
	w.codec = &codec.Codec{Vault: v, Tenant: "tenant-0", Writer: codec.Writer{Version: "1.2.3", Instance: "i1", Node: "node-a"}}
	w.store = &counted{Store: memory.New(clock)}
	w.Gatherer = &siem.Gatherer{
		Store: w.store, Codec: w.codec, People: people{}, Now: clock, Personal: true,
	}
	return w
}

// client is where the requests of these tests come from.
var client = session.Network{
	IP: "203.0.113.77", UserAgent: "MARK-N-agent/1.0",
	Place:  &session.Place{Continent: "EU", Country: "NL", City: "MARK-N-city", Lat: new(52.5), Long: new(4.75)},
	System: &session.System{Number: 64500, Name: "MARK-N-provider", Network: "203.0.113.0/24"},
}

// meta is what an append says of itself.
func meta(kind, actor, execution string) codec.Meta {
	m := codec.Meta{Subject: "user:u1", Time: start, Network: client}
	m.Actor = codec.Actor{Kind: kind, ID: actor}
	if kind == "user" || kind == "admin" {
		m.Actor.Session = "s1"
	}
	m.Execution, m.Correlation = execution, "c1"
	m.Request = codec.Request{ID: "r1", Method: "POST", Route: "/api/v3/flows/executor/{slug}/"}
	m.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	return m
}

// append adds events to a stream and returns them as recorded.
func (w *world) append(stream eventstore.StreamID, m codec.Meta, events ...codec.Event) []eventstore.Recorded {
	w.t.Helper()
	encoded, err := w.codec.Encode(w.t.Context(), stream, m, events...)
	if err != nil {
		w.t.Fatal(err)
	}
	first, err := w.store.Append(w.t.Context(), stream, eventstore.Any, encoded...)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []eventstore.Recorded
	for e, err := range w.store.Store.ReadStream(w.t.Context(), stream, first-eventstore.Revision(len(events)-1)) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// record gathers an event.
func (w *world) record(e eventstore.Recorded) siem.Record {
	w.t.Helper()
	r, err := w.Record(w.t.Context(), e)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// written writes a record.
func written(t testing.TB, f siem.Format, r siem.Record, o siem.Options) (string, bool) {
	t.Helper()
	text, ok, err := f.Append(nil, r, o)
	if err != nil {
		t.Fatal(err)
	}
	if ok != (len(text) > 0) {
		t.Fatalf("%s of %s: %v, and %d bytes", f, r.Type, ok, len(text))
	}
	return string(text), ok
}

// types are the Go types of all events that the program knows, by their names.
func types(t testing.TB, w *world) map[string]reflect.Type {
	t.Helper()
	text, err := os.ReadFile("../../projections/testdata/events.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]struct {
		Schema int             `json:"schema"`
		Clear  json.RawMessage `json:"clear"`
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	out := map[string]reflect.Type{}
	for name, g := range golden {
		if !codec.Known(name, g.Schema) {
			continue
		}
		e := eventstore.Recorded{NewEvent: eventstore.NewEvent{Type: name, Schema: g.Schema, Header: []byte("{}"), Payload: g.Clear}}
		d, err := w.codec.DecodeClear(e)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = reflect.TypeOf(d.Event)
	}
	if len(out) < 90 {
		t.Fatalf("only %d types", len(out))
	}
	return out
}

// sample makes an event of a type: clear texts are their names, sealed ones are
// marked with their class.
func sample(t reflect.Type) codec.Event {
	v := reflect.New(t).Elem()
	fill(v, "", "")
	for _, name := range []string{"ID", "Import", "Export"} {
		if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.String {
			f.SetString(uuid.NewSHA1(uuid.Nil, []byte(name)).String())
		}
	}
	return v.Interface().(codec.Event)
}

func fill(v reflect.Value, name, class string) {
	text := name
	if class != "" {
		text = "MARK-" + class + "-" + name
	}
	switch v.Type() {
	case reflect.TypeFor[domain.Secret]():
		v.Set(reflect.ValueOf(domain.NewSecret(text)))
		return
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(start))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "-" || !f.IsExported() && !f.Anonymous {
				continue
			}
			inner := class
			if sealed := f.Tag.Get("seal"); sealed != "" {
				inner = sealed
			}
			fill(v.Field(i), strings.ToLower(f.Name), inner)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, class)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name, class)
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element, name, class)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), element)
	case reflect.Interface:
		v.Set(reflect.ValueOf(text))
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7.5)
	default:
		panic("a sample of " + v.Type().String())
	}
}

// streamOf is a stream that an event of a type can stand in.
func streamOf(t reflect.Type) eventstore.StreamID {
	category := t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:]
	switch {
	case strings.HasPrefix(t.Name(), "Username"):
		category = "username"
	case strings.HasPrefix(t.Name(), "Counter"):
		category = "counter"
	case category == "retention":
		category = "ledger"
	case strings.HasPrefix(t.Name(), "Export"):
		category = "export"
	}
	return eventstore.Stream(category, "01938d2e-7c00-7000-8000-0000000000aa")
}
