package executor

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
)

// posed makes ready what asking for something wants done. Mails that the
// client asks for are counted before the decision: it must hear when there
// were too many. A count that no decision follows is one mail less.
func (x *Executor) posed(ctx context.Context, d *draft, o execution.Ask) (execution.Ask, *execution.Invalid, error) {
	var effects []execution.Effect
	for i, e := range o.Effects {
		if m := e.SendMail; m != nil && m.Limit != nil {
			err := x.counted(ctx, d, *m.Limit, i)
			if full, ok := errors.AsType[*mail.TooManyError](err); ok {
				refused := stage.TooManyMails(full.Wait)
				return o, &refused, nil
			}
			if err != nil {
				return o, nil, err
			}
		}
		if e.SendMail == nil || !e.SendMail.Nobody {
			effects = append(effects, e)
		}
	}
	o.Effects = x.minted(effects)
	return o, nil, nil
}

// counted counts a mail to an address. The stream has a keyed code of it for
// a name, so the ledger tells nobody whose it is.
func (x *Executor) counted(ctx context.Context, d *draft, l execution.Limit, n int) error {
	asked := derived(d.id, "resend", fmt.Sprint(d.state.Sequence, "/", n))
	meta := x.meta(d.id, d.state, d.visit.Caller)
	_, err := x.Resends.Handle(ctx, eventstore.Stream("resend", x.Accounts.Code("email", l.Address)),
		mail.Resend{Request: asked.String(), Most: l.Most, Within: l.Within, Now: x.Now()}, meta)
	return err
}
