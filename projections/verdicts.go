package projections

import (
	"context"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Verdicts are what policies said: every single time, and in numbers by the
// hour and by the day. Executions are found by verdicts in [Executions]; here
// policies are looked at over time. Nothing of it is personal: what a policy
// was told, and what it said to people, stays sealed in the ledger.
type Verdicts struct {
	views *Views

	batch verdictBatch // the runner's own
}

// A verdictBatch is what is known of policies while a batch is applied.
type verdictBatch struct {
	refs  map[domain.Ref]int64 // numbers in verdicts_refs
	slots map[verdictSlot]*verdictSums
	order []verdictSlot // in which they were met
	now   time.Time     // of the last event; zero for none
	kept  bool          // what was written before is in the file for good
	rule  rowsRule
}

// A verdictSlot is a policy as of a revision, in an hour or a day.
type verdictSlot struct {
	span int64 // hours: 1 or 24
	at   int64 // the hour that it begins with
	ref  int64
}

type verdictSums struct{ passed, failed, erred, most, ms int64 }

// NewVerdicts makes the read model.
func NewVerdicts(v *Views) *Verdicts { return &Verdicts{views: v} }

// Name implements [Projection].
func (*Verdicts) Name() string { return "verdicts" }

// Schema implements [Projection]. A verdict's key is the place of its
// evaluation in the ledger, where the audit's index knows the rest of it, and
// which of the results it is. Most verdicts let people pass, so the index of
// all policies' has only the others.
func (*Verdicts) Schema() string {
	return `-- 1
		CREATE TABLE verdicts(
			n      INTEGER NOT NULL,
			i      INTEGER NOT NULL,
			at     INTEGER NOT NULL,
			ref    INTEGER NOT NULL,
			target INTEGER NOT NULL,
			said   INTEGER NOT NULL,
			negate INTEGER NOT NULL,
			ms     INTEGER NOT NULL,
			PRIMARY KEY(n, i)
		) WITHOUT ROWID;
		CREATE INDEX verdicts_by_ref ON verdicts(ref, said, at, n);
		CREATE INDEX verdicts_by_said ON verdicts(said, at, n) WHERE said > 0;
		CREATE INDEX verdicts_by_at ON verdicts(at, n, said);
		CREATE TABLE verdicts_refs(
			n        INTEGER PRIMARY KEY,
			id       TEXT NOT NULL,
			kind     TEXT NOT NULL,
			revision INTEGER NOT NULL,
			name     TEXT NOT NULL,
			UNIQUE(id, kind, revision, name)
		);
		CREATE TABLE verdicts_slots(
			span   INTEGER NOT NULL,
			at     INTEGER NOT NULL,
			ref    INTEGER NOT NULL,
			passed INTEGER NOT NULL,
			failed INTEGER NOT NULL,
			erred  INTEGER NOT NULL,
			most   INTEGER NOT NULL,
			ms     INTEGER NOT NULL,
			PRIMARY KEY(span, at, ref)
		) WITHOUT ROWID;
		` + rowsRuleTable("verdicts")
}

// Needs implements [Projection].
func (*Verdicts) Needs(e eventstore.Recorded) Need {
	switch e.Type {
	case "PolicyEvaluated", "PolicyDenied", "LedgerRetentionChanged":
		return Clear
	}
	return Nothing
}

// Begin implements [gathering].
func (x *Verdicts) Begin() {
	b := &x.batch
	if !b.kept || b.refs == nil || len(b.refs) > maxKnown {
		b.refs, b.rule = map[domain.Ref]int64{}, rowsRule{table: "verdicts"}
	}
	b.slots, b.order, b.now, b.kept = map[verdictSlot]*verdictSums{}, nil, time.Time{}, false
}

// Apply implements [Projection].
func (x *Verdicts) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	x.batch.now = e.RecordedAt
	var of execution.Evaluation
	switch event := e.Event.(type) {
	case execution.PolicyEvaluated:
		of = event.Evaluation
	case execution.PolicyDenied:
		of = event.Evaluation
	default:
		return x.batch.rule.apply(conn, e)
	}
	for i, result := range of.Results {
		if result.Policy == nil {
			continue // bindings to users and groups, which are no policies
		}
		if err := x.hear(conn, e, of, int64(i), result); err != nil {
			return err
		}
	}
	return nil
}

// What policies say, as numbers.
const (
	saidPassed = iota
	saidFailed
	saidErred
)

// sayings are the words for the numbers.
var sayings = []string{"passed", "failed", "erred"}

// hear notes one verdict.
func (x *Verdicts) hear(conn *sqlite.Conn, e codec.Decoded, of execution.Evaluation, i int64, result execution.PolicyResult) error {
	ref, err := x.ref(conn, *result.Policy)
	if err != nil {
		return err
	}
	about := of.Target.Ref
	if about.Kind == "" {
		about.Kind = of.Target.Kind
	}
	target, err := x.ref(conn, about)
	if err != nil {
		return err
	}
	said := slices.Index(sayings, verdict(result))
	for _, span := range []int64{1, dayHours} {
		hour := hourOf(e.RecordedAt)
		at := verdictSlot{span: span, at: hour - hour%span, ref: ref}
		sums := x.batch.slots[at]
		if sums == nil {
			sums = &verdictSums{}
			x.batch.slots[at], x.batch.order = sums, append(x.batch.order, at)
		}
		*[]*int64{&sums.passed, &sums.failed, &sums.erred}[said]++
		sums.ms, sums.most = sums.ms+result.MS, max(sums.most, result.MS)
	}
	return exec(conn, "INSERT OR IGNORE INTO verdicts(n, i, at, ref, target, said, negate, ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
		int64(e.Position.Value()), i, micros(e.RecordedAt), ref, target, said, result.Negate, result.MS)
}

// dayHours are the hours of a slot that is a day.
const dayHours = 24

// ref returns the number of a configured thing as of a revision, and gives it
// one if it has none.
func (x *Verdicts) ref(conn *sqlite.Conn, r domain.Ref) (n int64, err error) {
	if n = x.batch.refs[r]; n != 0 {
		return n, nil
	}
	number := func(s *sqlite.Stmt) error { n = s.ColumnInt64(0); return nil }
	args := []any{r.ID, r.Kind, r.Revision, r.Name}
	err = query(conn, "SELECT n FROM verdicts_refs WHERE id = ? AND kind = ? AND revision = ? AND name = ?", number, args...)
	if err == nil && n == 0 {
		err = query(conn, "INSERT INTO verdicts_refs(id, kind, revision, name) VALUES(?, ?, ?, ?) RETURNING n", number, args...)
	}
	x.batch.refs[r] = n
	return n, err
}

// Flush implements [gathering].
func (x *Verdicts) Flush(conn *sqlite.Conn) error {
	for _, at := range x.batch.order {
		s := x.batch.slots[at]
		err := exec(conn, `INSERT INTO verdicts_slots(span, at, ref, passed, failed, erred, most, ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET passed = passed + excluded.passed, failed = failed + excluded.failed, erred = erred + excluded.erred,
				most = max(most, excluded.most), ms = ms + excluded.ms`, at.span, at.at, at.ref, s.passed, s.failed, s.erred, s.most, s.ms)
		if err != nil {
			return err
		}
	}
	return x.batch.rule.shed(conn, x.batch.now, "DELETE FROM verdicts WHERE (n, i) IN (SELECT n, i FROM verdicts WHERE at < ? ORDER BY at LIMIT ?)")
}

// Refresh implements [Projection].
func (x *Verdicts) Refresh(*sqlite.Conn) error {
	x.batch.kept = true
	return nil
}
