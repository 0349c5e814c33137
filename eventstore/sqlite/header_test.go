package sqlite_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/eventstore"
)

// Headers that an append repeats are kept once, and read as they were written
// from wherever the reading begins.
func TestRepeatedHeaders(t *testing.T) {
	store := open(t, t.TempDir(), time.Now)
	defer store.Close()
	var want []string
	put := func(stream eventstore.StreamID, headers ...string) {
		t.Helper()
		var events []eventstore.NewEvent
		for _, h := range headers {
			e := event()
			e.Header = []byte(h)
			events = append(events, e)
		}
		if _, err := store.Append(t.Context(), stream, eventstore.Any, events...); err != nil {
			t.Fatal(err)
		}
		want = append(want, headers...)
	}
	put("a-1", `{"first":1}`, `{"net":1}`, `{"net":1}`, `{"net":1}`)
	put("b-1", `{"net":1}`, `{"net":1}`)
	put("a-1", `{"net":1}`, ``, ``, `{"net":2}`)

	for from := range want {
		var got []string
		for e, err := range store.ReadAll(t.Context(), eventstore.PositionOf(uint64(from))) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(e.Header))
			copy(e.Header, "written over") // it belongs to the reader
		}
		if diff := cmp.Diff(want[from:], got); diff != "" {
			t.Errorf("after position %d (-want +got):\n%s", from, diff)
		}
	}
	stream := append(want[:4:4], want[6:]...)
	for from := range stream {
		var got []string
		for e, err := range store.ReadStream(t.Context(), "a-1", eventstore.Revision(from)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(e.Header))
			copy(e.Header, "written over")
		}
		if diff := cmp.Diff(stream[from:], got); diff != "" {
			t.Errorf("from revision %d (-want +got):\n%s", from, diff)
		}
	}
}
