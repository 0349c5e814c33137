package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// monthly are the classes whose keys have months.
var monthly = []domain.Sealed{domain.Trace, domain.Network}

// retentionStream is where the rule stands.
var retentionStream = eventstore.Stream("ledger", retention.ID)

// A lapse destroys the keys of months that are older than the rule. The sweeper
// asks it, on one node at a time.
type lapse struct {
	app  *app
	from time.Time       // first month of the ledger; zero while it is not known
	done map[string]bool // streams of months that are known to be gone
}

// due returns the months whose keys have to go, the oldest first, each once
// for a class. Between two rounds there is nothing to read but the rule.
func (l *lapse) due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	rule, _, err := l.app.retentionHandler.Load(ctx, retentionStream)
	if err != nil {
		return nil, err
	}
	if l.from.IsZero() {
		if l.from, err = l.app.firstMonth(ctx); err != nil || l.from.IsZero() {
			return nil, err
		}
	}
	var due []string
	for month := l.from; month.Before(now); month = month.AddDate(0, 1, 0) {
		for _, class := range monthly {
			id := key.EpochID(class, retention.Epoch(month))
			kept := retention.KeptFrom(now, rule.At(now).Months(class))
			if l.done[id] || !month.Before(kept) || len(due) == limit {
				continue
			}
			s, _, err := l.app.keyHandler.Load(ctx, eventstore.Stream("key", id))
			if err != nil {
				return nil, err
			}
			if l.done[id] = s.Destroyed; !s.Destroyed {
				due = append(due, id)
			}
		}
	}
	return due, nil
}

// end destroys the key of one class and month, and records it. The key goes
// first: a crash before the record leaves a month that is due again, and
// destroying it again changes nothing. Recorded first, a crash would leave a
// key that nobody looks for.
func (l *lapse) end(ctx context.Context, id string) error {
	letter, epoch, _ := strings.Cut(id, ".")
	month, err := retention.EpochStart(epoch)
	if err != nil || len(letter) != 1 {
		return fmt.Errorf("month %q: %w", id, err)
	}
	class := domain.Sealed(letter[0])
	if class == domain.Trace {
		if err := l.app.withdraw(ctx, epoch); err != nil {
			return err
		}
	}
	gone := key.EpochKeyDestroyed{Class: letter, Epoch: epoch}
	if err := l.app.sealedIn(ctx, class, month, &gone); err != nil {
		return err
	}
	if err := l.app.vault.Forget(ctx, []string{epoch}, byte(class)); err != nil {
		return err
	}
	_, err = l.app.keyHandler.Handle(ctx, eventstore.Stream("key", id), key.DestroyEpoch{EpochKeyDestroyed: gone}, system("tenant"))
	return err
}

// firstMonth is the month of the first event, zero for an empty ledger.
func (a *app) firstMonth(ctx context.Context) (time.Time, error) {
	for e, err := range a.store.ReadAll(ctx, eventstore.Position{}) {
		if err != nil {
			return time.Time{}, err
		}
		return retention.EpochStart(retention.Epoch(e.RecordedAt))
	}
	return time.Time{}, nil
}

// skew is how far the clock that chose a month may have been from the one that
// recorded the event.
const skew = time.Hour

// sealedIn counts the events that have something sealed in a month.
func (a *app) sealedIn(ctx context.Context, class domain.Sealed, month time.Time, gone *key.EpochKeyDestroyed) error {
	from, err := a.audit.Before(ctx, month.Add(-skew))
	if err != nil {
		return err
	}
	until := month.AddDate(0, 1, 0).Add(skew)
	for e, err := range a.store.ReadAll(ctx, from) {
		if err != nil {
			return err
		}
		if !e.RecordedAt.Before(until) {
			return nil
		}
		in, err := codec.SealedIn(e, class, gone.Epoch)
		if err != nil {
			return err
		}
		if !in {
			continue
		}
		if gone.Events++; gone.First == "" {
			gone.First = e.Position.String()
		}
		gone.Last = e.Position.String()
	}
	return nil
}

// withdraw takes back the open invitations whose guests were named in a month
// that is about to be forgotten: without their data they would let in whoever
// comes, as whomever. A crash leaves some of them for the next round.
func (a *app) withdraw(ctx context.Context, epoch string) error {
	open, err := a.invitations.List(ctx, time.Now())
	if err != nil {
		return err
	}
	for _, one := range open {
		stream, named := eventstore.Stream("invitation", one.ID), false
		for e, err := range a.store.ReadStream(ctx, stream, 0) {
			if err != nil {
				return err
			}
			if e.Type == (invitation.InvitationCreated{}).EventType() { // the last one has the terms in force
				named, err = codec.SealedIn(e, domain.Trace, epoch)
				if err != nil {
					return err
				}
			}
		}
		if !named {
			continue
		}
		if _, err := a.invitationHandler.Handle(ctx, stream, invitation.Remove{Via: "retention"}, system("tenant")); err != nil {
			return err
		}
	}
	return nil
}
