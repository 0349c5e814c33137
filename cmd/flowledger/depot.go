package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	shared  bool   // with servers that may be running
	store   movable
	keys    vault.Engine
	key     [32]byte
	keyPath string
	views   *projections.Views // of a ledger that one machine has
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
	path, _, err := s.events()
	if err != nil {
		return nil, err
	}
	for _, file := range []string{path, filepath.Join(s.data, "keys.db")} {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("--from: there is no ledger with its keys: %w", err)
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

func (d *depot) open(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", d.flag, err), d.close())
		}
	}()
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
	d.store = store
	if d.keys, err = vault.OpenFile(filepath.Join(d.data, "keys.db"), time.Now); err != nil {
		return err
	}
	d.views, err = projections.Open(filepath.Join(d.data, "views.db"))
	return err
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
func (d *depot) marks(context.Context) (marks []*mark, err error) {
	all, err := d.views.Checkpoints()
	for name, at := range all {
		marks = append(marks, &mark{name: name, source: at})
	}
	slices.SortFunc(marks, func(a, b *mark) int { return cmp.Compare(a.name, b.name) })
	return marks, err
}

// settle saves how far the workers have come.
func (d *depot) settle(_ context.Context, marks []*mark) error {
	for _, m := range marks {
		if err := d.views.SaveCheckpoint(m.name, m.target); err != nil {
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
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}
