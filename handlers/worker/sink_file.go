package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
)

// A FileTarget appends to a file, a record on each line. A batch is taken when
// it is on the disk. The file never leaves its folder, whatever links lie there.
type FileTarget struct {
	Folder string // made if it is not there
	Path   string // below it
	Max    int64  // bytes, after which the file is put aside; 0 for never
	Keep   int    // how many are kept beside it

	write func(f *os.File, p []byte) (int, error) // nil for the file's own; for tests

	mu   sync.Mutex
	root *os.Root // guarded by mu, like all below
	file *os.File
	size int64
}

// Send implements [Target]. If only a part can be written, that is taken back:
// a record is there as a whole or not at all.
func (t *FileTarget) Send(_ context.Context, batch []Item) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var text []byte
	for _, item := range batch {
		text = append(append(text, bytes.TrimSuffix(item.Body, []byte("\n"))...), '\n')
	}
	if err := t.ready(int64(len(text))); err != nil {
		return "", err
	}
	write := (*os.File).Write
	if t.write != nil {
		write = t.write
	}
	_, err := write(t.file, text)
	if err == nil {
		err = t.file.Sync()
	}
	if err != nil {
		err = errors.Join(err, t.file.Truncate(t.size))
		t.shut() // a crash here leaves a torn line, which the next opening takes away
		return "", err
	}
	t.size += int64(len(text))
	return "written", nil
}

// ready opens the file, or another if somebody has put it aside, or if it has
// become too large.
func (t *FileTarget) ready(more int64) error {
	if t.file != nil && t.moved() {
		t.shut()
	}
	if t.file == nil {
		if err := t.open(); err != nil {
			return err
		}
	}
	if t.Max > 0 && t.size > 0 && t.size+more > t.Max {
		if err := t.rotate(); err != nil {
			return err
		}
		return t.open()
	}
	return nil
}

// moved tells whether the name stands for another file than the open one.
func (t *FileTarget) moved() bool {
	there, err := t.root.Stat(t.Path)
	if err != nil {
		return true
	}
	open, err := t.file.Stat()
	return err != nil || !os.SameFile(there, open)
}

func (t *FileTarget) open() (err error) {
	if t.root == nil {
		if err := os.MkdirAll(t.Folder, 0o700); err != nil {
			return err
		}
		if t.root, err = os.OpenRoot(t.Folder); err != nil {
			return err
		}
	}
	if err := t.root.MkdirAll(path.Dir(t.Path), 0o700); err != nil {
		return err
	}
	f, err := t.root.OpenFile(t.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := whole(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	t.file, t.size = f, size
	return nil
}

// whole takes away the torn line that a crash may have left at the end, and
// returns the size. What was torn is written again.
func whole(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("it is no ordinary file: %w", os.ErrPermission)
	}
	size := info.Size()
	chunk := make([]byte, 64<<10)
	for end := size; end > 0; {
		from := max(end-int64(len(chunk)), 0)
		part := chunk[:end-from]
		if _, err := f.ReadAt(part, from); err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return cutTo(f, from+int64(i)+1, size)
		}
		end = from
	}
	return cutTo(f, 0, size)
}

func cutTo(f *os.File, end, size int64) (int64, error) {
	if end == size {
		return size, nil
	}
	return end, f.Truncate(end)
}

// rotate puts the file aside: events.log.1 is the youngest. A crash on the way
// leaves a gap in the numbers, which the next turn closes.
func (t *FileTarget) rotate() error {
	t.shut()
	for n := t.Keep; n >= 1; n-- {
		from := t.Path
		if n > 1 {
			from = aside(t.Path, n-1)
		}
		if err := t.root.Rename(from, aside(t.Path, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if t.Keep == 0 {
		return t.root.Remove(t.Path)
	}
	return nil
}

func aside(name string, n int) string { return fmt.Sprintf("%s.%d", name, n) }

func (t *FileTarget) shut() {
	if t.file != nil {
		_ = t.file.Close() // what counts was synced
		t.file = nil
	}
}

// Close implements [Target].
func (t *FileTarget) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shut()
	if t.root == nil {
		return nil
	}
	err := t.root.Close()
	t.root = nil
	return err
}
