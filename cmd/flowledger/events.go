package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/auditapi"
)

func eventsCommand() *subcommand {
	return &subcommand{
		name: "events", about: "prints the ledger as lines, the clear parts only",
		example: "flowledger events --server http://127.0.0.1:9000 --follow --type LoginFailed",
		run: func(ctx context.Context, c *call) error {
			var t target
			var w wanted
			fs := t.flags(c)
			follow := fs.Bool("follow", false, "go on with what is appended, with --server or where nodes share the ledger")
			fs.StringVar(&w.execution, "execution", "", "only events that this `execution` caused")
			fs.StringVar(&w.stream, "stream", "", "only events of this `stream`")
			fs.StringVar(&w.kind, "type", "", "only events of this `type`")
			fs.Func("since", "only events since a `time` (RFC 3339) or for a duration (24h)", w.setSince)
			fs.BoolVar(&w.json, "json", false, "print JSON, one event a line")
			rest, err := c.parse(fs)
			switch {
			case err != nil:
				return err
			case len(rest) > 0:
				return usagef("events takes no arguments, but got %q", rest[0])
			case t.server != "":
				return w.print(ctx, c, t.remote().events(ctx, *follow))
			}
			if e, shared := t.storage.engine(); shared {
				return t.storage.printShared(ctx, c, e, &w, *follow)
			}
			if *follow {
				return usagef("--follow needs --server: nothing is appended to a data folder that no server holds")
			}
			if err := t.storage.exists(); err != nil {
				return err
			}
			return with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
				return w.print(ctx, c, stored(ctx, a.store, w.stream))
			})
		},
	}
}

// printShared prints what is in an engine that nodes share. It needs neither a
// data folder nor keys, and servers may go on.
func (s *storage) printShared(ctx context.Context, c *call, e engine, w *wanted, follow bool) (err error) {
	store, err := e.ledger(ctx, s.store)
	if err != nil {
		return fmt.Errorf("%s: %w", s.place(), err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if follow {
		return w.print(ctx, c, shown(store.Subscribe(ctx, eventstore.Position{})))
	}
	return w.print(ctx, c, stored(ctx, store, w.stream))
}

// stored yields what is in a store: one stream, or all.
func stored(ctx context.Context, store eventstore.Store, stream string) iter.Seq2[auditapi.Event, error] {
	if stream != "" {
		return shown(store.ReadStream(ctx, eventstore.StreamID(stream), 0))
	}
	return shown(store.ReadAll(ctx, eventstore.Position{}))
}

// shown makes of events what is printed of them.
func shown(read iter.Seq2[eventstore.Recorded, error]) iter.Seq2[auditapi.Event, error] {
	return func(yield func(auditapi.Event, error) bool) {
		for e, err := range read {
			if !yield(auditapi.EventOf(e), err) {
				return
			}
		}
	}
}

// pollEvery is how long a reader waits at the end of a server's ledger.
const pollEvery = time.Second

// events yields what a server has, page by page, and goes on when it is to
// follow.
func (r *remote) events(ctx context.Context, follow bool) iter.Seq2[auditapi.Event, error] {
	return func(yield func(auditapi.Event, error) bool) {
		for after := ""; ; {
			var page struct {
				Results []auditapi.Event `json:"results"`
				Next    string           `json:"next"`
			}
			err := r.call(ctx, http.MethodGet, "/api/v3/ledger/events/?after="+url.QueryEscape(after), "", nil, &page)
			if err != nil {
				yield(auditapi.Event{}, err)
				return
			}
			for _, e := range page.Results {
				if !yield(e, nil) {
					return
				}
			}
			after = page.Next
			if len(page.Results) > 0 {
				continue
			}
			if !follow || !pause(ctx, pollEvery) {
				return
			}
		}
	}
}

// pause waits, and tells whether there is a reason to go on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// wanted says which events to print, and how.
type wanted struct {
	execution string
	stream    string
	kind      string
	since     time.Time
	json      bool
}

func (w *wanted) setSince(text string) error {
	if d, err := time.ParseDuration(text); err == nil {
		w.since = time.Now().Add(-d)
		return nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("%q is neither a time such as 2026-01-31T08:00:00Z nor a duration such as 24h", text)
	}
	w.since = t
	return nil
}

func (w *wanted) matches(e auditapi.Event, h codec.Header) bool {
	return (w.stream == "" || e.Stream == w.stream) &&
		(w.kind == "" || e.Type == w.kind) &&
		!e.RecordedAt.Before(w.since) &&
		(w.execution == "" || h.Execution == w.execution || e.Stream == string(eventstore.Stream("execution", w.execution)))
}

func (w *wanted) print(ctx context.Context, c *call, events iter.Seq2[auditapi.Event, error]) error {
	encoder := json.NewEncoder(c.stdout)
	for e, err := range events {
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		var h codec.Header
		if err := json.Unmarshal(e.Header, &h); err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		if !w.matches(e, h) {
			continue
		}
		if w.json {
			err = encoder.Encode(e)
		} else {
			_, err = fmt.Fprintf(c.stdout, "%8s  %s  %-46s %4d  %-24s %s\n",
				e.Position, e.RecordedAt.Format("2006-01-02 15:04:05.000"), e.Stream, e.Revision, e.Type, e.Payload)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
