package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

func rebuildCommand() *subcommand {
	return &subcommand{
		name: "rebuild", about: "drops the read models and builds them again from the ledger",
		example: "flowledger rebuild --data /var/lib/flowledger",
		run: func(ctx context.Context, c *call) (err error) {
			var s storage
			fs := c.flags()
			s.flags(fs)
			if _, err := c.parse(fs); err != nil {
				return err
			}
			if err := s.exists(); err != nil {
				return err
			}
			a, err := open(s, discard())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, a.close()) }()
			head, err := a.store.Head(ctx)
			if err != nil {
				return err
			}
			bar := progress{call: c, total: int(head.Value()), start: time.Now()}
			if err := a.runner.Rebuild(ctx, bar.show); err != nil {
				return err
			}
			bar.end()
			return nil
		},
	}
}

// A progress is a bar that grows.
type progress struct {
	call  *call
	total int
	done  int
	start time.Time
	shown time.Time
}

// show draws the bar for so many of the total.
func (p *progress) show(done int) { p.draw("", float64(done)/float64(max(p.total, 1)), done) }

// draw draws the bar, ten times a second at most.
func (p *progress) draw(doing string, share float64, done int) {
	p.done = done
	if time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = time.Now()
	const width = 40
	filled := min(int(share*width), width)
	fmt.Fprintf(p.call.stderr, "\r%s[%-*s] %3.0f %%  %d events", doing, width, bars[:filled], 100*share, done)
}

const bars = "########################################"

func (p *progress) end() {
	seconds := max(time.Since(p.start).Seconds(), 1e-9)
	fmt.Fprintln(p.call.stderr)
	fmt.Fprintf(p.call.stdout, "rebuilt from %d events in %.1f s, %.0f events/s\n", p.done, seconds, float64(p.done)/seconds)
}
