package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/sqlite"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/projections"
)

// A depot is a ledger to copy from or to, with what lies beside it: keys, and
// how far workers have come.
type depot struct {
	storage
	flag    string // that names it
	ledger  movable
	keys    vault.Engine
	key     [32]byte
	keyPath string
	// Workers' checkpoints are in views where one machine has the ledger, and
	// else in notes.
	views   *projections.Views
	notes   eventstore.Notes
	brokers []string // names of the workers that publish to one
}

// A movable is a store that can be copied, and copied to.
type movable interface {
	ledger
	eventstore.Restorer
}

// openSource opens a ledger that is there.
func openSource(ctx context.Context, s storage, masterKey string) (*depot, error) {
	d := &depot{storage: s, flag: "--from"}
	d.keyPath = cmp.Or(masterKey, filepath.Join(s.data, "master.key"))
	var err error
	if d.key, err = readKey(d.keyPath); err != nil {
		return nil, fmt.Errorf("%w; name the master key of the ledger with --master-key-file, or its folder with --from-data", err)
	}
	if d.local() {
		if err := d.exists(); err != nil {
			return nil, err
		}
	}
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	if err := d.hasKeys(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// exists refuses files that are not there: opening would make them.
func (d *depot) exists() error {
	path, _, err := d.events()
	if err != nil {
		return err
	}
	for _, file := range []string{path, filepath.Join(d.data, "keys.db")} {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%s: there is no ledger with its keys: %w", d.flag, err)
		}
	}
	return nil
}

// openTarget opens a ledger, and makes what is missing.
func openTarget(ctx context.Context, s storage) (*depot, error) {
	d := &depot{storage: s, flag: "--to"}
	if s.data != "" {
		if err := os.MkdirAll(s.data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data folder: %w", err)
		}
	}
	return d, d.open(ctx)
}

// local tells a ledger that one machine has from one with servers that may be
// running.
func (d *depot) local() bool { return strings.HasPrefix(d.storage.store, "sqlite:") }

func (d *depot) open(ctx context.Context) (err error) {
	if d.local() {
		err = d.openFiles()
	} else {
		err = d.openEngine(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", d.flag, err), d.close())
	}
	return nil
}

func (d *depot) openFiles() error {
	path, _, err := d.events()
	if err != nil {
		return err
	}
	store, err := sqlite.Open(path, time.Now)
	if errors.Is(err, sqlite.ErrLocked) {
		return fmt.Errorf("the ledger %s is in use by a running server: stop it first", path)
	}
	if err != nil {
		return err
	}
	d.ledger = store
	if d.keys, err = vault.OpenFile(filepath.Join(d.data, "keys.db"), time.Now); err != nil {
		return err
	}
	d.views, err = projections.Open(filepath.Join(d.data, "views.db"))
	return err
}

func (d *depot) openEngine(ctx context.Context) error {
	e, ok := d.engine()
	if !ok {
		_, _, err := d.events()
		return err
	}
	store, err := e.ledger(ctx, d.storage.store)
	if err != nil {
		return fmt.Errorf("%s: %w", d.place(), err)
	}
	d.ledger, d.notes = store, store
	if d.keys, err = e.keys(ctx, d.storage.store, time.Now); err != nil {
		return fmt.Errorf("%s: %w", d.place(), err)
	}
	return nil
}

// hasKeys refuses a vault in which nothing is: opened, it would make keys.
func (d *depot) hasKeys(ctx context.Context) error {
	for _, err := range d.keys.Rows(ctx) {
		return err
	}
	return fmt.Errorf("%s: the ledger has no keys, and without them nobody reads what its events have sealed", d.flag)
}

// opens holds that the master key opens the keys.
func (d *depot) opens(ctx context.Context, key [32]byte) error {
	// The vault needs no closing: its engine is closed with the depot.
	if _, err := vault.New(ctx, d.keys, key, time.Now); err != nil {
		return fmt.Errorf("%s: %w", d.flag, err)
	}
	return nil
}

// marks returns how far the workers have come.
func (d *depot) marks(ctx context.Context) (marks []*mark, err error) {
	if d.notes != nil {
		return d.noted(ctx)
	}
	all, err := d.views.Checkpoints()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		marks = append(marks, &mark{name: name, source: all[name]})
	}
	return marks, err
}

// settle saves how far the workers have come. A crash leaves some of them,
// and the others look at everything again, which changes nothing but takes
// its time.
func (d *depot) settle(ctx context.Context, marks []*mark) error {
	for _, m := range marks {
		var err error
		if d.notes != nil {
			err = d.note(ctx, m)
		} else {
			err = d.views.SaveCheckpoint(m.name, m.target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *depot) close() error {
	var errs []error
	if d.views != nil {
		errs = append(errs, d.views.Close())
	}
	if d.keys != nil {
		errs = append(errs, d.keys.Close())
	}
	if d.ledger != nil {
		errs = append(errs, d.ledger.Close())
	}
	return errors.Join(errs...)
}

// workers are the names under which workers keep checkpoints in notes, which
// cannot be listed. That of a broker depends on the broker.
var workers = []string{"settle", "mail", "notify"}

// noted reads the checkpoints from notes.
func (d *depot) noted(ctx context.Context) (marks []*mark, err error) {
	for _, name := range slices.Concat(workers, d.brokers) {
		value, version, err := d.notes.Note(ctx, checkpointNote(name))
		if err != nil || version == 0 {
			if err != nil {
				return nil, err
			}
			continue
		}
		at, err := eventstore.ParsePosition(string(value))
		if err != nil {
			return nil, fmt.Errorf("checkpoint of worker %s: %w", name, err)
		}
		marks = append(marks, &mark{name: name, source: at})
	}
	return marks, nil
}

// note writes a checkpoint, whatever is there: nobody works on the target.
func (d *depot) note(ctx context.Context, m *mark) error {
	_, version, err := d.notes.Note(ctx, checkpointNote(m.name))
	if err == nil {
		_, err = d.notes.SetNote(ctx, checkpointNote(m.name), []byte(m.target.String()), version)
	}
	if err != nil {
		return fmt.Errorf("save the checkpoint of worker %s: %w", m.name, err)
	}
	return nil
}

func checkpointNote(worker string) string { return "checkpoint-" + worker }
