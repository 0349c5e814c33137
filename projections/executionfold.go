package projections

import (
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// fold takes an event into the row of its execution.
func (x *Executions) fold(conn *sqlite.Conn, row *executionRow, e codec.Decoded) error {
	at := micros(e.RecordedAt)
	row.pass(at, e.Event)
	row.revision, row.seen = int64(e.Revision), at
	switch event := e.Event.(type) {
	case execution.PlanCreated:
		return x.replan(conn, row, event)
	case execution.StageEntered:
		return x.enter(conn, row, event)
	case execution.SubjectIdentified:
		return about(conn, row, event.User)
	case execution.UserLoggedIn:
		return about(conn, row, event.User)
	case execution.PlanRestarted:
		row.restarts = int64(event.Count)
		if !event.KeepContext {
			row.factors = nil
			return about(conn, row, "")
		}
	}
	row.progress(e.Event)
	return nil
}

// progress folds what concerns nothing but the row.
func (r *executionRow) progress(event codec.Event) {
	switch event := event.(type) {
	case execution.ChallengeIssued:
		r.deadline = micros(event.ExpiresAt)
	case execution.ResponseRejected:
		r.attempts++
	case execution.StageCompleted:
		r.steps++
		r.learn(event.Change)
	case execution.ContextChanged:
		r.learn(event.Change)
	case execution.FactorVerified:
		if event.Method != "" && !slices.Contains(r.factors, event.Method) {
			r.factors = append(r.factors, event.Method)
		}
	case execution.PolicyEvaluated:
		r.hear(event.Evaluation)
	case execution.PolicyDenied:
		r.hear(event.Evaluation)
	case execution.ExecutionCompleted:
		r.end(execution.Completed, event.Early)
	case execution.ExecutionDenied:
		r.end(execution.Denied, event.Cause)
		r.evaluation = event.Evaluation
	case execution.ExecutionCancelled:
		r.end(execution.Cancelled, event.Cause)
	case execution.ExecutionExpired:
		r.end(execution.Expired, "")
	case execution.ExecutionFailed:
		r.end(execution.Failed, event.Class)
		r.reference = event.ErrorID
	}
}

// end is how it ended. The stage stays: it is where.
func (r *executionRow) end(status execution.Status, cause string) {
	r.status, r.cause = string(status), cause
}

// pass counts the time up to an event. The person took the time from the append
// that asks to the next one, which the answer led to: what is between the two
// in the program is not in the ledger, but for what the policies took that were
// asked about the answer. If nobody answered, the time to the end is silence,
// which is nobody's. All other time is the server's.
func (r *executionRow) pass(at int64, event codec.Event) {
	if issued, ok := event.(execution.ChallengeIssued); ok {
		if r.asked == 0 || issued.Attempt == 0 {
			r.asked = at
		}
		return
	}
	if r.asked == 0 {
		return
	}
	switch event.(type) {
	case execution.ExecutionExpired, execution.ExecutionCancelled:
		r.silent += at - r.asked
	default:
		r.waited += at - r.asked
		r.answered++
	}
	r.asked = 0
}

// hear notes what policies said.
func (r *executionRow) hear(e execution.Evaluation) {
	if r.answered > 0 && r.asked == 0 {
		r.waited = max(0, r.waited-e.MS*1000)
	}
	for _, result := range e.Results {
		if result.Policy == nil {
			continue
		}
		if said := result.Policy.ID + ":" + verdict(result); !slices.Contains(r.said, said) && len(r.said) < maxSaid {
			r.said = append(r.said, said)
		}
	}
}

// maxSaid is how many verdicts an execution can be found by.
const maxSaid = 100

// verdict is what a policy said, in one word.
func verdict(r execution.PolicyResult) string {
	switch {
	case r.Erred():
		return "erred"
	case r.Passing:
		return "passed"
	}
	return "failed"
}

// learn notes what asked for the log-in.
func (r *executionRow) learn(c execution.Change) {
	if id := applicationOf(c); id != "" {
		r.application = id
	}
}

// applicationOf is the id of the application that a change of the context
// names; empty for none.
func applicationOf(c execution.Change) string {
	switch app := c.Set[execution.KeyApplication].(type) {
	case string:
		return app
	case map[string]any:
		for _, key := range []string{"pk", "id"} {
			if id, ok := app[key].(string); ok {
				return id
			}
		}
	}
	return ""
}

// replan notes the flow if a restart took a newer one.
func (x *Executions) replan(conn *sqlite.Conn, row *executionRow, event execution.PlanCreated) error {
	if event.Flow.ID == "" {
		return nil // as it was at the start
	}
	f, err := x.flowOf(conn, row.flow)
	if err != nil {
		return err
	}
	f.Ref = event.Flow
	row.flow, err = x.flow(conn, f)
	return err
}

// enter notes the stage that came up. What kind of stage it is stands beside
// its reference.
func (x *Executions) enter(conn *sqlite.Conn, row *executionRow, event execution.StageEntered) (err error) {
	row.stage, err = x.stage(conn, stageKey{id: event.Stage.ID, name: event.Stage.Name, kind: event.Kind})
	if err == nil && !slices.Contains(row.entered, row.stage) {
		row.entered = append(row.entered, row.stage)
	}
	return err
}

// about notes whom the execution is about. Whom it was about before is
// remembered: where it came from goes with that user's keys, too.
func about(conn *sqlite.Conn, row *executionRow, user string) error {
	former := row.user
	row.user = user
	if former == "" || former == user {
		return nil
	}
	return exec(conn, "INSERT OR IGNORE INTO executions_former(user, n) VALUES(?, ?)", former, row.n)
}
