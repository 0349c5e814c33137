package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/handlers/worker"
)

// What cannot be found or ended is logged and tried again; the rest is ended.
func TestSweep(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log bytes.Buffer
	var ended []string
	rounds := 0
	s := &worker.Sweeper{
		Every: time.Microsecond, Now: func() time.Time { return start }, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Tasks: []worker.Task{
			{Name: "broken", Due: func(context.Context, time.Time, int) ([]string, error) { return nil, errors.New("no answer") }},
			{
				Name: "sessions",
				Due: func(_ context.Context, now time.Time, limit int) ([]string, error) {
					if now != start || limit <= 0 {
						t.Errorf("asked for %d as of %s", limit, now)
					}
					return []string{"a", "b", "c"}, nil
				},
				End: func(_ context.Context, id string) error {
					if id == "b" {
						return errors.New("not this one")
					}
					ended = append(ended, id)
					return nil
				},
			},
			{Name: "last", Due: func(context.Context, time.Time, int) ([]string, error) {
				if rounds++; rounds == 2 {
					stop()
				}
				return nil, nil
			}},
		},
	}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c", "a", "c"}, ended); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	for _, want := range []string{"task=broken", "no answer", "task=sessions id=b", "not this one"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	}
}

// A sweep that the end of the program cuts short is no failure.
func TestSweepStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var log bytes.Buffer
	s := &worker.Sweeper{
		Every: time.Microsecond, Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Tasks: []worker.Task{{Name: "x", Due: func(context.Context, time.Time, int) ([]string, error) {
			stop()
			return nil, ctx.Err()
		}}},
	}
	if err := s.Run(ctx); err != nil || log.Len() > 0 {
		t.Errorf("%v, logged %s", err, log.String())
	}
}
