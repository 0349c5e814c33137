package adminapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
)

// looks remembers who looked, in words.
type looks struct {
	told   []string
	broken error
}

func (l *looks) Queried(_ context.Context, c session.Caller, q looked.Look) error {
	l.told = append(l.told, fmt.Sprint(q.View, " ", q.Filters, " found ", q.Count))
	return l.broken
}

func (l *looks) Inspected(_ context.Context, c session.Caller, execution string, live bool) error {
	l.told = append(l.told, fmt.Sprint("inspected ", execution))
	return l.broken
}

func (l *looks) Refused(_ context.Context, c session.Caller, f looked.Refusal) error {
	who := "a stranger"
	if c.User != "" {
		who = "somebody"
	}
	l.told = append(l.told, fmt.Sprint("refused ", f.View, " ", f.Event, " to ", who, ": ", f.Cause))
	return l.broken
}

// files keeps exports in memory.
type files struct {
	kept map[string][]byte
	full bool
}

func (f *files) Write(id string, fill func(io.Writer) error, ready func() error) error {
	var out bytes.Buffer
	if f.full {
		return domain.Errorf(domain.Busy, "full")
	}
	if err := errors.Join(fill(&out), ready()); err != nil {
		return err
	}
	if f.kept == nil {
		f.kept = map[string][]byte{}
	}
	f.kept[id] = out.Bytes()
	return nil
}

func (f *files) Read(w io.Writer, id string) error {
	_, err := w.Write(f.kept[id])
	return err
}

func (f *files) Remove(id string) error {
	delete(f.kept, id)
	return nil
}

func (f *files) IDs() ([]string, error) { return slices.Collect(maps.Keys(f.kept)), nil }
