package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/postgres"
	"github.com/flowledger/flowledger/eventstore/sqlite"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/eventstore/vault/esdbkeys"
	"github.com/flowledger/flowledger/eventstore/vault/pgkeys"
)

// A sharedLedger is one that other nodes have open, too.
type sharedLedger interface {
	ledger
	eventstore.Notes
	eventstore.Restorer
	eventstore.Restorer

	// Reached returns a position at or after every append of this node.
	Reached() eventstore.Position
}

// An engine is where nodes keep a ledger and its keys together.
type engine struct {
	ledger func(ctx context.Context, url string) (sharedLedger, error)
	keys   func(ctx context.Context, url string, now func() time.Time) (vault.Engine, error)
}

// engines are the ones that nodes share, by the scheme of their address.
var engines = map[string]engine{
	"esdb":          eventStoreDB,
	"esdb+discover": eventStoreDB,
	"postgres":      postgreSQL,
	"postgresql":    postgreSQL,
}

var postgreSQL = engine{
	ledger: func(ctx context.Context, url string) (sharedLedger, error) { return postgres.Open(ctx, url) },
	keys: func(ctx context.Context, url string, now func() time.Time) (vault.Engine, error) {
		return pgkeys.Open(ctx, url, now)
	},
}

var eventStoreDB = engine{
	ledger: func(ctx context.Context, url string) (sharedLedger, error) { return esdb.Open(ctx, url) },
	keys: func(ctx context.Context, url string, now func() time.Time) (vault.Engine, error) {
		return esdbkeys.Open(ctx, url, now)
	},
}

// engine is the one that --store names, if nodes share it.
func (s *storage) engine() (engine, bool) {
	scheme, _, ok := strings.Cut(s.store, "://")
	e, known := engines[scheme]
	return e, ok && known
}

// place is --store for logs: what may be a user, a password or an option is
// left out.
func (s *storage) place() string {
	scheme, rest, ok := strings.Cut(s.store, "://")
	if !ok {
		return s.store
	}
	rest, _, _ = strings.Cut(rest[strings.LastIndex(rest, "@")+1:], "?")
	return scheme + "://" + rest
}

// openLedger opens the store, and takes the data folder for this process.
func (a *app) openLedger(ctx context.Context, s storage) error {
	if e, ok := s.engine(); ok {
		return a.openShared(ctx, s, e)
	}
	path, inMemory, err := s.events()
	if err != nil {
		return err
	}
	if inMemory {
		if a.temp, err = os.MkdirTemp("", "flowledger"); err != nil {
			return err
		}
		a.data = a.temp
		a.store = memory.New(time.Now)
		return nil
	}
	if err := makeFolder(s.data); err != nil {
		return err
	}
	// The store comes first: it is what tells whether another process
	// works on this folder.
	disk, err := sqlite.Open(path, time.Now)
	if errors.Is(err, sqlite.ErrLocked) {
		return folderInUse(s.data)
	}
	if err == nil {
		a.store = disk
	}
	return err
}

func folderInUse(folder string) error {
	return fmt.Errorf("the data folder %s is in use by a running server: stop it, or give --server URL --token TOKEN", folder)
}

func makeFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	return nil
}

// openShared opens an engine that nodes share. The data folder is this node's
// own. A command that finds a server of this machine in it works in a folder
// that goes with the command.
func (a *app) openShared(ctx context.Context, s storage, e engine) (err error) {
	if !s.guest {
		if err := makeFolder(s.data); err != nil {
			return err
		}
	}
	a.lock, err = lockFolder(s.data)
	switch {
	case s.guest && (errors.Is(err, sqlite.ErrLocked) || errors.Is(err, fs.ErrNotExist)):
		if a.temp, err = os.MkdirTemp("", "flowledger"); err != nil {
			return err
		}
		a.data = a.temp
	case errors.Is(err, sqlite.ErrLocked):
		return fmt.Errorf("the data folder %s is in use by another server: each node needs one of its own, see --data", s.data)
	case err != nil:
		return err
	}
	store, err := e.ledger(ctx, s.store)
	if err != nil {
		return fmt.Errorf("%s: %w", s.place(), err)
	}
	a.store = store
	a.join(store)
	return nil
}

// lockFolder takes a data folder for this process until the file that it
// returns is closed or the process ends. The file stays behind, for removing
// it would let two others each lock a different one.
func lockFolder(folder string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(folder, "node.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = sqlite.ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data folder: %w", err), f.Close())
	}
	return f, nil
}

// openVault opens the keys: beside the ledger where nodes share it, else in a
// file.
func (a *app) openVault(ctx context.Context, s storage) error {
	e, ok := s.engine()
	if !ok {
		return a.openKeyFile(s)
	}
	keys, err := e.keys(ctx, s.store, time.Now)
	if err != nil {
		return fmt.Errorf("%s: %w", s.place(), err)
	}
	if s.masterKey == "" {
		// Not from the folder of a command that goes with it.
		a.vault, err = vault.OpenShared(ctx, keys, filepath.Join(s.data, "master.key"), time.Now)
		return err
	}
	key, err := readKey(s.masterKey)
	if err != nil {
		return errors.Join(err, keys.Close())
	}
	a.vault, err = vault.New(ctx, keys, key, time.Now)
	return err
}

// openKeyFile opens the keys of a single machine.
func (a *app) openKeyFile(s storage) error {
	keys := filepath.Join(a.data, "keys.db")
	var key [32]byte
	var err error
	if s.masterKey != "" {
		key, err = readKey(s.masterKey)
	} else {
		key, err = vault.MasterKey(filepath.Join(a.data, "master.key"), keys)
	}
	if err != nil {
		return err
	}
	a.vault, err = vault.Open(keys, key, time.Now)
	return err
}
