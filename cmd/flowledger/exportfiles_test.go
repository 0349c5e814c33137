package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
)

func TestExportFiles(t *testing.T) {
	x := newExportFiles(t.TempDir())
	fill := func(w io.Writer) error { _, err := io.WriteString(w, "{}\n"); return err }
	fine := func() error { return nil }
	one, broken, unready := uuid.NewString(), uuid.NewString(), uuid.NewString()
	if ids, err := x.IDs(); err != nil || len(ids) > 0 {
		t.Errorf("before the first: %v, %v", ids, err)
	}
	// Until it is on record, nobody finds it.
	err := x.Write(one, fill, func() error {
		if ids, err := x.IDs(); err != nil || len(ids) > 0 {
			t.Errorf("before it is ready: %v, %v", ids, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, err := range map[string]error{
		broken:  x.Write(broken, func(io.Writer) error { return errRefused }, fine),
		unready: x.Write(unready, fill, func() error { return errRefused }),
	} {
		if !errors.Is(err, errRefused) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if ids, err := x.IDs(); err != nil || !slices.Equal(ids, []string{one}) {
		t.Errorf("files: %v, %v", ids, err)
	}
	if left, err := x.files(); err != nil || len(left) != 1 {
		t.Errorf("parts are left: %v, %v", left, err)
	}
	for path, want := range map[string]os.FileMode{x.folder: 0o700 | os.ModeDir, x.path(one, exportEnding): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	var out bytes.Buffer
	if err := x.Read(&out, one); err != nil || out.String() != "{}\n" {
		t.Errorf("read %q, %v", &out, err)
	}
	if code, _ := domain.Explain(x.Read(&out, broken)); code != domain.NotFound {
		t.Errorf("what is not there: %v", code)
	}
}

func TestExportFilesGo(t *testing.T) {
	x := newExportFiles(t.TempDir())
	write := func() string {
		id := uuid.NewString()
		if err := x.Write(id, func(io.Writer) error { return nil }, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		return id
	}
	old := write()
	part := filepath.Join(x.folder, uuid.NewString()+partialEnding) // of a process that died
	if err := os.WriteFile(part, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().Add(-exportLife - time.Minute)
	for _, path := range []string{x.path(old, exportEnding), part} {
		if err := os.Chtimes(path, yesterday, yesterday); err != nil {
			t.Fatal(err)
		}
	}
	kept := write()
	due, err := x.due(t.Context(), time.Now(), 10)
	if err != nil || len(due) != 2 {
		t.Errorf("due: %v, %v", due, err)
	}
	for _, name := range due {
		if err := x.end(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if ids, err := x.IDs(); err != nil || !slices.Equal(ids, []string{kept}) {
		t.Errorf("left: %v, %v", ids, err)
	}
	if err := os.Truncate(x.path(kept, exportEnding), exportSpace); err != nil {
		t.Fatal(err)
	}
	err = x.Write(uuid.NewString(), func(io.Writer) error { return nil }, func() error { return nil })
	if code, _ := domain.Explain(err); code != domain.Busy {
		t.Errorf("a full folder takes more: %v", err)
	}
	if err := errors.Join(x.Remove(kept), x.Remove(kept)); err != nil {
		t.Error(err)
	}
	if write(); x.clear() != nil {
		t.Error("not cleared")
	}
	if left, err := x.files(); err != nil || len(left) > 0 {
		t.Errorf("after all: %v, %v", left, err)
	}
}
