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
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
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
	if err := cfg.brokerFlags.check(); err != nil {
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
	front.RegisterOnShutdown(sync.OnceFunc(func() { close(a.ending) }))
	group.Go(func() error { return closed(front.Serve(listener)) })
	if cfg.metricsListen != "" {
		side, err := m.serve(cfg.metricsListen)
		if err != nil {
			return errors.Join(err, front.Close(), end(stop, group))
		}
		group.Go(side.run)
		context.AfterFunc(background, side.close)
	}
	if publisher := a.broker(cfg.brokerFlags); publisher != nil {
		m.watchBroker(publisher)
		group.Go(func() error { return a.publish(background, publisher, cfg.fromEnd) })
	}
	group.Go(func() error { return a.work(background, mails) })
	group.Go(func() error {
		err := a.alone(background, "bootstrap", func(ctx context.Context) error {
			return a.bootstrap(ctx, cfg, c.stdout, listener.Addr())
		})
		if err != nil {
			return fmt.Errorf("first start: %w", err)
		}
		if background.Err() != nil {
			return nil
		}
		a.ready.Store(true)
		log.Info("ready", "address", listener.Addr().String(), "store", cfg.place(), "data", a.data)
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
