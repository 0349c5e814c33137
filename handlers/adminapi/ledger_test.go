package adminapi_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// events decodes what a stream of a thing has, from the beginning.
func (b *bench) events(stream string) []codec.Decoded {
	b.t.Helper()
	var out []codec.Decoded
	for recorded, err := range b.views.store.ReadAll(b.t.Context(), b.start) {
		b.must(err)
		if string(recorded.Stream) != stream {
			continue
		}
		d, err := b.views.codec.Decode(b.t.Context(), recorded)
		b.must(err)
		out = append(out, d)
	}
	return out
}

// TestLedgerTells makes, changes and removes a flow, and reads in the ledger
// who did what.
func TestLedgerTells(t *testing.T) {
	b := newBench(t)
	id := b.flow("f")
	b.want(200, http.MethodPatch, "flows/instances/f/", fields{"title": "new", "layout": "stacked"})
	b.want(200, http.MethodPatch, "flows/instances/f/", fields{"title": "new"})
	stage := b.want(201, http.MethodPost, "stages/dummy/", fields{"name": "s"}).str("pk")
	binding := b.want(201, http.MethodPost, "flows/bindings/", fields{"target": id, "stage": stage, "order": 0}).str("pk")
	b.want(204, http.MethodDelete, "flows/instances/f/", nil)
	root := b.callers[admin].User
	told := b.events("object-" + id)
	if len(told) != 3 {
		t.Fatalf("the ledger has %d events, want 3: what changes nothing is none", len(told))
	}
	created, _ := told[0].Event.(object.ObjectCreated)
	if created.By != root || created.Via != "api" || created.Name != "f" || created.Set["layout"] != "stacked" {
		t.Errorf("created: %+v", created)
	}
	want := object.ObjectChanged{
		Kind: object.FlowModel, Name: "f", By: root, Via: "api", Set: fields{"title": "new"}, Previous: fields{"title": "f"},
	}
	if diff := cmp.Diff(want, told[1].Event); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	removed, _ := b.events("object-" + binding)[1].Event.(object.ObjectRemoved)
	if removed.CascadeOf != id || removed.By != root {
		t.Errorf("removed along: %+v", removed)
	}
	h := told[0].Header
	if h.Actor.Kind != "admin" || h.Actor.ID != root || h.Actor.Token != "t" || h.Request.ID != "r1" || h.Correlation != "r1" {
		t.Errorf("header: %+v", h)
	}
	if string(told[0].Network) != `{"ip":"192.0.2.9"}` {
		t.Errorf("network: %s", told[0].Network)
	}
	if !bytes.Contains(told[0].Sealed, []byte("user:"+root)) {
		t.Error("the address of who writes is not sealed as theirs")
	}
}

// A thing that is older than a field of its kind is shown with the default.
func TestOldThings(t *testing.T) {
	b := newBench(t)
	id := b.flow("f")
	delete(b.views.now().things[id].Fields, "layout")
	got := b.want(200, http.MethodGet, "flows/instances/f/", nil)
	if got.str("layout") != "stacked" {
		t.Errorf("layout: %v", got.at("layout"))
	}
	if found := b.want(200, http.MethodGet, "stages/all/", nil); found.status != 200 {
		t.Errorf("stages: %s", found.text)
	}
}

// What does not fit into the ledger is refused, and is no fault of ours.
func TestTooLargeForTheLedger(t *testing.T) {
	b := newBench(t)
	got := b.want(413, http.MethodPost, "core/brands/", fields{"domain": strings.Repeat("x", 100_000)})
	if got.str("detail") == "" || b.log.Len() > 0 {
		t.Errorf("got %s, log %s", got.text, b.log)
	}
}

// What a removal would change is told in words that people know.
func TestUsesHaveNames(t *testing.T) {
	b := newBench(t)
	flow := b.flow("login")
	stage := b.want(201, http.MethodPost, "stages/dummy/", fields{"name": "wait"}).str("pk")
	binding := b.want(201, http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": 5}).str("pk")
	policy := b.want(201, http.MethodPost, "policies/dummy/", fields{"name": "maybe"}).str("pk")
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "policy": policy, "order": 2})
	got := b.want(200, http.MethodGet, "stages/dummy/"+stage+"/used_by/", nil)
	want := []any{fields{
		"app": "authentik_flows", "model_name": "flowstagebinding", "pk": binding, "name": "Flow-stage binding #5 to login", "action": "cascade",
	}}
	if diff := cmp.Diff(want, got.json); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
	if got := b.want(200, http.MethodGet, "policies/dummy/"+policy+"/used_by/", nil); got.str("0.name") != "Binding from login #2 to maybe" {
		t.Errorf("uses: %s", got.text)
	}
}
