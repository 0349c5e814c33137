package console

import (
	"context"
	"strings"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/story"
)

// A cursor is an execution as of one revision, for its template.
type cursor struct {
	At, Last    eventstore.Revision
	Step        story.Step
	State       story.Snapshot
	Who         person
	Rounds      []round
	Differences []story.Difference
	Values      []valueRow
	Decision    *story.Decision
	Evidence    eventstore.Revision // of the evaluation that this event rests on
	Rests       bool
}

// A round is the plan from one start of the flow to the next.
type round struct {
	Number int
	Stages []stageBox
}

// A stageBox is a stage on the way.
type stageBox struct {
	story.Stage
	Policies string // whose verdict kept it out
	Link     string // to the event with which it came up
	WhyLink  string
}

// A valueRow is a value of the context, and how it differs from before.
type valueRow struct {
	story.Value
	How string
	Old string
}

// point sets a cursor to a revision.
func (s *Server) point(ctx context.Context, c *cursor, id string, told story.Story, at, last eventstore.Revision) (err error) {
	c.At, c.Last = at, last
	if c.State, err = s.Stories.State(ctx, id, at); err != nil {
		return err
	}
	var before story.Snapshot
	if at > 0 {
		if before, err = s.Stories.State(ctx, id, at-1); err != nil {
			return err
		}
	}
	c.Differences = story.Differences(before, c.State)
	c.Values = valuesOf(c.State, c.Differences)
	decisions := map[string]*story.Decision{}
	for _, step := range told.Steps {
		if step.Decision != nil {
			decisions[step.Event] = step.Decision
		}
		if step.Own && step.At == at {
			c.Step, c.Decision = step, step.Decision
		}
	}
	if d := decisions[c.Step.Evidence]; d != nil && c.Decision == nil {
		c.Evidence, c.Rests = d.Revision, true
	}
	c.Rounds = rounds(c.State.Stages, decisions)
	names, err := s.named(ctx, c.State.User)
	c.Who = names.Who(c.State.User)
	return err
}

// rounds parts the stages by the starts of the flow.
func rounds(stages []story.Stage, decisions map[string]*story.Decision) (out []round) {
	for _, one := range stages {
		if len(out) == 0 || out[len(out)-1].Number != one.Round {
			out = append(out, round{Number: one.Round})
		}
		box := stageBox{Stage: one}
		if one.Entered > 0 {
			box.Link = "?revision=" + revisionText(one.Entered) + "#cursor"
		}
		if d := decisions[one.Evaluation]; d != nil {
			box.Policies, box.WhyLink = against(d), "?revision="+revisionText(d.Revision)+"#cursor"
		}
		last := &out[len(out)-1]
		last.Stages = append(last.Stages, box)
	}
	return out
}

// against names the policies that did not let a target pass.
func against(d *story.Decision) string {
	var names []string
	for _, r := range d.Reasons {
		if r.Passing || r.Neutral {
			continue
		}
		if r.Kind == "policy" {
			names = append(names, r.Policy.Name)
		} else {
			names = append(names, r.Kind)
		}
	}
	return strings.Join(names, ", ")
}

// valuesOf are the values of a context, with those that are gone.
func valuesOf(s story.Snapshot, differences []story.Difference) (out []valueRow) {
	how := map[string]story.Difference{}
	for _, d := range differences {
		if path, ok := strings.CutPrefix(d.Path, "context."); ok {
			how[path] = d
		}
	}
	for _, v := range s.Values() {
		out = append(out, valueRow{v, how[v.Name].How, how[v.Name].Old})
	}
	return out
}

// Text is the event at the cursor in a sentence.
func (c cursor) Text() string { return sentenceOf(c.Step) }

// Sign is how a difference looks beside its word.
func (c cursor) Sign(how string) string {
	return map[string]string{story.Added: "+", story.Removed: "−", story.Changed: "≠"}[how]
}

// First tells whether nothing is in front of the cursor.
func (c cursor) First() bool { return c.At == 0 }

// Ends tells whether nothing is behind the cursor.
func (c cursor) Ends() bool { return c.At == c.Last }

// Before is the revision in front of the cursor.
func (c cursor) Before() eventstore.Revision { return c.At - 1 }

// Next is the revision behind the cursor.
func (c cursor) Next() eventstore.Revision { return c.At + 1 }
