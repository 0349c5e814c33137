package importer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/flowledger/flowledger/domain/blueprint"
)

// blame says why a file cannot be read, without where the folder lies.
func blame(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return "cannot be read: " + e.Err.Error()
	}
	return err.Error()
}

// errSize and errKind are files that nobody can have meant.
var (
	errSize = fmt.Errorf("larger than %d bytes", blueprint.MaxText)
	errKind = errors.New("not a regular file")
)

// readAll reads a blueprint. A pipe would keep the reader waiting, so it is not
// opened as one, and what it turns out to be counts, not what it was.
func readAll(root *os.Root, path string) ([]byte, error) {
	f, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errKind
	}
	text, err := io.ReadAll(io.LimitReader(f, blueprint.MaxText+1))
	if err == nil && len(text) > blueprint.MaxText {
		err = errSize
	}
	return text, err
}

// errNoFile is the contract's sentence.
var errNoFile = errors.New("Blueprint file does not exist") //lint:ignore ST1005 the contract's words

// Knows tells whether the library can have a file of this path at all: without
// a folder, there are only the shipped ones.
func (l *Library) Knows(path string) bool {
	f, shipped := blueprint.Shipped(path)
	return l.Folder != "" || shipped && f.Name == path
}

// Read returns the text of a blueprint.
func (l *Library) Read(path string) ([]byte, error) {
	parts := strings.Split(path, "/")
	if !fs.ValidPath(path) || !strings.HasSuffix(path, ".yaml") || slices.ContainsFunc(parts, hidden) {
		return nil, errNoFile
	}
	if l.Folder != "" {
		text, err := l.own(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
	}
	if f, ok := blueprint.Shipped(path); ok && f.Name == path {
		return f.Text, nil
	}
	return nil, errNoFile
}

// own reads a blueprint from the folder.
func (l *Library) own(path string) ([]byte, error) {
	root, err := os.OpenRoot(l.Folder)
	if err != nil {
		return nil, errors.New("the blueprint folder cannot be read")
	}
	defer root.Close()
	text, err := readAll(root, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New(blame(err))
	}
	return text, err
}
