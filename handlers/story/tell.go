package story

import (
	"context"
	"fmt"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// A tale puts the events of one execution into words.
type tale struct {
	*Teller
	ctx context.Context // of who asked, for it is told to nobody else
}

// tell returns a sentence, and lines that say more.
func (t *tale) tell(e execution.Event, before execution.State) (string, []string) {
	switch e := e.(type) {
	case execution.ExecutionStarted:
		return fmt.Sprintf("%s entered the flow %s, %s, %s, by the %s.",
			t.who(e.User, "A visitor"), e.Slug, t.standing(e.Flow.ID, e.Flow.Revision), e.Designation, e.Entry), nil
	case execution.PolicyEvaluated:
		return t.asked(e.Evaluation, before)
	case execution.PolicyDenied:
		return t.asked(e.Evaluation, before)
	case execution.PlanCreated:
		return t.planned(e)
	case execution.SubjectIdentified:
		return fmt.Sprintf("It is about %s from here on (%s).", t.who(e.User, "somebody who does not exist"), by(e)), nil
	case execution.IdentificationFailed:
		return fmt.Sprintf("Nobody matched %q; looked for in %s.%s", e.Identifier, strings.Join(e.Fields, ", "), pretended(e)), nil
	case execution.StageReevaluated:
		return "The stage stays in the plan.", nil
	case execution.StageSkipped:
		return fmt.Sprintf("Skipped %s: %s.", headName(before), skipped(e)), nil
	case execution.StageEntered:
		return fmt.Sprintf("%s came up.", headName(before)), nil
	case execution.StageCompleted:
		return fmt.Sprintf("Passed %s.", headName(before)), append(verdict(e.Grounds), learned(e.Change)...)
	case execution.ChallengeIssued:
		return fmt.Sprintf("Asked the client (%s, challenge %d).", e.Component, e.Sequence), nil
	case execution.ResponseRejected:
		return fmt.Sprintf("The answer was wrong, attempt %d; then: %s.", e.Attempt, e.Action), append(verdict(e.Grounds), problems(e)...)
	case execution.LoginFailed:
		return fmt.Sprintf("A %s was wrong for %s: %s; failure %d.", e.Method, t.who(e.User, "nobody"), e.Cause, e.Failures), nil
	case execution.FactorVerified:
		return fmt.Sprintf("A %s was right.", e.Method), nil
	}
	return t.tellMore(e)
}

func (t *tale) tellMore(e execution.Event) (string, []string) {
	switch e := e.(type) {
	case execution.ExecutionResumed:
		return fmt.Sprintf("Goes on where execution %s waited, by a %s; %d stage(s) are left.", e.From, e.Via, len(e.Entries)), append(t.changedPins(e.Pins), learned(e.Change)...)
	case execution.ContextChanged:
		return fmt.Sprintf("The %s wrote %s.", e.By, strings.Join(e.Touched, ", ")), nil
	case execution.SecretsDiscarded:
		return fmt.Sprintf("Forgot %s.", strings.Join(e.Keys, ", ")), nil
	case execution.StageInserted:
		return fmt.Sprintf("Put %d stage(s) into the plan, for %s.", len(e.Entries), e.By), nil
	case execution.UserLoggedIn:
		return fmt.Sprintf("Logged %s in (session %s, %d kind(s) of proof), until %s.",
			t.who(e.User, "nobody"), e.Session, e.AAL, e.Expires.Format("2006-01-02 15:04 MST")), nil
	case execution.UserLoggedOut:
		return fmt.Sprintf("Logged %s out.", t.who(e.User, "nobody")), nil
	case execution.PlanRestarted:
		return fmt.Sprintf("Started over (%d of %d), because of %s.", e.Count, execution.MaxRestarts, e.Cause), nil
	case execution.ExecutionCompleted:
		return fmt.Sprintf("Done; sent to %s.", e.To), nil
	case execution.ExecutionDenied:
		return denied(e)
	case execution.ExecutionCancelled:
		return fmt.Sprintf("Given up by the %s.", e.Cause), nil
	case execution.ExecutionExpired:
		return "Nobody touched it for too long.", nil
	case execution.ExecutionFailed:
		return fmt.Sprintf("A fault of ours (%s), reference %s.", e.Class, e.ErrorID), []string{e.Detail}
	}
	return "", nil
}

// who names a user, if the name is still readable.
func (t *tale) who(id, nobody string) string {
	if id == "" {
		return nobody
	}
	p, err := t.People.Person(t.ctx, id)
	if err != nil || !p.Exists() {
		return "user " + id
	}
	return p.Username
}

// headName is what the stage is called whose turn it is.
func headName(s execution.State) string {
	head, _ := s.Head()
	return stageName(head.Stage)
}

// stageName is what a stage is called.
func stageName(r domain.Ref) string {
	if r.Name == "" {
		return "stage " + r.ID
	}
	_, kind, _ := strings.Cut(r.Kind, ".")
	return fmt.Sprintf("stage %s (%s)", r.Name, kind)
}

func (t *tale) planned(e execution.PlanCreated) (string, []string) {
	var lines []string
	for _, entry := range e.Entries {
		mark := ""
		if entry.Marker == execution.Reevaluate {
			mark = ", policies are asked when it comes up"
		}
		if !entry.InMemory {
			mark = ", " + t.standing(entry.Stage.ID, entry.Stage.Revision) + mark
		}
		lines = append(lines, fmt.Sprintf("%4d  %s%s", entry.Order, stageName(entry.Stage), mark))
	}
	for _, l := range e.LeftOut {
		lines = append(lines, fmt.Sprintf("left out: %s, by evaluation %s", stageName(l.Stage), l.Evaluation))
	}
	if e.Flow.ID != "" {
		lines = append(lines, "of the flow "+e.Flow.Name+", "+t.standing(e.Flow.ID, e.Flow.Revision))
	}
	return fmt.Sprintf("Planned %d stage(s).", len(e.Entries)), append(lines, t.changedPins(e.Pins)...)
}

func by(e execution.SubjectIdentified) string {
	text := e.By
	if e.MatchedOn != "" {
		text += fmt.Sprintf(", %q matched on %s", e.Identifier, e.MatchedOn)
	}
	return text
}

func pretended(e execution.IdentificationFailed) string {
	if e.Pretended {
		return " The client is not told, and goes on with somebody who does not exist."
	}
	return ""
}

func skipped(e execution.StageSkipped) string {
	if e.Cause == "policy" {
		return "its policies did not pass, see evaluation " + e.Evaluation
	}
	if e.Reason != "" {
		return strings.TrimSuffix(e.Reason, ".")
	}
	return e.Cause
}

func problems(e execution.ResponseRejected) []string {
	var lines []string
	for i, p := range e.Problems {
		text := ""
		if i < len(e.Texts) {
			text = e.Texts[i]
		}
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", p.Field, text, p.Code))
	}
	return lines
}

// verdict is what others said that a judgement rests on.
func verdict(g execution.Grounds) []string {
	if g.Captcha == nil {
		return nil
	}
	text := map[bool]string{true: "the captcha's provider says yes", false: "the captcha's provider does not say yes"}[g.Captcha.Success]
	if g.Captcha.Score != nil {
		text += fmt.Sprintf(", score %g", *g.Captcha.Score)
	}
	if len(g.Captcha.Codes) > 0 {
		text += ", " + strings.Join(g.Captcha.Codes, ", ")
	}
	return []string{text}
}

// learned names what a stage added to the context; secrets by name only.
func learned(c execution.Change) []string {
	if c.Empty() {
		return nil
	}
	return []string{"learned " + strings.Join(c.Keys(), ", ")}
}

func denied(e execution.ExecutionDenied) (string, []string) {
	lines := []string{fmt.Sprintf("the client was told: %s", e.Message)}
	if e.To != "" {
		lines = []string{"the client was sent to " + e.To}
	}
	if e.Need != "" {
		lines = append(lines, "the flow's requirement was not met: "+e.Need)
	}
	if e.Evaluation != "" {
		lines = append(lines, "see evaluation "+e.Evaluation)
	}
	if e.Binding != nil {
		lines = append(lines, "at binding "+e.Binding.ID)
	}
	return fmt.Sprintf("Denied: %s.", strings.ReplaceAll(e.Cause, "_", " ")), lines
}
