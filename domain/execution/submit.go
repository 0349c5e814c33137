package execution

import (
	"fmt"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Submit hands in what a stage made of the client's response.
type Submit struct {
	Binding  BindingID // the stage the client was answering
	Sequence int       // the challenge it was answering
	Outcome  Outcome
	Now      time.Time
	Idle     time.Duration
}

// Decide implements [Command].
func (c Submit) Decide(s State) ([]Event, error) {
	head, ok := s.Head()
	switch {
	case s.Status != Running:
		return nil, domain.Errorf(domain.Conflict, "The execution is not running.")
	case c.Now.After(s.Deadline):
		return nil, domain.Errorf(domain.Expired, "The execution has expired.")
	case !ok || s.Current == nil || !s.Current.Asked || s.Current.Binding != c.Binding || s.Current.Sequence != c.Sequence:
		return nil, domain.Errorf(domain.Conflict, "Another stage awaits a response.")
	}
	switch o := c.Outcome.(type) {
	case Ask:
		return ask(s, head, o, c.Now.Add(c.Idle)), nil
	case Invalid:
		return c.reject(s, head, o), nil
	case Pass:
		return pass(s, head, o, since(s.Current.Until, c.Idle, c.Now)), nil
	case Deny:
		return deny(s, head, o), nil
	default:
		panic(fmt.Sprintf("execution: a response has the outcome %T", o))
	}
}

// reject records a wrong answer and what follows from it (spec/flows.md 3.5).
func (c Submit) reject(s State, head Entry, o Invalid) []Event {
	rejected := ResponseRejected{
		Binding: head.Binding, Sequence: s.Current.Sequence, Attempt: s.Current.Attempt + 1, Problems: o.Problems, Action: "retry",
		Grounds: o.Grounds,
	}
	for _, p := range o.Problems {
		rejected.Texts = append(rejected.Texts, p.Text)
	}
	switch {
	case restarts(head):
		rejected.Action = head.OnInvalid
	case o.Refuse != "":
		rejected.Action = "deny"
	}
	events := append(o.Facts[:len(o.Facts):len(o.Facts)], rejected)
	if change := Learn(o.Learned); !change.Empty() {
		events = append(events, ContextChanged{By: "stage", Touched: change.Keys(), Change: change})
	}
	s = domain.Fold(s, events...)
	switch rejected.Action {
	case "retry":
		return append(events, ask(s, head, o.Again, c.Now.Add(c.Idle))...)
	case "deny":
		return append(events, last(s, ExecutionDenied{
			Cause: "stage_invalid", Action: "message", Binding: &head.Binding, Message: o.Refuse,
		})...)
	default:
		return append(events, restart(s, head, "invalid_response")...)
	}
}
