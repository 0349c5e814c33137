package executor

import (
	"context"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// consentStream names the stream of a user's consent to an application: there
// is one, whoever asks first.
func consentStream(userID, application string) eventstore.StreamID {
	return eventstore.Stream("consent", derived("consent", userID, application).String())
}

// Consent implements [stage.Records].
func (e *env) Consent(ctx context.Context, userID, application string) (consent.State, error) {
	s, _, err := e.x.Consents.Load(ctx, consentStream(userID, application))
	return s, wrap(err)
}

// grant records a consent. A new one needs the next integer key; a crash after
// that leaves a key that nobody has.
func (x *Executor) grant(ctx context.Context, d *draft, g execution.GrantConsent, meta codec.Meta) error {
	stream := consentStream(g.User, g.Application.ID)
	s, _, err := x.Consents.Load(ctx, stream)
	if err != nil {
		return err
	}
	granted := consent.ConsentGranted{
		Key: s.Key, User: g.User, Application: g.Application, Permissions: g.Permissions, Mode: g.Mode, Expires: g.Expires,
		Execution: d.id, By: g.User,
	}
	if s.Key == 0 {
		next := meta
		next.Command = uuid.Nil
		counter, err := x.Accounts.Counters.Handle(ctx, eventstore.Stream("counter", "consent"), user.Advance{}, next)
		if err != nil {
			return err
		}
		granted.Key = counter.Last
	}
	_, err = x.Consents.Handle(ctx, stream, consent.Grant{ConsentGranted: granted}, meta)
	return err
}
