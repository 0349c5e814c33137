package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/token"
)

// ConfirmationKind is what stands in plans for a [Confirmation], which nobody
// configures.
const ConfirmationKind = "in_memory.confirmation"

// Confirmation asks whoever opened a link in a mail to go on, before anything
// is used up (spec/stages.md 4.6): the programs that look through mail open
// links, too.
type Confirmation struct{}

// LinkUsed is what visitors are told whose link somebody was faster with.
const LinkUsed = "Link was already used, please request a new link."

// LinkExpired is what visitors are told whose link does not work.
const LinkExpired = "This link has expired. Please request a new one."

// ConfirmationHeader is what whoever opened a link is asked.
const ConfirmationHeader = "Continue to confirm this email address."

// Enter implements [Stage].
func (c Confirmation) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	t, err := in.Records.Token(ctx, in.State.Context.Text(execution.KeyIsRestored))
	switch {
	case err != nil:
		return nil, err
	case t.Status == token.Used && t.UsedBy != in.Execution:
		return execution.Deny{Message: LinkUsed}, nil
	case t.Status != token.Used && !t.Valid(in.Caller.Now):
		return execution.Deny{Message: LinkExpired}, nil
	}
	return execution.Ask{Challenge: consentChallenge{
		pendingUser: shown(in), Header: ConfirmationHeader, Permissions: []permission{}, Additional: []permission{},
		Token: consentToken(in, 0),
	}}, nil
}

// Respond implements [Stage]. The right answer uses up the link, and brings
// back what it kept. Any other is asked again, without a word.
func (c Confirmation) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	typed, problems := read(response).text("token", rule{required: true})
	o, err := c.Enter(ctx, in)
	ask, ok := o.(execution.Ask)
	switch {
	case !ok || err != nil:
		return o, err
	case problems != nil:
		return again(ask.Challenge, problems), nil
	case !domain.NewSecret(typed).Equal(domain.NewSecret(consentToken(in, 0))):
		return again(ask.Challenge, nil), nil
	}
	link := in.State.Context.Text(execution.KeyIsRestored)
	t, err := in.Records.Token(ctx, link)
	if err != nil {
		return nil, err
	}
	return execution.Pass{
		Learned: in.State.Context.Completed(t.Resumption.Secrets),
		Effects: []execution.Effect{{UseToken: &execution.UseToken{Token: link}}},
	}, nil
}
