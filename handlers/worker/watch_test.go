package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/handlers/worker"
)

func TestWatcher(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ticks, looks := make(chan time.Time), make(chan int)
	var log bytes.Buffer
	n := 0
	w := &worker.Watcher{
		Name: "nothing", Ticks: ticks, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Look: func(context.Context) error {
			n++
			looks <- n
			return map[int]error{2: errors.New("once"), 3: errors.New("once"), 5: errors.New("once")}[n]
		},
	}
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	for want := 1; want <= 6; want++ {
		if want > 1 {
			ticks <- time.Time{}
		}
		if got := <-looks; got != want {
			t.Errorf("look %d, want %d", got, want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if said := strings.Count(log.String(), "error=once"); said != 2 {
		t.Errorf("said it %d times:\n%s", said, &log)
	}
}
