package codec_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/vault"
)

var _ codec.Vault = (*vault.Vault)(nil)

const stream eventstore.StreamID = "execution-e1"

var november = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// place is embedded, as an aggregate's events may share fields.
type place struct {
	Binding domain.Ref `json:"binding"`
	Attempt int        `json:"attempt,omitempty"`
}

type answered struct {
	place
	Count      int            `json:"count"`
	At         time.Time      `json:"at,omitzero"`
	Set        map[string]any `json:"set,omitempty"`
	Local      string         `json:"-"`
	Identifier string         `json:"identifier" seal:"T"`
	Shown      bool           `json:"shown" seal:"T"`
	Address    string         `json:"address,omitempty" seal:"N"`
	Name       string         `json:"name" seal:"P"`
	Hash       domain.Secret  `json:"hash" seal:"C"`
	Typed      domain.Secret  `json:"typed" seal:"X"`
	Learned    map[string]any `json:"learned" seal:"X"`
	Deep       []deep         `json:"deep" seal:"X"`
}

type deep struct {
	Codes  map[string]domain.Secret `json:"codes,omitempty"`
	Secret *domain.Secret           `json:"secret,omitempty"`
	List   [2]domain.Secret         `json:"list,omitzero"`
	When   time.Time                `json:"when,omitzero"`
	Bytes  []byte                   `json:"bytes,omitempty"`
	Inner  []deep                   `json:"inner,omitempty"`
}

func (answered) EventType() string { return "Answered" }

type bare struct {
	Kind string `json:"kind"`
}

func (bare) EventType() string { return "Bare" }

type owned struct {
	Note string        `json:"note" seal:"T"`
	Hash domain.Secret `json:"hash" seal:"C"`
	User string        `json:"user"`
	Cred string        `json:"credential"`
}

func (owned) EventType() string     { return "Owned" }
func (o owned) SealSubject() string { return "user:" + o.User }
func (o owned) Credential() string  { return o.Cred }

type referred struct {
	ID string `json:"-"`
}

func (referred) EventType() string { return "Referred" }
func (r referred) EventID() string { return r.ID }

type unregistered struct{}

func (unregistered) EventType() string { return "Unregistered" }

type posted struct {
	Code domain.Secret `json:"code" seal:"X"`
}

func (posted) EventType() string     { return "Posted" }
func (posted) SealTransient() string { return "letter:l1" }

func init() {
	codec.Register[answered](1)
	codec.Register[posted](1)
	codec.Register[bare](1)
	codec.Register[owned](1)
	codec.Register[referred](1)
}

var compare = cmp.Options{cmp.AllowUnexported(answered{}, place{}), cmp.Comparer(func(a, b domain.Secret) bool { return a.Equal(b) })}

func newCodec(t testing.TB) (*codec.Codec, *vault.Vault) {
	t.Helper()
	v, err := vault.Open(vault.Memory, [32]byte{7}, func() time.Time { return november })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return &codec.Codec{
		Vault:  v,
		Tenant: "tenant-0",
		Writer: codec.Writer{Version: "1", Instance: "i1"},
		Leak:   func(event, key string) { t.Errorf("%s has a secret's key %q in clear", event, key) },
	}, v
}

func newMeta() codec.Meta {
	return codec.Meta{
		Header:  codec.Header{Actor: codec.Actor{Kind: "anonymous"}, Execution: "e1"},
		Subject: "execution:e1",
		Time:    november,
	}
}

func encode(t testing.TB, c *codec.Codec, meta codec.Meta, events ...codec.Event) []eventstore.Recorded {
	t.Helper()
	encoded, err := c.Encode(t.Context(), stream, meta, events...)
	if err != nil {
		t.Fatal(err)
	}
	recorded := make([]eventstore.Recorded, len(encoded))
	for i, e := range encoded {
		recorded[i] = eventstore.Recorded{NewEvent: e, Stream: stream, Revision: eventstore.Revision(i), RecordedAt: november}
	}
	return recorded
}

func decode(t testing.TB, c *codec.Codec, r eventstore.Recorded) codec.Decoded {
	t.Helper()
	d, err := c.Decode(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func full() answered {
	secret := domain.NewSecret("deep-mark")
	return answered{
		place:      place{Binding: domain.Ref{ID: "b1", Revision: 3}, Attempt: 2},
		Count:      4,
		At:         november,
		Set:        map[string]any{"auth_method": "password", "n": 1.5},
		Identifier: "ada@example.org",
		Shown:      true,
		Address:    "192.0.2.7",
		Name:       "Ada <Lovelace>",
		Hash:       domain.NewSecret("hash-mark"),
		Typed:      domain.NewSecret("typed-mark"),
		Learned: map[string]any{
			"password": domain.NewSecret("any-mark"),
			"plain":    "text",
			"mark":     map[string]any{"$secret": "no secret"},
			"marks":    map[string]any{"$$secret": []any{map[string]any{"$secret": 1.0}}},
			"list":     []any{domain.NewSecret("list-mark"), 1.0, nil, true, map[string]any{"s": domain.NewSecret("")}},
		},
		Deep: []deep{{
			Codes:  map[string]domain.Secret{"1": secret},
			Secret: &secret,
			List:   [2]domain.Secret{secret},
			When:   november,
			Bytes:  []byte("bytes"),
			Inner:  []deep{{Secret: &secret}},
		}},
	}
}

func TestRoundTrip(t *testing.T) {
	for name, event := range map[string]codec.Event{
		"every class": full(),
		"zero":        answered{},
		"only clear":  bare{"k"},
		"one secret":  answered{Typed: domain.NewSecret("x")},
		"owned":       owned{Note: "n", Hash: domain.NewSecret("h"), User: "u2", Cred: "c1"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := newCodec(t)
			d := decode(t, c, encode(t, c, newMeta(), event)[0])
			if diff := cmp.Diff(event, d.Event, compare); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			if len(d.Forgotten) > 0 {
				t.Errorf("forgotten %v", d.Forgotten)
			}
		})
	}
}

func TestStoredForm(t *testing.T) {
	c, _ := newCodec(t)
	events := encode(t, c, newMeta(), full(), bare{})
	want := `{"binding":{"id":"b1","revision":3},"attempt":2,"count":4,"at":"2026-11-22T14:00:00Z","set":{"auth_method":"password","n":1.5}}`
	if diff := cmp.Diff(want, string(events[0].Payload)); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	want = `{"tenant":"tenant-0","actor":{"kind":"anonymous"},"execution":"e1","writer":{"version":"1","instance":"i1"}}`
	if diff := cmp.Diff(want, string(events[0].Header)); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if events[0].Type != "Answered" || events[0].Schema != 1 || events[0].ID.Version() != 7 {
		t.Errorf("type %s, schema %d, id %v", events[0].Type, events[0].Schema, events[0].ID)
	}
	if events[0].Salt == events[1].Salt || events[0].Salt == [16]byte{} {
		t.Error("each event needs its own salt")
	}
	if events[1].Sealed != nil || string(events[1].Payload) != `{"kind":""}` {
		t.Errorf("an event without sealed fields: payload %s, sealed %x", events[1].Payload, events[1].Sealed)
	}
}

func TestNothingSealedIsInClear(t *testing.T) {
	c, _ := newCodec(t)
	meta := newMeta()
	meta.Network = map[string]string{"ip": "203.0.113.9"}
	for _, e := range encode(t, c, meta, full(), full()) {
		stored := string(e.Header) + string(e.Payload) + string(e.Sealed)
		for _, mark := range []string{"ada@", "192.0.2", "Lovelace", "mark", "203.0.113", "REDACTED"} {
			if strings.Contains(stored, mark) {
				t.Errorf("%q is in clear", mark)
			}
		}
	}
}

func TestNetworkIsSealedOnce(t *testing.T) {
	c, _ := newCodec(t)
	meta := newMeta()
	meta.Network = map[string]string{"ip": "203.0.113.9"}
	for name, first := range map[string]codec.Event{"alone": bare{"k"}, "beside a field": full()} {
		t.Run(name, func(t *testing.T) {
			events := encode(t, c, meta, first, bare{"l"}, bare{"m"})
			d := decode(t, c, events[0])
			if string(d.Network) != `{"ip":"203.0.113.9"}` || d.Header.Net != "" {
				t.Errorf("first event: network %s, net %q", d.Network, d.Header.Net)
			}
			if diff := cmp.Diff(first, d.Event, compare); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			for _, e := range events[1:] {
				d := decode(t, c, e)
				if d.Network != nil || d.Header.Net != events[0].ID.String() || e.Sealed != nil {
					t.Errorf("later event: network %s, net %q", d.Network, d.Header.Net)
				}
			}
		})
	}
	meta.Network = struct{}{}
	if events := encode(t, c, meta, bare{}, bare{}); events[0].Sealed != nil || decode(t, c, events[1]).Header.Net != "" {
		t.Error("an empty network was sealed")
	}
}

func TestCommandMakesIDs(t *testing.T) {
	c, _ := newCodec(t)
	meta := newMeta()
	meta.Command = uuid.MustParse("01938d2e-7c00-7000-8000-0000000000cc")
	first, again := encode(t, c, meta, full(), bare{}), encode(t, c, meta, full(), bare{})
	if first[0].ID != again[0].ID || first[1].ID != again[1].ID {
		t.Error("a retry has other ids")
	}
	if first[0].ID == first[1].ID || first[0].ID.Version() != 5 {
		t.Errorf("ids %v, %v", first[0].ID, first[1].ID)
	}
	const id = "01938d2e-7c00-7000-8000-0000000000dd"
	if own := encode(t, c, meta, referred{ID: id}, referred{}); own[0].ID.String() != id || own[1].ID != first[1].ID {
		t.Errorf("ids %v, %v: want the event's own, then the command's", own[0].ID, own[1].ID)
	}
	if _, err := c.Encode(t.Context(), stream, meta, referred{ID: "mark"}); err == nil {
		t.Error("an id that is none was accepted")
	}
}

func TestForgotten(t *testing.T) {
	tests := map[string]struct {
		owner  string
		class  domain.Sealed
		forget func(*answered)
	}{
		"profile":         {"execution:e1", 'P', func(a *answered) { a.Name = "" }},
		"trace":           {"execution:e1", 'T', func(a *answered) { a.Identifier, a.Shown = "", false }},
		"trace's month":   {"2026-11", 'T', func(a *answered) { a.Identifier, a.Shown = "", false }},
		"network's month": {"2026-11", 'N', func(a *answered) { a.Address = "" }},
		"credential":      {"execution:e1", 'C', func(a *answered) { a.Hash = domain.Secret{} }},
		"transient": {"execution:e1", 'X', func(a *answered) {
			a.Typed, a.Learned, a.Deep = domain.Secret{}, nil, nil
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, v := newCodec(t)
			event := encode(t, c, newMeta(), full())[0]
			if err := v.Forget(t.Context(), []string{test.owner}, byte(test.class)); err != nil {
				t.Fatal(err)
			}
			want := full()
			test.forget(&want)
			d := decode(t, c, event)
			if diff := cmp.Diff(want, d.Event, compare); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]codec.Forgotten{{Class: test.class, Since: november}}, d.Forgotten); diff != "" {
				t.Errorf("forgotten (-want +got):\n%s", diff)
			}
			if _, err := c.Encode(t.Context(), stream, newMeta(), full()); err == nil {
				t.Error("the forgotten got a new key")
			}
		})
	}
}

// TestOwners looks at whose secrets are asked for.
func TestOwners(t *testing.T) {
	c, _ := newCodec(t)
	asked := &recorder{Vault: c.Vault}
	c.Vault = asked
	meta := newMeta()
	meta.Subject, meta.Network = "user:u1", map[string]string{"ip": "203.0.113.9"}
	meta.Time = time.Date(2026, 12, 1, 0, 30, 0, 0, time.FixedZone("", 3600)) // still November in UTC
	encode(t, c, meta, owned{Note: "n", Hash: domain.NewSecret("h"), User: "u2", Cred: "c1"}, full(), full())
	want := [][]string{{
		"C/credential:c1", "C/user:u1", "N/2026-11", "N/user:u1", "P/user:u1",
		"T/2026-11", "T/user:u1", "T/user:u2", "X/execution:e1",
	}}
	if diff := cmp.Diff(want, asked.made, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("calls of Make (-want +got):\n%s", diff)
	}

	asked.made, meta.Client = nil, "user:u3"
	encode(t, c, meta, full())
	want = [][]string{{
		"C/user:u1", "N/2026-11", "N/user:u3", "P/user:u1", "T/2026-11", "T/user:u1", "X/execution:e1",
	}}
	if diff := cmp.Diff(want, asked.made, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("calls of Make for another client (-want +got):\n%s", diff)
	}
}

// A recorder remembers what is asked of a vault.
type recorder struct {
	codec.Vault
	made [][]string
}

func (r *recorder) Make(ctx context.Context, ids ...string) ([][]byte, error) {
	r.made = append(r.made, ids)
	return r.Vault.Make(ctx, ids...)
}

func TestEncodeRefuses(t *testing.T) {
	without := func(change func(*codec.Meta)) codec.Meta {
		meta := newMeta()
		change(&meta)
		return meta
	}
	for name, test := range map[string]struct {
		meta  codec.Meta
		event codec.Event
		want  string
	}{
		"no subject":               {without(func(m *codec.Meta) { m.Subject = "" }), answered{Name: "n"}, "subject"},
		"no time":                  {without(func(m *codec.Meta) { m.Time = time.Time{} }), answered{Identifier: "i"}, "time"},
		"no execution":             {without(func(m *codec.Meta) { m.Execution = "" }), answered{Typed: domain.NewSecret("t")}, "subject"},
		"a type that is unknown":   {newMeta(), unregistered{}, "unknown"},
		"a pointer":                {newMeta(), &bare{}, "unknown"},
		"a secret hidden in clear": {newMeta(), answered{Set: map[string]any{"a": []any{domain.NewSecret("mark")}}}, "holds a secret"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := newCodec(t)
			_, err := c.Encode(t.Context(), stream, test.meta, test.event)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want: %s", err, test.want)
			}
		})
	}
}

func TestDecodeClear(t *testing.T) {
	c, _ := newCodec(t)
	event := encode(t, c, newMeta(), full())[0]
	d, err := (&codec.Codec{}).DecodeClear(event) // it has no vault to ask
	if err != nil {
		t.Fatal(err)
	}
	want := answered{place: full().place, Count: 4, At: november, Set: full().Set}
	if diff := cmp.Diff(want, d.Event, compare); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if d.Header.Execution != "e1" || d.Forgotten != nil {
		t.Errorf("header %+v, forgotten %v", d.Header, d.Forgotten)
	}
}

func TestDecodeUnknownType(t *testing.T) {
	c, _ := newCodec(t)
	event := encode(t, c, newMeta(), bare{})[0]
	for name, change := range map[string]func(*eventstore.Recorded){
		"type":        func(r *eventstore.Recorded) { r.Type = "Fancy" },
		"schema":      func(r *eventstore.Recorded) { r.Schema = 2 },
		"zero schema": func(r *eventstore.Recorded) { r.Schema = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			changed := event
			change(&changed)
			_, err := c.Decode(t.Context(), changed)
			unknown, ok := errors.AsType[*codec.UnknownTypeError](err)
			if !ok || unknown.Type != changed.Type || unknown.Schema != changed.Schema {
				t.Errorf("err = %v, want an UnknownTypeError", err)
			}
			if _, err := c.DecodeClear(changed); err == nil || codec.Known(changed.Type, changed.Schema) {
				t.Errorf("DecodeClear: %v", err)
			}
		})
	}
	if types := codec.Types(); types["Bare"] != 1 || types["Renamed"] != 3 {
		t.Errorf("Types() = %v", types)
	}
}

// TestTampering flips each bit of the sealed parts, and puts them elsewhere.
func TestTampering(t *testing.T) {
	c, _ := newCodec(t)
	event := encode(t, c, newMeta(), answered{Identifier: "ada", Name: "Ada", Typed: domain.NewSecret("t")})[0]
	refused := func(name string, r eventstore.Recorded) {
		t.Helper()
		if d, err := c.Decode(t.Context(), r); err == nil {
			t.Errorf("%s: decoded %+v", name, d.Event)
		}
	}
	for i := range len(event.Sealed) * 8 {
		changed := event
		changed.Sealed = append([]byte(nil), event.Sealed...)
		changed.Sealed[i/8] ^= 1 << (i % 8)
		refused("a flipped bit", changed)
	}
	for i := 1; i < len(event.Sealed); i++ {
		changed := event
		changed.Sealed = event.Sealed[:i]
		refused("cut short", changed)
	}
	for name, change := range map[string]func(*eventstore.Recorded){
		"another event":  func(r *eventstore.Recorded) { r.ID = uuid.New() },
		"another stream": func(r *eventstore.Recorded) { r.Stream = "execution-e2" },
		"more at the end": func(r *eventstore.Recorded) {
			r.Sealed = append(append([]byte(nil), r.Sealed...), 0)
		},
	} {
		changed := event
		change(&changed)
		refused(name, changed)
	}
	refused("two parts of a class", codec.SealX(t, c, event, []byte(`{}`), []byte(`{}`)))
	other := *c
	other.Tenant = "tenant-1"
	if _, err := other.Decode(t.Context(), event); err == nil {
		t.Error("another tenant opened the event")
	}
}

func TestHeaderFields(t *testing.T) {
	c, _ := newCodec(t)
	meta := newMeta()
	meta.Header = codec.Header{
		Tenant:      "ignored",
		Brand:       "b",
		Actor:       codec.Actor{Kind: "admin", ID: "u", Session: "s", Token: "t", OnBehalfOf: "v", AuthenticatedAs: "w"},
		Execution:   "e",
		Correlation: "c",
		Causation:   "d",
		Trace:       "00-1-2",
		Request:     codec.Request{ID: "r", Method: "POST", Route: "/api/v3/flows/executor/{slug}/"},
		OccurredAt:  november,
	}
	want := meta.Header
	want.Tenant, want.Writer = c.Tenant, c.Writer
	d := decode(t, c, encode(t, c, meta, bare{})[0])
	if diff := cmp.Diff(want, d.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(d.Recorded.Header, &keys); err != nil || len(keys) != 10 {
		t.Errorf("stored header %s, %v: want 10 keys", d.Recorded.Header, err)
	}
}

// The secrets of an event that outlives its execution have a key of their own.
func TestTransientsOfTheirOwn(t *testing.T) {
	c, v := newCodec(t)
	e := posted{Code: domain.NewSecret("123456")}
	recorded := encode(t, c, newMeta(), e)[0]
	if err := v.ForgetExecution(t.Context(), "e1"); err != nil {
		t.Fatal(err)
	}
	d, err := c.Decode(t.Context(), recorded)
	if diff := cmp.Diff(codec.Event(e), d.Event, compare); err != nil || diff != "" {
		t.Errorf("without the execution's key: %v (-want +got):\n%s", err, diff)
	}
	if err := v.Forget(t.Context(), []string{"letter:l1"}, 'X'); err != nil {
		t.Fatal(err)
	}
	if d, err = c.Decode(t.Context(), recorded); err != nil || len(d.Forgotten) != 1 {
		t.Errorf("without its own key: %+v, %v", d, err)
	}
}
