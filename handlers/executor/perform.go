package executor

import (
	"context"
	"fmt"
	"strconv"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
)

// perform pays what an execution owes to other streams. Each effect is its own
// append under ids that follow from the execution: a crash anywhere in between
// leaves the rest owed, and doing it all again changes nothing that is done.
func (x *Executor) perform(ctx context.Context, d *draft) error {
	for i, e := range d.state.Owed {
		meta := x.meta(d.id, d.state, d.visit.Caller)
		meta.Command = derived(d.id, strconv.FormatInt(int64(d.revision), 10), strconv.Itoa(i))
		if e.ID != "" {
			meta.Command = derived(d.id, e.ID)
		}
		if err := x.effect(ctx, d, e, meta); err != nil {
			return fmt.Errorf("execution %s, effect %d: %w", d.id, i, err)
		}
	}
	d.state.Owed = nil
	if d.state.Status != execution.Running && d.state.Sealed {
		if err := x.Secrets.ForgetExecution(ctx, d.id); err != nil {
			return fmt.Errorf("forget the secrets of execution %s: %w", d.id, err)
		}
	}
	return nil
}

func (x *Executor) effect(ctx context.Context, d *draft, e execution.Effect, meta codec.Meta) error {
	switch {
	case e.Authenticate != nil:
		return x.authenticate(ctx, d, *e.Authenticate, meta)
	case e.EndSession != nil:
		return x.endSession(ctx, d, *e.EndSession, meta)
	case e.WriteUser != nil:
		return x.writeUser(ctx, d, *e.WriteUser, meta)
	case e.GrantConsent != nil:
		return x.grant(ctx, d, *e.GrantConsent, meta)
	case e.DeleteUser != nil:
		return x.Accounts.Delete(ctx, e.DeleteUser.User, account.Writer{By: e.DeleteUser.By, Via: "user_delete", Meta: meta})
	case e.Rehash != nil:
		return x.Accounts.Rehash(ctx, e.Rehash.User, e.Rehash.Credential, e.Rehash.Password, meta)
	case e.RemovePassword != nil:
		return x.Accounts.RemovePassword(ctx, e.RemovePassword.User, e.RemovePassword.Credential, account.Writer{Via: "policy", Meta: meta})
	case e.SendMail != nil:
		return x.sendMail(ctx, d, *e.SendMail, meta)
	case e.Record != nil:
		_, err := x.Audit.Handle(ctx, eventstore.Stream("audit", meta.Command.String()),
			audit.Write{Event: audit.AuditCustomRecorded{
				Action: e.Record.Action, App: e.Record.App, Context: e.Record.Context, By: d.state.Subject.User,
			}}, meta)
		return err
	case e.UseToken != nil:
		return x.useToken(ctx, d, e.UseToken.Token, meta)
	case e.ActivateUser != nil:
		active := true
		_, err := x.Accounts.Write(ctx, e.ActivateUser.User, user.Fields{Active: &active}, account.Writer{Via: "email_stage", Meta: meta})
		return err
	}
	panic("executor: an effect without a member")
}

// endSession logs the browser out. In the rest of this request nobody is
// logged in any more.
func (x *Executor) endSession(ctx context.Context, d *draft, e execution.EndSession, meta codec.Meta) error {
	out := session.LogOut{Execution: d.id, Cause: "user", Keep: e.Keep}
	if _, err := x.Sessions.Handle(ctx, eventstore.Stream("session", e.Session), out, meta); err != nil {
		return err
	}
	d.ended, d.renewed = !e.Keep, e.Keep
	d.visit.Caller.User, d.visit.Caller.Superuser = "", false
	return nil
}

// authenticate logs the user in to the session, then ends the sessions that
// the login replaces.
func (x *Executor) authenticate(ctx context.Context, d *draft, a execution.Authenticate, meta codec.Meta) error {
	_, err := x.Sessions.Handle(ctx, eventstore.Stream("session", a.Session), session.Authenticate{
		User: a.User, Execution: d.id, Expires: a.Expires, Browser: a.Browser, Now: x.Now(), IP: a.IP, Origin: a.Origin,
		Bound: session.Binding{Network: a.Network, GeoIP: a.GeoIP},
	}, meta)
	if code, _ := domain.Explain(err); code == domain.Expired {
		return nil // the session has ended meanwhile: there is nobody left to log in
	}
	if err != nil {
		return err
	}
	d.renewed, d.visit.Caller.User = true, a.User
	for i, other := range a.Terminate {
		meta.Command = derived(meta.Command.String(), strconv.Itoa(i))
		if _, err := x.Sessions.Handle(ctx, eventstore.Stream("session", other),
			session.Revoke{By: a.User, Cause: "limit"}, meta); err != nil {
			return err
		}
	}
	return nil
}
