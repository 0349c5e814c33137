package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/worker"
)

// follower reads the ledger for a worker of that name, from its checkpoint on.
func (a *app) follower(c *savedCheckpoint, from worker.Position) worker.Follower {
	return worker.Follower{
		Store: a.store, From: from, Log: a.log, Save: c.save,
		Park: func(ctx context.Context, e eventstore.Recorded, cause error) error {
			return a.park(ctx, c.name, e, cause)
		},
	}
}

// work runs the workers: what executions owe is paid, mail is sent, people are
// told of events, what is over ends. Each is made when it is this node's turn,
// for it goes on where the one before has come.
func (a *app) work(ctx context.Context, mails worker.Transport) error {
	group, ctx := errgroup.WithContext(ctx)
	for name, run := range map[string]func(context.Context) error{
		"settle": a.settle,
		"mail":   func(ctx context.Context) error { return a.mail(ctx, mails) },
		"notify": a.notify,
		"sweep":  a.sweeper(a.tasks()).Run,
	} {
		group.Go(func() error { return a.alone(ctx, name, run) })
	}
	group.Go(func() error { return a.sweeper(a.ownTasks()).Run(ctx) })
	group.Go(func() error { return a.outgoing.run(ctx) })
	return group.Wait()
}

func (a *app) settle(ctx context.Context) error {
	c, at, err := a.checkpoint(ctx, "settle")
	if err != nil {
		return err
	}
	settle := &worker.Settler{Follower: a.follower(c, at), Executor: a.executor, Now: time.Now}
	return settle.Run(ctx)
}

func (a *app) mail(ctx context.Context, through worker.Transport) error {
	mailer, err := a.mailer(ctx, through)
	if err != nil {
		return err
	}
	return mailer.Run(ctx)
}

func (a *app) notify(ctx context.Context) error {
	notifier, err := a.notifier(ctx)
	if err != nil {
		return err
	}
	return notifier.Run(ctx)
}

func (a *app) sweeper(tasks []worker.Task) *worker.Sweeper {
	return &worker.Sweeper{Every: 10 * time.Second, Now: time.Now, Log: a.log, Tasks: tasks}
}

// tasks is what ends in the ledger.
func (a *app) tasks() []worker.Task {
	lapse := &lapse{app: a, done: map[string]bool{}}
	return []worker.Task{
		{Name: "executions", Due: a.executions.Due, End: a.executor.Expire},
		{Name: "sessions", Due: a.sessions.Due, End: a.expireSession},
		{Name: "tokens", Due: a.tokens.Due, End: a.expireToken},
		{Name: "erasures", Due: a.subjects.Due, End: a.eraseDeleted},
		{Name: "remains of erasures", Due: a.subjects.Left, End: a.eraseLeft},
		{Name: "retention", Due: lapse.due, End: lapse.end},
		{Name: "consents", Due: a.consents.Due, End: a.expireConsent},
		{Name: "invitations", Due: a.invitations.Due, End: a.expireInvitation},
	}
}

// ownTasks is what ends on each node: what its memory and its folder hold.
func (a *app) ownTasks() []worker.Task {
	exports := newExportFiles(a.data)
	return []worker.Task{
		{Name: "looks", Due: a.looks.Due, End: a.looks.Settle},
		{Name: "exports", Due: exports.due, End: exports.end},
	}
}
