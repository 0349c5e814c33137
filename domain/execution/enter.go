package execution

import (
	"fmt"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Judge records what the policies of the head say, when it comes up. Wrote is
// what they wrote into the context and the plan, which the contract lets them.
type Judge struct {
	Evaluation Evaluation
	Wrote      []Event
}

// Decide implements [Command].
func (c Judge) Decide(s State) ([]Event, error) {
	head, ok := s.Head()
	if s.Status != Running || !ok || head.Passed || s.Current != nil {
		return nil, domain.Errorf(domain.Conflict, "No stage awaits its policies.")
	}
	events := append(evidence([]Evaluation{c.Evaluation}), c.Wrote...)
	if c.Evaluation.Passing {
		return append(events, StageReevaluated{Binding: head.Binding, Evaluation: c.Evaluation.ID}), nil
	}
	return append(events, StageSkipped{
		Binding: head.Binding, Cause: "policy", Evaluation: c.Evaluation.ID,
	}), nil
}

// Enter records what a stage made of coming up.
type Enter struct {
	Outcome Outcome
	Now     time.Time
	Idle    time.Duration
}

// Decide implements [Command].
func (c Enter) Decide(s State) ([]Event, error) {
	head, ok := s.Head()
	switch {
	case s.Status != Running || !ok:
		return nil, domain.Errorf(domain.Conflict, "No stage is left.")
	case !head.Passed:
		return nil, domain.Errorf(domain.Conflict, "The policies of the stage were not asked.")
	}
	var events []Event
	if s.Current == nil {
		entered := StageEntered{Binding: head.Binding, Stage: head.Stage, Kind: head.Stage.Kind}
		entered.Stage.Kind = ""
		events = append(events, entered)
	}
	s = domain.Fold(s, events...)
	switch o := c.Outcome.(type) {
	case Ask:
		return append(events, ask(s, head, o, c.Now.Add(c.Idle))...), nil
	case Pass:
		return append(events, pass(s, head, o, 0)...), nil // nobody was asked
	case Deny:
		return append(events, deny(s, head, o)...), nil
	default:
		panic(fmt.Sprintf("execution: a stage came up with the outcome %T", o))
	}
}

// ask poses a challenge.
func ask(s State, head Entry, o Ask, expires time.Time) []Event {
	attempt := 0
	if s.Current != nil {
		attempt = s.Current.Attempt
	}
	events := o.Facts[:len(o.Facts):len(o.Facts)]
	if change, debts := Learn(o.Learned), Owing(o.Effects); !change.Empty() || len(debts.Effects) > 0 {
		events = append(events, ContextChanged{By: "stage", Touched: change.Keys(), Change: change, Debts: debts})
	}
	return append(events, ChallengeIssued{
		Binding: head.Binding, Component: o.Challenge.Component(), Sequence: s.Sequence + 1, Attempt: attempt,
		ExpiresAt: expires, Methods: o.Methods, Challenge: o.Keep,
	})
}

// pass completes the head. A stage that had nothing to do is skipped, not
// completed, unless it learned something. Ms is how long the client took.
func pass(s State, head Entry, o Pass, ms int64) []Event {
	events := o.Facts[:len(o.Facts):len(o.Facts)]
	change := Learn(o.Learned)
	change.Removed = o.Removed
	if o.Skipped != "" && change.Empty() && len(events)+len(o.Effects)+len(o.Insert) == 0 {
		return []Event{StageSkipped{Binding: head.Binding, Cause: "stage", Reason: o.Skipped}}
	}
	done := StageCompleted{Binding: head.Binding, MS: ms, Grounds: o.Grounds, Change: change, Debts: Owing(o.Effects)}
	if s.Current != nil {
		done.Sequence, done.Attempts = s.Current.Sequence, s.Current.Attempt
	}
	events = append(events, done)
	for _, in := range o.Insert {
		events = append(events, StageInserted{Index: in.Index, Entries: []Entry{in.Entry}, By: in.By, Destination: in.Destination})
	}
	return events
}

// deny ends the execution, unless the binding wants it to start over.
func deny(s State, head Entry, o Deny) []Event {
	events := o.Facts[:len(o.Facts):len(o.Facts)]
	if restarts(head) {
		return append(events, restart(s, head, "stage_invalid")...)
	}
	cause := o.Cause
	if cause == "" {
		cause = "stage_invalid"
	}
	return append(events, last(s, ExecutionDenied{
		Cause: cause, Action: "message", Binding: &head.Binding, Message: orUnknown(o.Message),
	})...)
}

func restarts(head Entry) bool {
	return head.OnInvalid == "restart" || head.OnInvalid == "restart_with_context"
}

// restart starts over, or denies when that has been done too often: a deny
// stage bound so would go on for ever.
func restart(s State, head Entry, cause string) []Event {
	if s.Restarts >= MaxRestarts {
		return last(s, ExecutionDenied{
			Cause: "restart_cap", Action: "message", Binding: &head.Binding, Message: orUnknown(""),
		})
	}
	keep := head.OnInvalid == "restart_with_context"
	events := []Event{PlanRestarted{KeepContext: keep, Count: s.Restarts + 1, Cause: cause, Binding: head.Binding}}
	if keys := s.Secrets(); len(keys) > 0 && !keep {
		events = append([]Event{SecretsDiscarded{Keys: keys}}, events...)
	}
	return events
}

// orUnknown is the general sentence of a denial (spec/flows.md 5.7).
func orUnknown(message string) string {
	if message == "" {
		return "Unknown error"
	}
	return message
}
