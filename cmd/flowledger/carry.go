package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flowledger/flowledger/eventstore/vault"
)

// carryRows is how many rows of keys are written at once.
const carryRows = 500

// carryKeys puts all rows of one vault into another, and returns their number.
// They stay wrapped. A crash leaves some of them; what is there already is
// passed over by the next attempt.
func carryKeys(ctx context.Context, from, to vault.Moves) (n int, err error) {
	var batch []vault.Row
	put := func() error {
		err := to.PutRows(ctx, batch...)
		n, batch = n+len(batch), batch[:0]
		return err
	}
	for row, err := range from.Rows(ctx) {
		if err != nil {
			return n, fmt.Errorf("read the keys: %w", err)
		}
		if batch = append(batch, row); len(batch) == carryRows {
			if err := put(); err != nil {
				return n, fmt.Errorf("copy the keys: %w", err)
			}
		}
	}
	if len(batch) > 0 {
		if err := put(); err != nil {
			return n, fmt.Errorf("copy the keys: %w", err)
		}
	}
	if n == 0 {
		return 0, errors.New("the source has no keys, and without them nobody reads what its events have sealed")
	}
	return n, nil
}

// carryMasterKey puts the master key of one data folder into another that has
// none, and tells whether it did. The file appears under its name when it is
// whole and on disk: a crash leaves nothing that counts.
func carryMasterKey(from, to string) (made bool, err error) {
	text, err := os.ReadFile(from)
	if err != nil {
		return false, fmt.Errorf("read the master key: %w", err)
	}
	folder := filepath.Dir(to)
	f, err := os.CreateTemp(folder, filepath.Base(to)+".new-*") // has mode 0600
	if err != nil {
		return false, fmt.Errorf("copy the master key: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, fmt.Errorf("copy the master key: %w", err)
	}
	err = os.Link(f.Name(), to)
	if errors.Is(err, fs.ErrExist) {
		return false, sameKey(from, to)
	}
	if err != nil {
		return false, fmt.Errorf("copy the master key: %w", err)
	}
	return true, syncDir(folder)
}

// sameKey refuses two files with different master keys.
func sameKey(a, b string) error {
	first, err := readKey(a)
	if err != nil {
		return err
	}
	second, err := readKey(b)
	if err == nil && first != second {
		err = fmt.Errorf("%s is another master key than %s: the keys in the ledger's vault move as they are, so both ends have the same", b, a)
	}
	return err
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
