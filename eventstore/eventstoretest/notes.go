package eventstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flowledger/flowledger/eventstore"
)

// OpenNotes opens the notes of a new ledger, as two nodes see them. They may
// be one value where there is only one node.
type OpenNotes func(t *testing.T) (one, other eventstore.Notes)

// RunNotes holds what open opens to the contract of [eventstore.Notes].
func RunNotes(t *testing.T, open OpenNotes) {
	for name, test := range map[string]func(*testing.T, OpenNotes){
		"nothing is there":            testNoNote,
		"a value is read elsewhere":   testNoteElsewhere,
		"a version counts once":       testNoteMoved,
		"one of many writers wins":    testNoteRace,
		"names are apart":             testNoteNames,
		"values of all sizes":         testNoteSizes,
		"slices stay apart":           testNoteSlices,
		"a context that is over":      testNoteDone,
		"the ledger knows of nothing": testNotesBeside,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func mustNote(t *testing.T, n eventstore.Notes, name, want string, version int64) {
	t.Helper()
	value, at, err := n.Note(t.Context(), name)
	if err != nil || string(value) != want || at != version {
		t.Errorf("note %s is %q at version %d, error %v, want %q at %d", name, value, at, err, want, version)
	}
}

func mustSet(t *testing.T, n eventstore.Notes, name, value string, version int64) (next int64) {
	t.Helper()
	next, err := n.SetNote(t.Context(), name, []byte(value), version)
	if err != nil || next <= version {
		t.Fatalf("SetNote(%s) over version %d = %d, %v, want a later version", name, version, next, err)
	}
	return next
}

func mustMove(t *testing.T, n eventstore.Notes, name string, version int64) {
	t.Helper()
	if next, err := n.SetNote(t.Context(), name, []byte("late"), version); !errors.Is(err, eventstore.ErrNoteMoved) {
		t.Errorf("SetNote(%s) over version %d = %d, %v, want %v", name, version, next, err, eventstore.ErrNoteMoved)
	}
}

func testNoNote(t *testing.T, open OpenNotes) {
	one, other := open(t)
	mustNote(t, one, "a", "", 0)
	mustNote(t, other, "a", "", 0)
	mustMove(t, one, "a", 7)
	mustNote(t, other, "a", "", 0)
}

func testNoteElsewhere(t *testing.T, open OpenNotes) {
	one, other := open(t)
	first := mustSet(t, one, "a", "1", 0)
	mustNote(t, other, "a", "1", first)
	second := mustSet(t, other, "a", "2", first)
	mustNote(t, one, "a", "2", second)
	third := mustSet(t, other, "a", "2", second) // the same value, and yet a version
	mustNote(t, one, "a", "2", third)
}

func testNoteMoved(t *testing.T, open OpenNotes) {
	one, other := open(t)
	first := mustSet(t, one, "a", "1", 0)
	mustMove(t, other, "a", 0)
	second := mustSet(t, other, "a", "2", first)
	mustMove(t, one, "a", first)
	mustMove(t, one, "a", 0)
	mustMove(t, one, "a", second+1)
	mustNote(t, one, "a", "2", second)
}

// testNoteRace counts with several writers at each node: no step is lost.
func testNoteRace(t *testing.T, open OpenNotes) {
	one, other := open(t)
	const writers, steps = 4, 5
	var wg sync.WaitGroup
	var lost atomic.Int64
	for w := range 2 * writers {
		n := []eventstore.Notes{one, other}[w%2]
		wg.Go(func() {
			for done := 0; done < steps; {
				value, version, err := n.Note(t.Context(), "count")
				if err != nil {
					t.Error(err)
					return
				}
				_, err = n.SetNote(t.Context(), "count", append(value, 'x'), version)
				switch {
				case err == nil:
					done++
				case errors.Is(err, eventstore.ErrNoteMoved):
					lost.Add(1)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	value, _, err := one.Note(t.Context(), "count")
	if err != nil || len(value) != 2*writers*steps {
		t.Errorf("%d steps are counted, error %v, want %d; %d races were lost", len(value), err, 2*writers*steps, lost.Load())
	}
}

func testNoteNames(t *testing.T, open OpenNotes) {
	one, other := open(t)
	versions := make(map[string]int64)
	for _, name := range []string{"a", "a-1", "A", "lease/mail", "checkpoint:mail", "ä"} {
		versions[name] = mustSet(t, one, name, "value of "+name, 0)
	}
	for name, version := range versions {
		mustNote(t, other, name, "value of "+name, version)
	}
}

func testNoteSizes(t *testing.T, open OpenNotes) {
	one, other := open(t)
	version := int64(0)
	for _, size := range []int{1, 1000, eventstore.MaxNote, 0, 5} {
		value := bytes.Repeat([]byte{0, 0xff, '\n', 'x', '"'}, eventstore.MaxNote/5+1)[:size]
		version = mustSet(t, one, "a", string(value), version)
		mustNote(t, other, "a", string(value), version)
	}
	if _, err := one.SetNote(t.Context(), "a", make([]byte, eventstore.MaxNote+1), version); err == nil || errors.Is(err, eventstore.ErrNoteMoved) {
		t.Errorf("a note that is too large: error %v", err)
	}
	if _, at, err := other.Note(t.Context(), "a"); err != nil || at != version {
		t.Errorf("then the note has version %d, error %v, want %d", at, err, version)
	}
}

func testNoteSlices(t *testing.T, open OpenNotes) {
	one, _ := open(t)
	value := []byte("value")
	version, err := one.SetNote(t.Context(), "a", value, 0)
	if err != nil {
		t.Fatal(err)
	}
	value[0] = 'X'
	read, _, err := one.Note(t.Context(), "a")
	if err != nil || len(read) == 0 {
		t.Fatalf("read %q, error %v", read, err)
	}
	read[0] = 'Y'
	mustNote(t, one, "a", "value", version)
}

func testNoteDone(t *testing.T, open OpenNotes) {
	one, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := one.Note(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Note: error %v, want %v", err, context.Canceled)
	}
	if _, err := one.SetNote(ctx, "a", []byte("x"), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("SetNote: error %v, want %v", err, context.Canceled)
	}
	mustNote(t, one, "a", "", 0)
}

// testNotesBeside holds that readers of the ledger see no notes, where what
// keeps them is a store, too.
func testNotesBeside(t *testing.T, open OpenNotes) {
	one, _ := open(t)
	store, ok := one.(eventstore.Store)
	if !ok {
		return
	}
	version := int64(0)
	for i := range 3 {
		version = mustSet(t, one, "a", fmt.Sprint(i), version)
		mustAppend(t, store, "a-1", eventstore.Any, event(fmt.Sprint(i)))
	}
	if all := readAll(t, store); len(all) != 3 {
		t.Errorf("the ledger has %d events, want 3", len(all))
	}
}
