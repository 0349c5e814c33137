package caller_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// told is an event of a stream, as its reader has it.
func (w *world) told(stream eventstore.StreamID, kind string) codec.Decoded {
	w.t.Helper()
	for e, err := range w.store.ReadStream(w.t.Context(), stream, 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		if e.Type != kind {
			continue
		}
		d, err := w.Sessions.Codec.Decode(w.t.Context(), e)
		if err != nil {
			w.t.Fatal(err)
		}
		return d
	}
	w.t.Fatalf("%s has no %s", stream, kind)
	return codec.Decoded{}
}

// Who uses a token is its owner, and the record says from where.
func TestUseOfATokenIsEvidence(t *testing.T) {
	w := newWorld(t)
	stream := eventstore.Stream("token", "t1")
	create := token.Create{
		Intent: token.API, User: "ada", Identifier: "i", Digest: domain.NewSecret("digest"), Credential: "c",
	}
	if _, err := w.Tokens.Handle(t.Context(), stream, create, codec.Meta{Subject: "user:ada", Time: w.now}); err != nil {
		t.Fatal(err)
	}
	w.keys.tokens["good"] = "t1"
	j := w.jar()
	j.headers.Set("Authorization", "Bearer good")
	if _, err := w.Of(httptest.NewRecorder(), j.request(http.MethodGet)); err != nil {
		t.Fatal(err)
	}
	used := w.told(stream, "TokenUsed")
	if diff := cmp.Diff(codec.Actor{Kind: "admin", ID: "ada", Token: "t1"}, used.Header.Actor); diff != "" {
		t.Errorf("actor (-want +got):\n%s", diff)
	}
	if got := string(used.Network); got != `{"ip":"192.0.2.1"}` || !bytes.Contains(used.Sealed, []byte("user:ada")) {
		t.Errorf("network %s", got)
	}
}

// What is recorded of the network of a session is its user's: it goes when
// they go.
func TestABrokenBindingIsSealedAsTheUsers(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	c := j.logsIn(session.Authenticate{Bound: session.Binding{Network: "bind_asn"}})
	j.does(w.Renew)
	j.address = "198.51.100.7:1"
	if got := j.is(); got.User != "" {
		t.Fatalf("from another network: %+v", got)
	}
	broken := w.told(eventstore.Stream("session", c.Session), "SessionBindingBroken")
	if !bytes.Contains(broken.Sealed, []byte("user:ada")) || bytes.Contains(broken.Sealed, []byte("tenant")) {
		t.Error("the addresses are not sealed as the user's")
	}
	if diff := cmp.Diff(codec.Actor{Kind: "anonymous", Session: c.Session}, broken.Header.Actor); diff != "" {
		t.Errorf("actor (-want +got):\n%s", diff)
	}
	want := session.SessionBindingBroken{Reason: "network.missing", Mode: "bind_asn", PreviousIP: "192.0.2.1", NewIP: "198.51.100.7"}
	if diff := cmp.Diff(codec.Event(want), broken.Event); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Who is logged in acts under that name, also when only the use is recorded.
func TestUseOfASessionIsTheUsers(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	c := j.logsIn(session.Authenticate{})
	j.does(w.Renew)
	w.now = w.now.Add(session.SeenEvery + time.Second)
	j.is()
	seen := w.told(eventstore.Stream("session", c.Session), "SessionSeen")
	if diff := cmp.Diff(codec.Actor{Kind: "admin", ID: "ada", Session: c.Session}, seen.Header.Actor); diff != "" {
		t.Errorf("actor (-want +got):\n%s", diff)
	}
}
