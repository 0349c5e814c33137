package executor

import (
	"context"
	"maps"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
)

// cannotWrite is all that a client is told of a user who cannot be written.
const cannotWrite = "Failed to update user. Please try again later."

// claim takes the user names that the effects of a passed stage want, before
// the decision: the client must hear that one is taken. A claim that no
// decision follows lapses. New users get their id here.
func (x *Executor) claim(ctx context.Context, d *draft, o execution.Pass) (execution.Outcome, error) {
	effects := append([]execution.Effect(nil), o.Effects...)
	for i, e := range effects {
		if e.WriteUser == nil {
			continue
		}
		w := *e.WriteUser
		if w.Create {
			w.User = derived(d.id, "user", d.visit.Slug, w.Fields["username"].(string)).String()
			o.Facts = append(o.Facts, execution.SubjectIdentified{User: w.User, By: "user_write", Backend: o.Learned.Text(execution.KeyUserBackend), Shown: true})
		}
		name, _ := w.Fields["username"].(string)
		err := x.Accounts.Claim(ctx, name, w.User, x.meta(d.id, d.state, d.visit.Caller))
		if code, _ := domain.Explain(err); code == domain.Invalid {
			return execution.Deny{Message: cannotWrite}, nil
		}
		if err != nil {
			return nil, err
		}
		effects[i].WriteUser = &w
	}
	o.Effects = effects
	return o, nil
}

// writeUser creates or changes a user, as the execution decided. Each part is
// an append of its own under derived ids; doing it twice changes nothing.
func (x *Executor) writeUser(ctx context.Context, d *draft, w execution.WriteUser, meta codec.Meta) error {
	writer := account.Writer{By: d.visit.Caller.User, Via: "user_write", Meta: meta}
	fields := user.FieldsOf(maps.Clone(w.Fields))
	if w.Create {
		if _, err := x.Accounts.Create(ctx, account.New{ID: w.User, Fields: fields, Hash: w.Password}, writer); err != nil {
			return err
		}
		return x.Accounts.Join(ctx, w.User, w.Groups, writer)
	}
	if _, err := x.Accounts.Write(ctx, w.User, fields, writer); err != nil {
		return err
	}
	if !w.Password.Empty() {
		if err := x.Accounts.SetHash(ctx, w.User, w.Password, writer); err != nil {
			return err
		}
	}
	return x.Accounts.Join(ctx, w.User, w.Groups, writer)
}
