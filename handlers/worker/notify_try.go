package worker

import (
	"context"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Try tells somebody by a transport that it works, so far as can be told here:
// whether a mail arrives, they see. There is no event and no rule behind it.
func (n *Notifier) Try(ctx context.Context, id uuid.UUID, transport object.Thing, who user.Person, by codec.Actor) error {
	m := notice{severity: "notice", by: by, report: Report{Who: who, Shown: map[string]any{
		"action":  "transport_test",
		"context": map[string]any{"message": "This is a test of the transport " + transport.Name + "."},
	}}}
	m.report.ID = id
	if transport.Fields["mode"] != notification.Email {
		return n.raise(ctx, m, who)
	}
	if _, err := mail.Address(who.Email); err != nil {
		return domain.Errorf(domain.Invalid, "You have no mail address that could be written to.")
	}
	return n.send(ctx, m, transport, who)
}
