package projections

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

func init() {
	codec.Register[trail.ExportBatchDelivered](1)
	codec.Register[trail.ExportDeliveryFailed](1)
	codec.Register[trail.ExportDeliveryRecovered](1)
	codec.Register[trail.ExportResendRequested](1)
	codec.Register[worker.WorkerEventReleased](1)
	codec.Register[worker.WorkerEventAbandoned](1)
}

// Deliveries are what the ledger tells of the outgoing trail: how much each
// sink has delivered, whether it fails, and what it gave up on.
type Deliveries struct {
	uncached
	views *Views
}

// NewDeliveries makes the read model.
func NewDeliveries(v *Views) *Deliveries { return &Deliveries{views: v} }

// Name implements [Projection].
func (*Deliveries) Name() string { return "deliveries" }

// Schema implements [Projection].
func (*Deliveries) Schema() string {
	return `-- 1
		CREATE TABLE deliveries(
			sink      TEXT PRIMARY KEY,
			delivered INTEGER NOT NULL DEFAULT 0,
			told      INTEGER NOT NULL DEFAULT 0,
			failing   INTEGER NOT NULL DEFAULT 0,
			class     TEXT NOT NULL DEFAULT ''
		) WITHOUT ROWID;
		CREATE TABLE deliveries_parked(
			sink     TEXT NOT NULL,
			event    TEXT NOT NULL,
			position TEXT NOT NULL,
			class    TEXT NOT NULL,
			at       INTEGER NOT NULL,
			PRIMARY KEY(sink, event)
		) WITHOUT ROWID`
}

// SinkWorker is what the worker of a sink is called.
func SinkWorker(sink string) string { return "sink-" + sink }

// Needs implements [Projection].
func (*Deliveries) Needs(e eventstore.Recorded) Need {
	if _, own := strings.CutPrefix(e.Stream.ID(), SinkWorker("")); e.Stream.Category() == "export" || own && e.Stream.Category() == "worker" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Deliveries) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	sink := strings.TrimPrefix(e.Stream.ID(), SinkWorker(""))
	switch event := e.Event.(type) {
	case worker.WorkerEventParked:
		return exec(conn, "INSERT OR REPLACE INTO deliveries_parked(sink, event, position, class, at) VALUES(?, ?, ?, ?, ?)",
			sink, event.Event, event.Position, event.Class, micros(e.RecordedAt))
	case worker.WorkerEventReleased:
		return exec(conn, "DELETE FROM deliveries_parked WHERE sink = ? AND event = ?", sink, event.Event)
	case worker.WorkerEventAbandoned:
		return exec(conn, "DELETE FROM deliveries_parked WHERE sink = ? AND event = ?", sink, event.Event)
	}
	if err := exec(conn, "INSERT OR IGNORE INTO deliveries(sink) VALUES(?)", sink); err != nil {
		return err
	}
	switch event := e.Event.(type) {
	case trail.ExportBatchDelivered:
		return exec(conn, "UPDATE deliveries SET delivered = delivered + ?, told = ? WHERE sink = ?", event.Count, micros(event.Told), sink)
	case trail.ExportDeliveryFailed:
		return exec(conn, "UPDATE deliveries SET failing = ?, class = ? WHERE sink = ?", micros(e.RecordedAt), event.Class, sink)
	case trail.ExportDeliveryRecovered:
		return exec(conn, "UPDATE deliveries SET failing = 0, class = '' WHERE sink = ?", []any{sink})
	}
	return nil
}

// A Delivery is what the ledger tells of one sink.
type Delivery struct {
	Delivered int64     // events, as far as they were told of
	Told      time.Time // when that was
	Parked    int64     // events that wait for somebody to look at them
	Failing   time.Time // since when it does; zero if it does not
	Class     string    // of the fault
}

// Sink returns what the ledger tells of a sink.
func (d *Deliveries) Sink(ctx context.Context, sink string) (out Delivery, err error) {
	err = d.views.read(ctx, "deliveries", "SELECT * FROM deliveries WHERE sink = ?", []any{sink}, func(s *sqlite.Stmt) error {
		out.Delivered, out.Told, out.Class = s.GetInt64("delivered"), timeAt(s, "told"), s.GetText("class")
		if s.GetInt64("failing") > 0 {
			out.Failing = timeAt(s, "failing")
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	n, err := d.views.count(ctx, "deliveries", "SELECT count(*) FROM deliveries_parked WHERE sink = ?", []any{sink})
	out.Parked = int64(n)
	return out, err
}

// A ParkedEvent is an event that a sink gave up on.
type ParkedEvent struct {
	Event    string // id
	Position string
	Class    string // of the fault
	At       time.Time
}

// Parked returns a page of the events that a sink gave up on, the oldest
// first, and how many there are on all pages.
func (d *Deliveries) Parked(ctx context.Context, sink string, p Page) (out []ParkedEvent, total int, err error) {
	total, err = d.views.count(ctx, "parked events", "SELECT count(*) FROM deliveries_parked WHERE sink = ?", []any{sink})
	if err != nil || p.behind(total) {
		return nil, total, err
	}
	err = d.views.readOnce(ctx, "parked events", "SELECT * FROM deliveries_parked WHERE sink = ? ORDER BY at, event"+p.sql(), []any{sink},
		func(s *sqlite.Stmt) error {
			out = append(out, ParkedEvent{Event: s.GetText("event"), Position: s.GetText("position"), Class: s.GetText("class"), At: timeAt(s, "at")})
			return nil
		})
	return out, total, err
}
