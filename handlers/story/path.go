package story

import (
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
)

// What became of a stage by some revision.
const (
	Done      = "done"
	Current   = "current"
	ToCome    = "to_come"
	Skipped   = "skipped"
	LeftOut   = "left_out"  // of the plan, by its policies
	Stopped   = "stopped"   // the execution ended here
	Unreached = "unreached" // the execution ended, or started over, before its turn
)

// A Stage is a place of a flow on the way of an execution.
type Stage struct {
	Binding    string              `json:"binding"`
	Stage      domain.Ref          `json:"stage"`
	Order      int                 `json:"order"`
	State      string              `json:"state"`
	Round      int                 `json:"round"`                // 0, and one more after each restart
	Entered    eventstore.Revision `json:"entered,omitempty"`    // when it came up
	Left       eventstore.Revision `json:"left,omitempty"`       // when it was passed or skipped
	Cause      string              `json:"cause,omitempty"`      // of being skipped
	Evaluation string              `json:"evaluation,omitempty"` // that says why
	Why        eventstore.Revision `json:"why,omitempty"`        // of that evaluation
	Wrong      int                 `json:"wrong_answers,omitempty"`
	Inserted   string              `json:"inserted_by,omitempty"`
	Asked      bool                `json:"policies_asked,omitempty"` // when it comes up
}

// A path is the way of an execution through its flow.
type path struct {
	stages []Stage
	round  int
	why    map[string]eventstore.Revision // revisions of evaluations
}

// follow takes in an event.
func (p *path) follow(e happened) {
	switch event := e.event.(type) {
	case execution.PolicyEvaluated:
		p.why[event.ID] = e.Revision
	case execution.PolicyDenied:
		p.why[event.ID] = e.Revision
	case execution.PlanCreated:
		p.plan(event.Entries, len(p.stages))
		p.leaveOut(event.LeftOut)
	case execution.ExecutionResumed:
		p.rest(Unreached)
		p.plan(event.Entries, len(p.stages))
	case execution.StageInserted:
		p.insert(event)
	case execution.StageEntered:
		p.head(func(s *Stage) { s.State, s.Entered = Current, e.Revision })
	case execution.ResponseRejected:
		p.head(func(s *Stage) { s.Wrong++ })
	case execution.StageCompleted:
		p.head(func(s *Stage) { s.State, s.Left = Done, e.Revision })
	case execution.StageSkipped:
		p.head(func(s *Stage) {
			s.State, s.Left, s.Cause, s.Evaluation = Skipped, e.Revision, skipped(event), event.Evaluation
			s.Why = p.why[event.Evaluation]
		})
	case execution.PlanRestarted:
		p.rest(Unreached)
		p.round++
	case execution.ExecutionCompleted, execution.ExecutionDenied, execution.ExecutionCancelled, execution.ExecutionExpired, execution.ExecutionFailed:
		p.rest(Unreached)
	}
}

// plan adds the entries of a plan at an index.
func (p *path) plan(entries []execution.Entry, at int) {
	for i, e := range entries {
		p.stages = slices.Insert(p.stages, at+i, Stage{
			Binding: e.Binding.ID, Stage: e.Stage, Order: e.Order, State: ToCome, Round: p.round, Asked: e.Marker == execution.Reevaluate,
		})
	}
}

// leaveOut adds what its policies kept out of the plan.
func (p *path) leaveOut(all []execution.LeftOut) {
	for _, l := range all {
		p.stages = append(p.stages, Stage{
			Binding: l.Binding.ID, Stage: l.Stage, State: LeftOut, Round: p.round, Evaluation: l.Evaluation, Why: p.why[l.Evaluation],
			Cause: "its policies did not pass when the plan was made",
		})
	}
}

// insert adds what a stage put into the plan, counted from what is left.
func (p *path) insert(e execution.StageInserted) {
	at, left := len(p.stages), 0
	for i, s := range p.stages {
		if s.State != ToCome && s.State != Current {
			continue
		}
		if left == e.Index {
			at = i
			break
		}
		left++
	}
	p.plan(e.Entries, at)
	for i := range e.Entries {
		p.stages[at+i].Inserted = e.By
	}
}

// head changes the stage whose turn it is.
func (p *path) head(change func(*Stage)) {
	for i := range p.stages {
		if p.stages[i].State == ToCome || p.stages[i].State == Current {
			change(&p.stages[i])
			return
		}
	}
}

// rest says what became of all that is left.
func (p *path) rest(state string) {
	for i := range p.stages {
		switch p.stages[i].State {
		case Current:
			p.stages[i].State = Stopped
		case ToCome:
			p.stages[i].State = state
		}
	}
}
