package executor

import (
	"context"
	"fmt"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Launch begins an execution of a flow for somebody who wants to see it: it is
// about whoever asks, and their browser session goes on with it when it opens
// the flow's page. It is planned and no more, for a request that only fetches
// something must not go through stages. The id is that of an execution that is
// over already, having had no stage, and empty of one that goes on.
func (x *Executor) Launch(ctx context.Context, slug string, c session.Caller) (over string, err error) {
	flow, err := x.newest(ctx, slug)
	if err != nil {
		return "", err
	}
	v := execution.Visit{Slug: slug, Entry: "execute", Caller: c}
	start, err := x.start(ctx, v, flow)
	if err != nil {
		return "", err
	}
	d := &draft{id: x.NewID(), revision: -1, visit: v, flow: flow}
	if err := d.decide(start); err != nil {
		return "", err
	}
	if err := x.plan(ctx, d); err != nil {
		if _, err := x.failed(ctx, d, err); err != nil {
			return "", err
		}
	}
	// A crash between the two appends leaves an execution that no session leads
	// to: it expires.
	if err := x.commit(ctx, d); err != nil {
		return "", err
	}
	if err := x.attach(ctx, d); err != nil {
		return "", err
	}
	switch d.state.Status {
	case execution.Running:
		return "", nil
	case execution.Completed:
		return d.id, nil
	}
	message := d.state.Outcome.Message
	if message == "" {
		message = "Unknown error"
	}
	return "", domain.Errorf(domain.Invalid, "Flow not applicable to current user/request: %s", message)
}

// attach makes an execution the session's current one of its flow.
func (x *Executor) attach(ctx context.Context, d *draft) error {
	meta := x.meta(d.id, d.state, d.visit.Caller)
	meta.Network, meta.Command = nil, derived(d.id, "attach")
	_, err := x.Sessions.Handle(ctx, eventstore.Stream("session", d.visit.Caller.Session), session.Attach{Execution: d.id, Flow: d.flow.Ref()}, meta)
	if err != nil {
		return fmt.Errorf("attach execution %s: %w", d.id, err)
	}
	return nil
}
