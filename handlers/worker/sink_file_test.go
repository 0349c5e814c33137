package worker_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/flowledger/flowledger/handlers/worker"
)

// filed reads the records of files.
func filed(t *testing.T, names ...string) *receipts {
	t.Helper()
	r := &receipts{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 0 && text[len(text)-1] != '\n' {
			t.Errorf("%s ends with a torn line", name)
		}
		for l := range bytes.Lines(text) {
			r.add(bytes.TrimSpace(l))
		}
	}
	return r
}

func TestFileSink(t *testing.T) {
	folder := t.TempDir()
	target := func() *worker.FileTarget {
		return &worker.FileTarget{Folder: filepath.Join(folder, "trail"), Path: "siem/events.log"}
	}
	name := filepath.Join(folder, "trail", "siem", "events.log")
	y := newYard(t, target())
	y.write(3, 30)
	y.begin()
	within(t, func() bool { return y.Lag() == 0 && y.Status().Untold == 90 })
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v, %v", info.Mode(), err)
	}
	if err := y.stop(); err != nil {
		t.Fatal(err)
	}
	// A crash left a line that is not whole, and was not acknowledged.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"ID":"to`); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	y.write(3, 10)
	y.restart(target())
	within(t, func() bool { return y.Lag() == 0 && y.Status().Untold == 30 })
	if repeated := filed(t, name).check(t, y.want); repeated > 0 {
		t.Errorf("%d events are there more than once", repeated)
	}
}

func TestFilesAreRotated(t *testing.T) {
	folder := t.TempDir()
	target := &worker.FileTarget{Folder: folder, Path: "events.log", Max: 2500, Keep: 2}
	y := newYard(t, target)
	y.write(3, 40)
	y.Batch = 10
	y.begin()
	within(t, func() bool { return y.Lag() == 0 && y.Status().Untold == 120 })
	if err := y.stop(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(names) != 3 {
		t.Fatalf("there are %q, %v", names, err)
	}
	slices.Reverse(names) // the oldest first
	got := filed(t, names...)
	last := got.lines[len(got.lines)-1]
	if ids := y.want[last.Stream]; ids[len(ids)-1] != last.ID {
		t.Error("the last event is not at the end of the current file")
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Size() > 2500 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Somebody else may put the file aside: the next batch goes to a new one.
func TestFileIsMovedAway(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "events.log")
	y := newYard(t, &worker.FileTarget{Folder: folder, Path: "events.log"})
	y.write(1, 10)
	y.begin()
	within(t, func() bool { return y.Lag() == 0 && y.Status().Untold == 10 })
	if err := os.Rename(name, name+".old"); err != nil {
		t.Fatal(err)
	}
	y.write(1, 10)
	within(t, func() bool { return y.Lag() == 0 && y.Status().Untold == 20 })
	filed(t, name+".old", name).check(t, y.want)
	if n := filed(t, name).different(); n != 10 {
		t.Errorf("the new file has %d events", n)
	}
}

// A disk that is full delays the trail, and leaves no torn lines in it.
func TestDiskFull(t *testing.T) {
	folder := t.TempDir()
	target := &worker.FileTarget{Folder: folder, Path: "events.log"}
	var full atomic.Bool
	full.Store(true)
	target.Writing(func(f *os.File, p []byte) (int, error) {
		if !full.Load() {
			return f.Write(p)
		}
		n, err := f.Write(p[:len(p)/2])
		if err != nil {
			return n, err
		}
		return n, fmt.Errorf("write: %w", syscall.ENOSPC)
	})
	y := newYard(t, target)
	y.write(3, 30)
	y.begin()
	within(t, func() bool { return len(y.news()) > 0 })
	if got := y.news()[0]; got != "failed: disk full" {
		t.Errorf("the ledger was told %q", got)
	}
	full.Store(false)
	within(t, func() bool { return y.Lag() == 0 && y.Status().Untold == 90 })
	if repeated := filed(t, filepath.Join(folder, "events.log")).check(t, y.want); repeated > 0 {
		t.Errorf("%d events are there more than once", repeated)
	}
}

// A link must not lead out of the folder.
func TestFileStaysInItsFolder(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(folder, "siem")); err != nil {
		t.Skip("there are no links here")
	}
	target := &worker.FileTarget{Folder: folder, Path: "siem/events.log"}
	if _, err := target.Send(t.Context(), []worker.Item{{Body: []byte("{}")}}); err == nil {
		t.Error("it follows the link")
	}
	if err := os.Mkdir(filepath.Join(folder, "events.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	target = &worker.FileTarget{Folder: folder, Path: "events.log"}
	if _, err := target.Send(t.Context(), []worker.Item{{Body: []byte("{}")}}); err == nil {
		t.Error("it writes to a folder")
	}
	_ = target.Close()
}
