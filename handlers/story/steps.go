package story

import (
	"context"
	"slices"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
)

// Story tells all that happened. Each step is as long after the one before as
// it says.
func (p *Past) Story(ctx context.Context) (Story, error) {
	s := Story{ID: p.ID, Started: p.events[0].RecordedAt}
	for _, e := range p.events {
		s.Steps = append(s.Steps, p.step(e))
	}
	others, err := p.elsewhere(ctx)
	if err != nil {
		return s, err
	}
	s.Steps = append(s.Steps, others...)
	slices.SortStableFunc(s.Steps, func(a, b Step) int { return a.Position.Compare(b.Position) })
	var known eventstore.Revision
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Offset = step.Time.Sub(s.Started); i > 0 {
			step.Since = max(0, step.Time.Sub(s.Steps[i-1].Time))
		}
		if !step.Own {
			step.At = known
		}
		known = step.At
	}
	return s, nil
}

// step tells an event of the execution.
func (p *Past) step(e happened) Step {
	sentence, details := p.tale.tell(e.event, e.before)
	s := Step{
		Own: true, At: e.Revision, Stream: e.Stream, Revision: e.Revision, Position: e.Position, Event: e.ID.String(), Type: e.Type,
		Time: e.RecordedAt, Sentence: sentence, Details: details, Forgotten: forgotten(e.Decoded), Waited: waited(e),
	}
	if head, ok := e.before.Head(); ok {
		s.Stage = head.Stage
		if e.before.Current != nil {
			s.Concerns = head.Binding.ID
		}
	}
	switch event := e.event.(type) {
	case execution.PolicyEvaluated:
		s.Decision = p.decision(e, event.Evaluation)
	case execution.PolicyDenied:
		s.Decision = p.decision(e, event.Evaluation)
	case execution.StageSkipped:
		s.Concerns, s.Evidence = event.Binding.ID, event.Evaluation
	case execution.StageEntered:
		s.Concerns = event.Binding.ID
	case execution.StageReevaluated:
		s.Concerns, s.Evidence = event.Binding.ID, event.Evaluation
	case execution.ExecutionDenied:
		s.Evidence = event.Evaluation
	}
	if s.Decision != nil {
		s.Evidence = s.Event
	}
	return s
}

// waited tells whether the time in front of an event was the client's: it had
// been asked, and this is the first that came of its answer.
func waited(e happened) bool {
	if e.before.Current == nil || !e.before.Current.Asked {
		return false
	}
	switch e.event.(type) {
	case execution.ChallengeIssued, execution.StageEntered, execution.SecretsDiscarded:
		return false
	}
	return true
}

// elsewhere tells what the execution caused in other streams.
func (p *Past) elsewhere(ctx context.Context) ([]Step, error) {
	entries, err := p.tale.Index.Timeline(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	own := eventstore.Stream("execution", p.ID)
	var steps []Step
	for _, entry := range entries {
		if entry.Stream == own {
			continue
		}
		step := Step{
			Stream: entry.Stream, Revision: entry.Revision, Position: entry.Position, Event: entry.ID, Type: entry.Type, Time: entry.At,
		}
		step.Sentence = otherwise(step)
		steps = append(steps, step)
	}
	return steps, nil
}
