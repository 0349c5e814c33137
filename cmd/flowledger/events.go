package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

func eventsCommand() *subcommand {
	return &subcommand{
		name: "events", about: "prints the ledger as lines, the clear parts only",
		example: "flowledger events --type LoginFailed --since 24h --json",
		run: func(ctx context.Context, c *call) error {
			var s storage
			var w wanted
			fs := c.flags()
			s.flags(fs)
			follow := fs.Bool("follow", false, "go on with what is appended (a data folder has one owner, so this is for --store memory: and tests)")
			fs.StringVar(&w.execution, "execution", "", "only events that this `execution` caused")
			fs.StringVar(&w.stream, "stream", "", "only events of this `stream`")
			fs.StringVar(&w.kind, "type", "", "only events of this `type`")
			fs.Func("since", "only events since a `time` (RFC 3339) or for a duration (24h)", w.setSince)
			fs.BoolVar(&w.json, "json", false, "print JSON, one event a line")
			rest, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return usagef("events takes no arguments, but got %q", rest[0])
			}
			return with(ctx, s, discard(), func(ctx context.Context, a *app) error {
				return w.print(ctx, c, a.read(ctx, w.stream, *follow))
			})
		},
	}
}

// read yields events: of one stream, or all.
func (a *app) read(ctx context.Context, stream string, follow bool) iter.Seq2[eventstore.Recorded, error] {
	switch {
	case follow:
		return a.store.Subscribe(ctx, eventstore.Position{})
	case stream != "":
		return a.store.ReadStream(ctx, eventstore.StreamID(stream), 0)
	}
	return a.store.ReadAll(ctx, eventstore.Position{})
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

func (w *wanted) matches(e eventstore.Recorded, h codec.Header) bool {
	return (w.stream == "" || string(e.Stream) == w.stream) &&
		(w.kind == "" || e.Type == w.kind) &&
		!e.RecordedAt.Before(w.since) &&
		(w.execution == "" || h.Execution == w.execution || e.Stream == eventstore.Stream("execution", w.execution))
}

// A line is an event as --json prints it. Sealed says how many bytes of it
// only the program itself can read.
type line struct {
	Position   string          `json:"position"`
	Stream     string          `json:"stream"`
	Revision   int64           `json:"revision"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Schema     int             `json:"schema"`
	RecordedAt time.Time       `json:"recorded_at"`
	Header     json.RawMessage `json:"header"`
	Payload    json.RawMessage `json:"payload"`
	Sealed     int             `json:"sealed"`
}

func (w *wanted) print(ctx context.Context, c *call, events iter.Seq2[eventstore.Recorded, error]) error {
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
			err = encoder.Encode(line{
				Position: e.Position.String(), Stream: string(e.Stream), Revision: int64(e.Revision), ID: e.ID.String(), Type: e.Type,
				Schema: e.Schema, RecordedAt: e.RecordedAt, Header: e.Header, Payload: e.Payload, Sealed: len(e.Sealed),
			})
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
