package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/projections"
)

func erasureCommand() *subcommand {
	return &subcommand{
		name: "erasure", usage: "ID", about: "answers a request for erasure: what was destroyed, when, by whom, and where copies went",
		example: "flowledger erasure 01938d2e-7c00-7000-8000-0000000000bb",
		run: func(ctx context.Context, c *call) error {
			var t target
			args, err := c.parse(t.flags(c))
			if err != nil {
				return err
			}
			if len(args) != 1 {
				return usagef("say erasure ID; the id of the user, for a name is gone")
			}
			if t.server != "" {
				return t.remote().copy(ctx, "/api/v3/ledger/erasures/"+args[0]+"/?format=text", c.stdout)
			}
			if err := t.storage.exists(); err != nil {
				return err
			}
			return with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
				report, err := a.ErasureReport(ctx, args[0])
				if err != nil {
					return err
				}
				return report.Write(c.stdout)
			})
		},
	}
}

// ErasureReport implements auditapi.Erased.
func (a *app) ErasureReport(ctx context.Context, id string) (auditapi.ErasureReport, error) {
	report, err := a.destroyed(ctx, id)
	if err != nil || report.Event != "" {
		return report, err
	}
	// It may be the id of the record itself.
	found, _, _, err := a.audit.List(ctx, projections.AuditFilter{ID: id, Category: "key"}, false, projections.Page{Limit: 1})
	if err == nil && len(found) == 1 {
		report, err = a.destroyed(ctx, found[0].Stream.ID())
	}
	if err == nil && report.Event == "" {
		err = domain.Errorf(domain.NotFound, "Nothing was destroyed under this id.")
	}
	return report, err
}

// destroyed reads what is recorded of the keys of a subject or a month. A
// report without an event says that nothing is.
func (a *app) destroyed(ctx context.Context, id string) (auditapi.ErasureReport, error) {
	report := auditapi.ErasureReport{
		Keys: []auditapi.ErasedKeys{}, Remaining: []auditapi.ErasedLater{}, Stays: []projections.TypeCount{}, Copies: []auditapi.ErasedCopy{},
	}
	for e, err := range a.store.ReadStream(ctx, eventstore.Stream("key", id), 0) {
		if err != nil {
			return report, err
		}
		d, err := a.codec.DecodeClear(e)
		if err != nil {
			return report, err
		}
		report.Event, report.Subject, report.At = e.ID.String(), id, e.RecordedAt
		switch gone := d.Event.(type) {
		case key.EpochKeyDestroyed:
			report.Kind, report.Cause, report.Complete, report.Classes = "epoch", "retention", true, []string{gone.Class}
		case key.SubjectKeyDestroyed:
			report.Kind, report.Cause, report.By, report.Classes = gone.Kind, gone.Cause, gone.By, gone.Classes
			report.BackupsGoneAt = gone.BackupsGoneAt
			if gone.Kind == key.User {
				err = a.erasedUser(ctx, &report, gone)
			}
			report.Complete = !report.BackupsGoneAt.After(time.Now()) && !slices.ContainsFunc(report.Remaining,
				func(l auditapi.ErasedLater) bool { return l.GoneAt.IsZero() })
		}
		return report, err // there is one, or it says the same again
	}
	return report, nil
}

// erasedUser adds what is known of a user who was erased.
func (a *app) erasedUser(ctx context.Context, r *auditapi.ErasureReport, gone key.SubjectKeyDestroyed) error {
	for e, err := range a.store.ReadStream(ctx, eventstore.Stream("user", r.Subject), 0) {
		if err != nil {
			return err
		}
		if r.Created.IsZero() {
			r.Created = e.RecordedAt
		}
		if e.Type == (user.UserDeleted{}).EventType() {
			r.Deleted = e.RecordedAt
		}
	}
	counts, err := a.subjects.Count(ctx, r.Subject)
	if err != nil {
		return err
	}
	for _, c := range counts {
		r.Keys = append(r.Keys, auditapi.ErasedKeys{Kind: c.Kind, Destroyed: c.Gone, Remaining: c.Left})
	}
	for _, name := range gone.Remaining {
		later := auditapi.ErasedLater{Subject: name}
		_, id, _ := strings.Cut(name, ":")
		for e, err := range a.store.ReadStream(ctx, eventstore.Stream("key", id), 0) {
			if err != nil {
				return err
			}
			later.GoneAt = e.RecordedAt
			r.BackupsGoneAt = r.BackupsGoneAt.Add(max(0, e.RecordedAt.Add(backupsKept).Sub(r.BackupsGoneAt)))
		}
		r.Remaining = append(r.Remaining, later)
	}
	if r.Stays, err = a.audit.About(ctx, r.Subject); err != nil {
		return err
	}
	return a.copiesOf(ctx, r)
}

// copiesOf adds where copies of a user's data may have gone, as far as the
// ledger knows: to mailboxes, into exports, to sinks that send names out.
func (a *app) copiesOf(ctx context.Context, r *auditapi.ErasureReport) error {
	sent := mail.MailSent{}.EventType()
	for _, t := range r.Stays {
		if t.Type == sent {
			r.Copies = append(r.Copies, auditapi.ErasedCopy{Kind: auditapi.CopyMail, Events: t.Events})
		}
	}
	events, err := a.audit.Following(ctx, projections.AuditFilter{
		Types: []string{audit.AuditExported{}.EventType()}, From: r.Created, Until: r.At,
	}, eventstore.Position{}, mostCopies)
	if err != nil {
		return err
	}
	for _, one := range events {
		d, err := a.eventAt(ctx, one)
		if err != nil {
			return err
		}
		if exported, ok := d.(audit.AuditExported); ok && !exported.Bare {
			r.Copies = append(r.Copies, auditapi.ErasedCopy{
				Kind: auditapi.CopyExport, ID: one.ID, By: exported.By, From: one.At, Until: one.At, Events: exported.Count,
			})
		}
	}
	app, name, _ := strings.Cut(trail.Model, ".")
	made, err := a.audit.Following(ctx, projections.AuditFilter{
		Types: []string{object.ObjectCreated{}.EventType()}, App: app, Model: name, Until: r.At,
	}, eventstore.Position{}, mostCopies)
	if err != nil {
		return err
	}
	for _, one := range made {
		told, err := a.toldBy(ctx, one.Stream, r)
		if err != nil {
			return err
		}
		r.Copies = append(r.Copies, told...)
	}
	return nil
}

// mostCopies bounds how many exports and sinks one report tells of.
const mostCopies = 1000

// toldBy lists the times in which a sink sent out names while a user was known.
func (a *app) toldBy(ctx context.Context, stream eventstore.StreamID, r *auditapi.ErasureReport) (out []auditapi.ErasedCopy, err error) {
	var s object.State
	var since time.Time // when it began to send names; zero while it does not
	add := func(until time.Time) {
		if !since.IsZero() && (until.IsZero() || until.After(r.Created)) {
			out = append(out, auditapi.ErasedCopy{
				Kind: auditapi.CopySink, ID: stream.ID(), Name: s.Name, From: since, Until: until,
			})
		}
		since = time.Time{}
	}
	for e, err := range a.store.ReadStream(ctx, stream, 0) {
		if err != nil {
			return nil, err
		}
		if e.RecordedAt.After(r.At) {
			break
		}
		d, err := a.codec.DecodeClear(e)
		if err != nil {
			return nil, err
		}
		if changed, ok := d.Event.(object.Event); ok {
			s = changed.Evolve(s)
		}
		personal, _ := s.Fields["personal"].(bool)
		enabled, _ := s.Fields["enabled"].(bool)
		switch sends := personal && enabled; {
		case sends && since.IsZero():
			since = e.RecordedAt
		case !sends:
			add(e.RecordedAt)
		}
	}
	add(time.Time{})
	return out, nil
}

// eventAt reads one event that the index names, without what is sealed.
func (a *app) eventAt(ctx context.Context, one projections.Entry) (any, error) {
	for e, err := range a.store.ReadStream(ctx, one.Stream, one.Revision) {
		if err != nil {
			return nil, err
		}
		d, err := a.codec.DecodeClear(e)
		return d.Event, err
	}
	return nil, domain.Errorf(domain.NotFound, "There is no such event.")
}
