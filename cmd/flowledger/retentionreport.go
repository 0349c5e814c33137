package main

import (
	"context"
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/auditapi"
)

// RetentionReport implements auditapi.Retention. It is read from the ledger: the
// rule has few events.
func (a *app) RetentionReport(ctx context.Context) (auditapi.RetentionReport, error) {
	now := time.Now()
	report := auditapi.RetentionReport{Profiles: retention.Profiles(), Months: []retention.Month{}, History: []auditapi.RetentionChange{}}
	var s retention.State
	for e, err := range a.store.ReadStream(ctx, retentionStream, 0) {
		if err != nil {
			return report, err
		}
		d, err := a.codec.Decode(ctx, e)
		if err != nil {
			return report, err
		}
		if changed, ok := d.Event.(retention.LedgerRetentionChanged); ok {
			s = changed.Evolve(s)
			report.History = append(report.History, auditapi.RetentionChange{
				PendingRule: auditapi.PendingRule{Rule: changed.Rule(), From: changed.From}, At: e.RecordedAt, By: changed.By,
			})
		}
	}
	slices.Reverse(report.History) // the newest first
	report.Rule = s.At(now)
	if rule, from, pending := s.Pending(now); pending {
		report.Pending = &auditapi.PendingRule{Rule: rule, From: from}
	}
	first, err := a.firstMonth(ctx)
	if err == nil && !first.IsZero() {
		report.Months = s.Outlook(first, now, monthly...)
	}
	return report, err
}

// SetRetention implements auditapi.Retention.
func (a *app) SetRetention(ctx context.Context, c session.Caller, rule retention.Rule) error {
	meta := system("tenant")
	if c.User != "" {
		meta = caused("user:"+c.User, c)
	}
	return a.changeRule(ctx, retention.Change{Rule: rule, By: c.User, Now: time.Now()}, meta)
}

// changeRule sets the rule, and returns when the answer to it can be read.
func (a *app) changeRule(ctx context.Context, change retention.Change, meta codec.Meta) error {
	_, err := a.retentionHandler.Handle(ctx, retentionStream, change, meta)
	if err != nil {
		return err
	}
	return a.wait(ctx)
}
