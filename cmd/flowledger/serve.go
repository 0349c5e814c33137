package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/worker"
)

func serveCommand() *subcommand {
	return &subcommand{
		name: "serve", about: "serves flows: ledger, read models, workers and HTTP in one process",
		example: "flowledger serve --listen 0.0.0.0:9000 --data /var/lib/flowledger --base-url https://login.example.org",
		run: func(ctx context.Context, c *call) error {
			var cfg config
			fs := c.flags()
			cfg.flags(fs)
			rest, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return usagef("serve takes no arguments, but got %q", rest[0])
			}
			log, err := cfg.logger(os.Stderr)
			if err != nil {
				return err
			}
			return serve(ctx, c, cfg, log)
		},
	}
}

// shutdown is how long requests that are under way may take to finish.
const shutdown = 8 * time.Second

// serve runs everything until ctx is done. The listener comes first, so that a
// port in use is found before anything is written.
func serve(ctx context.Context, c *call, cfg config, log *slog.Logger) (err error) {
	mails, err := cfg.transport(c.stderr)
	if err != nil {
		return err
	}
	if err := checkFolder(cfg.blueprints); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; choose another address with --listen", cfg.listen, err)
	}
	defer listener.Close()
	collectLess()
	places, err := cfg.places.open(log)
	if err != nil {
		return err
	}
	a, err := open(cfg.storage, log)
	if err != nil {
		return err
	}
	a.places, a.library.Folder = places, cfg.blueprints
	defer func() { err = errors.Join(err, a.close()) }()
	a.ask(cfg.outside())

	// What follows the ledger outlives the requests, which wait for it.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, background := errgroup.WithContext(background)
	group.Go(func() error { return a.runner.Run(background) })

	m := newMetrics(a)
	front := &http.Server{
		Handler: a.handler(cfg, m), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	group.Go(func() error { return closed(front.Serve(listener)) })
	if cfg.metricsListen != "" {
		side, err := m.serve(cfg.metricsListen)
		if err != nil {
			return errors.Join(err, front.Close(), end(stop, group))
		}
		group.Go(side.run)
		context.AfterFunc(background, side.close)
	}
	publisher, err := a.broker(background, cfg.brokerFlags)
	if err != nil {
		return errors.Join(err, front.Close(), end(stop, group))
	}
	if publisher != nil {
		m.watchBroker(publisher)
		group.Go(func() error { return publisher.Run(background) })
	}
	group.Go(func() error { return a.work(background, mails) })
	group.Go(func() error {
		if err := a.bootstrap(background, cfg, c.stdout, listener.Addr()); err != nil {
			return fmt.Errorf("first start: %w", err)
		}
		a.ready.Store(true)
		log.Info("ready", "address", listener.Addr().String(), "store", cfg.store, "data", a.data)
		return a.watch(background)
	})
	select {
	case <-ctx.Done():
	case <-background.Done():
	}
	log.Info("stopping")
	patience, cancel := context.WithTimeout(context.Background(), shutdown)
	defer cancel()
	down := front.Shutdown(patience)
	if errors.Is(down, context.DeadlineExceeded) {
		// Clients that take longer must not keep the program from ending. What
		// anybody was told is in the ledger.
		log.Warn("stopping with requests under way", "waited", shutdown)
		down = front.Close()
	}
	return errors.Join(down, end(stop, group))
}

// collectLess has the garbage collector run half as often as by default, unless
// the operator has said how often. What stays in memory are the configured
// things, which are small; a collection in the middle of a long list is what
// its reader waits for.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}

// end stops what runs in the background and waits for it.
func end(stop func(), group *errgroup.Group) error {
	stop()
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// closed is no error for a server that was told to stop.
func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// follower reads the ledger for a worker of that name.
func (a *app) follower(name string, from worker.Position) worker.Follower {
	return worker.Follower{
		Store: a.store, From: from, Log: a.log,
		Save: func(p worker.Position) error { return a.views.SaveCheckpoint(name, p) },
		Park: func(ctx context.Context, e eventstore.Recorded, cause error) error {
			return a.park(ctx, name, e, cause)
		},
	}
}

// work runs the workers: what executions owe is paid, mail is sent, people are
// told of events, what is over ends.
func (a *app) work(ctx context.Context, mails worker.Transport) error {
	checkpoint, err := a.views.Checkpoint("settle")
	if err != nil {
		return err
	}
	settle := &worker.Settler{Follower: a.follower("settle", checkpoint), Executor: a.executor, Now: time.Now}
	mailer, err := a.mailer(mails)
	if err != nil {
		return err
	}
	notify, err := a.notifier(ctx)
	if err != nil {
		return err
	}
	exports := newExportFiles(a.data)
	sweep := &worker.Sweeper{Every: 10 * time.Second, Now: time.Now, Log: a.log, Tasks: []worker.Task{
		{Name: "executions", Due: a.executions.Due, End: a.executor.Expire},
		{Name: "sessions", Due: a.sessions.Due, End: a.expireSession},
		{Name: "tokens", Due: a.tokens.Due, End: a.expireToken},
		{Name: "erasures", Due: a.subjects.Due, End: a.eraseDeleted},
		{Name: "remains of erasures", Due: a.subjects.Left, End: a.eraseLeft},
		{Name: "consents", Due: a.consents.Due, End: a.expireConsent},
		{Name: "invitations", Due: a.invitations.Due, End: a.expireInvitation},
		{Name: "looks", Due: a.looks.Due, End: a.looks.Settle},
		{Name: "exports", Due: exports.due, End: exports.end},
	}}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return settle.Run(ctx) })
	group.Go(func() error { return mailer.Run(ctx) })
	group.Go(func() error { return notify.Run(ctx) })
	group.Go(func() error { return sweep.Run(ctx) })
	return group.Wait()
}
