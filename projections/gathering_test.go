package projections_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// hoarding writes the names of groups when a batch ends, and what it was asked
// to do into did.
type hoarding struct {
	counting
	names []string
	did   []string
}

func (*hoarding) Name() string { return "hoarding" }

func (*hoarding) Schema() string { return "CREATE TABLE hoarding(name TEXT)" }

func (h *hoarding) Begin() { h.names, h.did = nil, append(h.did, "begin") }

func (h *hoarding) Apply(_ context.Context, _ *sqlite.Conn, e codec.Decoded) error {
	if event, ok := e.Event.(group.GroupCreated); ok {
		h.names = append(h.names, event.Name)
	}
	return nil
}

func (h *hoarding) Flush(conn *sqlite.Conn) error {
	h.did = append(h.did, "flush")
	if slices.Contains(h.names, "bad") {
		return errors.New("it is too much")
	}
	s, err := conn.Prepare("INSERT INTO hoarding(name) VALUES(?)")
	for _, name := range h.names {
		if err == nil {
			s.BindText(1, name)
			_, err = s.Step()
			err = errors.Join(err, s.Reset())
		}
	}
	return err
}

// A projection that cannot write what it gathered stops in front of the batch,
// and the others go on. A batch that was taken back is gathered anew.
func TestGatheredBatches(t *testing.T) {
	for name, tt := range map[string]struct {
		other   string // group that another projection cannot bear
		groups  []string
		want    []string
		stopped string
	}{
		"all is written once":                     {groups: []string{"a", "b", "c"}, want: []string{"a", "b", "c"}},
		"what another stops at is gathered twice": {other: "b", groups: []string{"a", "b", "c"}, want: []string{"a", "b", "c"}, stopped: "counting"},
		"what cannot be written stops it":         {groups: []string{"a", "bad", "c"}, want: []string{}, stopped: "hoarding"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.close()
			h := &hoarding{}
			w.open(h, &counting{fail: tt.other})
			for _, g := range tt.groups {
				w.append(stream("group", g), groupNamed(g))
			}
			stop := w.run()
			w.settle()
			stop()
			if diff := cmp.Diff(tt.want, dump(t, w.path)["hoarding"]); diff != "" {
				t.Errorf("it wrote (-want +got):\n%s", diff)
			}
			if len(dump(t, w.path)["groups"]) != len(tt.groups) {
				t.Error("the others stopped, too")
			}
			stopped, _ := errors.AsType[*projections.StoppedError](w.runner.Ready())
			if tt.stopped == "" && stopped != nil || tt.stopped != "" && (stopped == nil || stopped.Projection != tt.stopped) {
				t.Errorf("stopped: %v, want %q", stopped, tt.stopped)
			}
			if slices.Index(h.did, "flush") < 1 {
				t.Errorf("it was asked to %v", h.did)
			}
		})
	}
}
