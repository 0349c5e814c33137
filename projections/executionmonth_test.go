package projections

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
)

// A month with more executions than a block has is forgotten as a whole, and
// nothing of the months around it.
func TestAMonthOfVeryManyIsForgotten(t *testing.T) {
	v, err := Open(filepath.Join(t.TempDir(), "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	x := NewExecutions(v)
	if _, err := NewRunner(memory.New(time.Now), &codec.Codec{}, v, slog.New(slog.DiscardHandler), x); err != nil {
		t.Fatal(err)
	}
	const before, within, all = 100, 2*blockSize + 700, 2*blockSize + 900
	november := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	err = func() (err error) {
		defer sqlitex.Transaction(v.writer)(&err)
		x.Begin()
		for n := int64(1); n <= all; n++ {
			at := november.Add(time.Duration(n) * time.Minute)
			switch {
			case n <= before:
				at = november.Add(-time.Hour)
			case n > within:
				at = november.AddDate(0, 1, 1)
			}
			row := executionRow{n: n, id: fmt.Sprint(n), started: micros(at), seen: micros(at), fresh: true}
			if err := row.save(v.writer); err != nil {
				return err
			}
			if err := x.locate(v.writer, n, session.Network{IP: "192.0.2.1", Place: &session.Place{Country: "DE"}}); err != nil {
				return err
			}
		}
		e := codec.Decoded{Event: key.EpochKeyDestroyed{Class: string(rune(domain.Network)), Epoch: "2026-11"}}
		if err := x.Apply(context.Background(), v.writer, e); err != nil {
			return err
		}
		return x.writeBits(v.writer)
	}()
	if err != nil {
		t.Fatal(err)
	}
	s := executionSearch{conn: v.writer}
	if err := s.bound(ExecutionFilter{}); err != nil {
		t.Fatal(err)
	}
	origins := newNumberSet(s.low, s.high)
	if _, err := (&executionSearch{conn: v.writer, limits: usualLimits}).collect(origins, "SELECT n FROM executions_origins"); err != nil {
		t.Fatal(err)
	}
	country, err := s.marked(markCountry + "DE")
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*numberSet{"rows": origins, "marks": country} {
		if n := set.count(); n != before+all-within || !set.has(before) || set.has(before+1) || set.has(within) || !set.has(within+1) {
			t.Errorf("%s: %d are left, want %d", name, n, before+all-within)
		}
	}
}
