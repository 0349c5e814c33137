package projections

import (
	"context"
	"net/netip"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Executions are all executions, those that are over included: where each
// stands, or how it ended. What they know is in their streams.
type Executions struct {
	uncached
	views *Views
}

// NewExecutions makes the read model.
func NewExecutions(v *Views) *Executions { return &Executions{views: v} }

// Name implements [Projection].
func (*Executions) Name() string { return "executions" }

// Schema implements [Projection].
func (*Executions) Schema() string {
	return `-- 1
		CREATE TABLE executions(
			id            TEXT PRIMARY KEY,
			revision      INTEGER NOT NULL,
			flow          TEXT NOT NULL,
			flow_revision INTEGER NOT NULL,
			flow_name     TEXT NOT NULL,
			slug          TEXT NOT NULL,
			designation   TEXT NOT NULL,
			session       TEXT NOT NULL,
			visitor       TEXT NOT NULL,
			user          TEXT NOT NULL DEFAULT '',
			stage         TEXT NOT NULL DEFAULT '',
			stage_kind    TEXT NOT NULL DEFAULT '',
			stage_name    TEXT NOT NULL DEFAULT '',
			status        TEXT NOT NULL,
			cause         TEXT NOT NULL DEFAULT '',
			evaluation    TEXT NOT NULL DEFAULT '',
			started       INTEGER NOT NULL,
			seen          INTEGER NOT NULL,
			deadline      INTEGER NOT NULL,
			steps         INTEGER NOT NULL DEFAULT 0,
			attempts      INTEGER NOT NULL DEFAULT 0,
			restarts      INTEGER NOT NULL DEFAULT 0
		) WITHOUT ROWID;
		CREATE INDEX executions_by_deadline ON executions(deadline) WHERE status = 'running';
		CREATE INDEX executions_by_started ON executions(started);
		CREATE INDEX executions_by_user ON executions(user, started);
		CREATE INDEX executions_by_session ON executions(session, started);
		CREATE INDEX executions_by_slug ON executions(slug, started);
		CREATE INDEX executions_by_status ON executions(status, started)`
}

// Needs implements [Projection].
func (*Executions) Needs(e eventstore.Recorded) Need {
	if e.Stream.Category() == "execution" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Executions) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id, at := e.Stream.ID(), micros(e.RecordedAt)
	if event, ok := e.Event.(execution.ExecutionStarted); ok {
		return exec(conn, `INSERT OR REPLACE INTO executions(id, revision, flow, flow_revision, flow_name, slug, designation,
			session, visitor, status, started, seen, deadline) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, int64(e.Revision), event.Flow.ID, event.Flow.Revision, event.Flow.Name, event.Slug, event.Designation,
			event.Session, event.User, string(execution.Running), at, at, micros(event.Deadline))
	}
	if set, args := progress(e.Event); set != "" {
		if err := exec(conn, "UPDATE executions SET "+set+" WHERE id = ?", append(args, id)...); err != nil {
			return err
		}
	}
	return exec(conn, "UPDATE executions SET revision = ?, seen = ? WHERE id = ?", int64(e.Revision), at, id)
}

// progress returns which columns an event sets.
func progress(event codec.Event) (set string, args []any) {
	switch event := event.(type) {
	case execution.PlanCreated:
		if event.Flow.ID == "" {
			return "", nil // as it was at the start
		}
		return "flow_revision = ?, flow_name = ?", []any{event.Flow.Revision, event.Flow.Name}
	case execution.SubjectIdentified:
		return "user = ?", []any{event.User}
	case execution.StageEntered:
		return "stage = ?, stage_kind = ?, stage_name = ?", []any{event.Stage.ID, event.Kind, event.Stage.Name}
	case execution.ChallengeIssued:
		return "deadline = ?", []any{micros(event.ExpiresAt)}
	case execution.ResponseRejected:
		return "attempts = attempts + 1", nil
	case execution.StageCompleted:
		return "steps = steps + 1", nil
	case execution.PlanRestarted:
		if !event.KeepContext {
			return "restarts = ?, user = ''", []any{event.Count}
		}
		return "restarts = ?", []any{event.Count}
	case execution.UserLoggedIn:
		return "user = ?", []any{event.User}
	}
	return ending(event)
}

// ending returns which columns the last event of an execution sets. The stage
// stays: it is where the execution ended.
func ending(event codec.Event) (set string, args []any) {
	end := func(status execution.Status, cause, evaluation string) (string, []any) {
		return "status = ?, cause = ?, evaluation = ?", []any{string(status), cause, evaluation}
	}
	switch event := event.(type) {
	case execution.ExecutionCompleted:
		return end(execution.Completed, event.Early, "")
	case execution.ExecutionDenied:
		return end(execution.Denied, event.Cause, event.Evaluation)
	case execution.ExecutionCancelled:
		return end(execution.Cancelled, event.Cause, "")
	case execution.ExecutionExpired:
		return end(execution.Expired, "", "")
	case execution.ExecutionFailed:
		return end(execution.Failed, event.Class, "")
	}
	return "", nil
}

// An Execution is an execution as lists show it.
type Execution struct {
	ID          string
	Revision    int64 // of its last event
	Flow        domain.Ref
	Slug        string
	Designation string
	Session     string
	Visitor     string     // id of who was logged in when it started; empty for nobody
	User        string     // id of whom it is about; empty for nobody
	Stage       domain.Ref // the current one, or the last
	Status      string
	Cause       string // of its end, where there is more to say than the status does
	Evaluation  string // id of the event that says why, where policies denied
	Started     time.Time
	Seen        time.Time // when it last changed
	Deadline    time.Time
	Steps       int // stages completed
	Attempts    int // wrong answers
	Restarts    int

	Entry       string        // interface, api, configure, token …
	Application string        // id of what asked for the log-in; empty for none
	Factors     []string      // methods that were right, in order, each once
	Answered    int           // responses of the client
	UserTime    time.Duration // between a challenge and its response, over all of them
	ServerTime  time.Duration // between a response and what follows from it
	Took        time.Duration // from the start to the last event
	Origin      Origin
}

// An ExecutionFilter says which executions are wanted. What is empty does not
// matter.
type ExecutionFilter struct {
	ID, Slug, User, Session, Status string
	From, Until                     time.Time // when they started

	Statuses        []string // one of which it has
	Cause           string   // of its end
	Flow            string   // id
	FlowRevision    *int64
	Designation     string
	StageKind       string // of a stage that it entered
	Reached         string // name or id of the stage at which it stands or ended
	Factor          string // a method that was right
	Policy, Said    string // a policy by id, and what it said: passed, failed or erred
	Application     string
	Network         netip.Prefix // of the client; one address for a full prefix
	Country         string
	ASN             int64
	Longer, Shorter time.Duration // took at least, took less than
	Running         *bool
	Abandoned       *bool // it expired: nobody went on with it
	Words           []string
	Visitor         string // who was logged in when it started
}

// An ExecutionPage is a part of a list of executions.
type ExecutionPage struct {
	Executions []Execution
	Total      int       // on all pages
	Exact      bool      // whether Total is that, and not a lower bound
	Reached    time.Time // how far back a rare filter was looked for; zero for all the way
}

// List returns the executions that f wants, the newest first, and how many
// there are on all pages.
func (x *Executions) List(ctx context.Context, f ExecutionFilter, p Page) ([]Execution, int, error) {
	var w where
	w.equal("id", f.ID)
	w.equal("slug", f.Slug)
	w.equal("user", f.User)
	w.equal("session", f.Session)
	w.equal("status", f.Status)
	w.between("started", f.From, f.Until)
	total, err := x.views.count(ctx, "executions", "SELECT count(*) FROM executions"+w.sql(), w.args)
	if err != nil || p.behind(total) {
		return nil, total, err
	}
	var executions []Execution
	q := "SELECT * FROM executions" + w.sql() + " ORDER BY started DESC, id DESC" + p.sql()
	err = x.views.read(ctx, "executions", q, w.args, func(s *sqlite.Stmt) error {
		executions = append(executions, executionAt(s))
		return nil
	})
	return executions, total, err
}

func executionAt(s *sqlite.Stmt) Execution {
	return Execution{
		ID: s.GetText("id"), Revision: s.GetInt64("revision"),
		Flow:  domain.Ref{ID: s.GetText("flow"), Revision: s.GetInt64("flow_revision"), Name: s.GetText("flow_name")},
		Stage: domain.Ref{ID: s.GetText("stage"), Kind: s.GetText("stage_kind"), Name: s.GetText("stage_name")},
		Slug:  s.GetText("slug"), Designation: s.GetText("designation"), Session: s.GetText("session"),
		Visitor: s.GetText("visitor"), User: s.GetText("user"), Status: s.GetText("status"), Cause: s.GetText("cause"),
		Evaluation: s.GetText("evaluation"),
		Started:    timeAt(s, "started"), Seen: timeAt(s, "seen"), Deadline: timeAt(s, "deadline"),
		Steps: int(s.GetInt64("steps")), Attempts: int(s.GetInt64("attempts")), Restarts: int(s.GetInt64("restarts")),
	}
}

// ByID returns an execution.
func (x *Executions) ByID(ctx context.Context, id string) (Execution, bool, error) {
	if id == "" {
		return Execution{}, false, nil
	}
	found, _, err := x.List(ctx, ExecutionFilter{ID: id}, Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return Execution{}, false, err
	}
	return found[0], true, nil
}

// Due returns the ids of running executions whose deadline is past, the first
// first.
func (x *Executions) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return x.views.ids(ctx, "executions",
		"SELECT id FROM executions WHERE status = 'running' AND deadline < ? ORDER BY deadline, id LIMIT ?", micros(now), limit)
}
