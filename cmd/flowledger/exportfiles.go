package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
)

// exportFiles keeps exported events in a folder beside the ledger that nobody
// else can look into, and not for long: they hold opened personal data. Whenever
// somebody is erased, all of them go.
type exportFiles struct{ folder string }

// How long exports are kept, and how many bytes of them together.
const (
	exportLife  = 24 * time.Hour
	exportSpace = 1 << 30
)

// The endings of a file that is whole, and of one that is being written.
const (
	exportEnding  = ".jsonl"
	partialEnding = ".partial"
)

func newExportFiles(data string) *exportFiles {
	return &exportFiles{filepath.Join(data, "exports")}
}

func (x *exportFiles) path(id, ending string) string { return filepath.Join(x.folder, id+ending) }

// Write implements adminapi.Exports.
func (x *exportFiles) Write(id string, fill func(io.Writer) error, ready func() error) (err error) {
	if err := x.room(); err != nil {
		return err
	}
	if err := os.MkdirAll(x.folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of exports: %w", err)
	}
	partial := x.path(id, partialEnding)
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make an export: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(partial))
		}
	}()
	out := bufio.NewWriter(f)
	// Dying from here on leaves a partial file, which nobody is shown and which
	// goes when its time is over.
	if err := errors.Join(fill(out), out.Flush(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	if err := ready(); err != nil {
		return err
	}
	return os.Rename(partial, x.path(id, exportEnding))
}

// room refuses when the exports take too much of the disk already.
func (x *exportFiles) room() error {
	entries, err := x.files()
	if err != nil {
		return err
	}
	var size int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	if size >= exportSpace {
		return domain.Errorf(domain.Busy, "There are too many exports. Delete some, or wait until they expire.")
	}
	return nil
}

// files lists the folder. Where there is none, nothing was ever exported.
func (x *exportFiles) files() ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(x.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// Read implements adminapi.Exports.
func (x *exportFiles) Read(w io.Writer, id string) error {
	f, err := os.Open(x.path(id, exportEnding))
	if errors.Is(err, fs.ErrNotExist) {
		return domain.Errorf(domain.NotFound, "No DataExport matches the given query.")
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, _ = io.Copy(w, f) // who is gone does not want it
	return nil
}

// Remove implements adminapi.Exports.
func (x *exportFiles) Remove(id string) error {
	if err := os.Remove(x.path(id, exportEnding)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// IDs implements adminapi.Exports.
func (x *exportFiles) IDs() (ids []string, err error) {
	entries, err := x.files()
	for _, e := range entries {
		id, whole := strings.CutSuffix(e.Name(), exportEnding)
		if _, err := uuid.Parse(id); whole && err == nil {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// due lists the names of files whose time is over. With end it is a task for
// the sweeper.
func (x *exportFiles) due(_ context.Context, now time.Time, limit int) (names []string, err error) {
	entries, err := x.files()
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && now.Sub(info.ModTime()) > exportLife && len(names) < limit {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// end removes a file by its name.
func (x *exportFiles) end(_ context.Context, name string) error {
	if err := os.Remove(filepath.Join(x.folder, filepath.Base(name))); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// clearUntil removes the files that were written before a time.
func (x *exportFiles) clearUntil(until time.Time) error {
	entries, err := x.files()
	for _, e := range entries {
		if info, gone := e.Info(); gone == nil && info.ModTime().Before(until) {
			err = errors.Join(err, x.end(context.Background(), e.Name()))
		}
	}
	return err
}

// clear removes all files.
func (x *exportFiles) clear() error {
	entries, err := x.files()
	for _, e := range entries {
		err = errors.Join(err, x.end(context.Background(), e.Name()))
	}
	return err
}
