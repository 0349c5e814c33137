package importer

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowledger/flowledger/domain/blueprint"
)

// A Library is where blueprints lie: a folder that somebody fills, and what the
// program ships. Nothing outside the folder can be reached through it, not even
// by a symbolic link.
type Library struct {
	Folder string    // empty for none
	Since  time.Time // of what is shipped
	Now    func() time.Time
	Log    *slog.Logger

	mu    sync.Mutex
	known map[string]known // what lies in the folder, by path; guarded by mu
	cause string           // why not all of it could be seen; guarded by mu
	seen  []File           // as of the last look; guarded by mu
	rest  time.Time        // until when that is good enough; guarded by mu
}

// Bounds of a library. Whoever names the root of a disk by mistake learns so
// soon.
const (
	MaxFiles = 10_000  // blueprints in the folder
	maxNames = 100_000 // names of any kind below it
)

// settle is how old a file must be to be read: who writes it may not be done.
// It is also as coarse as the times of files may be, so that a file that was
// read is not changed later under the same time.
const settle = time.Second

// Instantiate is the label that keeps a blueprint from being applied by
// itself.
const Instantiate = "blueprints.goauthentik.io/instantiate"

// A File is a blueprint in the library.
type File struct {
	Path     string
	Modified time.Time
	Hash     string // SHA-512, hexadecimal; empty where it cannot be read
	Metadata blueprint.Metadata
	Fault    string // why it is no blueprint
	Hot      bool   // somebody may be writing it: it was not read
	Shipped  bool
}

// lying is what is to be known of a file to decide what becomes of it.
func (f File) lying() blueprint.Lying {
	wanted := !strings.EqualFold(f.Metadata.Labels[Instantiate], "false")
	return blueprint.Lying{Path: f.Path, Hash: f.Hash, Hot: f.Hot, Instantiate: wanted && f.Fault == "" && !f.Shipped}
}

// known is a file as it was read.
type known struct {
	info fs.FileInfo
	read time.Time
	file File
}

// current tells whether a file that looks like this is still what was read.
func (k known) current(info fs.FileInfo) bool {
	return k.info != nil && os.SameFile(k.info, info) && k.info.Size() == info.Size() && k.info.ModTime().Equal(info.ModTime()) &&
		info.ModTime().Before(k.read.Add(-settle))
}

// Look lists the blueprints, by path. It reads only what changed, and says of
// that in the log what is wrong with it. Complete is false where not all of the
// folder could be seen. It fails where there is no folder.
func (l *Library) Look(ctx context.Context) (files []File, complete bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	begun := l.Now()
	if begun.Before(l.rest) {
		return slices.Clone(l.seen), l.cause == "", nil
	}
	if l.Folder != "" {
		if files, err = l.walk(ctx); err != nil {
			return nil, false, err
		}
	}
	for _, f := range shipped() {
		f.Modified = l.Since
		if !slices.ContainsFunc(files, func(own File) bool { return own.Path == f.Path }) {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	l.seen, l.rest = files, l.Now().Add(patience*l.Now().Sub(begun))
	return slices.Clone(files), l.cause == "", nil
}

// patience is how much longer than a look takes it is good enough at least:
// whoever asks often, or has much to look at, must not keep the machine busy.
const patience = 20

// Forget makes the next look read everything again.
func (l *Library) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.rest = nil, time.Time{}
}

// shipped lists what the program brings along.
var shipped = sync.OnceValue(func() (files []File) {
	for _, f := range append(blueprint.Defaults(), blueprint.Optional()...) {
		file := read(f.Name, f.Text)
		file.Shipped = true
		files = append(files, file)
	}
	return files
})

// walk lists what lies in the folder. It is opened anew each time: another may
// have been put in its place.
func (l *Library) walk(ctx context.Context) (files []File, err error) {
	root, err := os.OpenRoot(l.Folder)
	if err != nil {
		return nil, fmt.Errorf("open the blueprint folder: %w", err)
	}
	defer root.Close()
	next := map[string]known{}
	names, cause := 0, ""
	err = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		names++
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case path == "." && err != nil:
			return err
		case hidden(entry.Name()) && entry.IsDir() && path != ".":
			return fs.SkipDir
		case err != nil:
			cause = path + " " + blame(err)
			return fs.SkipDir
		case names > maxNames || len(files) == MaxFiles:
			cause = fmt.Sprintf("more than %d blueprints, or %d names: what comes after %s is left alone", MaxFiles, maxNames, path)
			return fs.SkipAll
		case entry.IsDir() || hidden(entry.Name()) || !strings.HasSuffix(path, ".yaml"):
			return nil
		}
		if k, there := l.file(root, path); there {
			next[path] = k
			files = append(files, k.file)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the blueprint folder: %w", err)
	}
	if cause != "" && cause != l.cause {
		l.Log.Error("not all of the blueprint folder can be seen", "reason", cause)
	}
	l.known, l.cause = next, cause
	return files, nil
}

// hidden tells of names that begin with a dot: those of editors, and of
// version control.
func hidden(name string) bool { return strings.HasPrefix(name, ".") && name != "." }

// file looks at one file, and reads it if it changed. A folder is none,
// whatever it is called.
func (l *Library) file(root *os.Root, path string) (known, bool) {
	info, err := root.Stat(path)
	if err == nil && info.IsDir() {
		return known{}, false
	}
	old, now := l.known[path], l.Now()
	if err != nil {
		return l.changed(old, known{file: File{Path: path, Fault: blame(err)}}), true
	}
	if old.current(info) {
		old.file.Hot = false
		return old, true
	}
	if info.ModTime().After(now.Add(-settle)) && !info.ModTime().After(now) {
		// What is known of it stays until the writer is done.
		old.file.Path, old.file.Hot = path, true
		return old, true
	}
	text, err := readAll(root, path)
	k := known{info: info, read: now, file: File{Path: path}}
	if err != nil {
		k.file.Fault = blame(err)
	} else {
		k.file = read(path, text)
	}
	k.file.Modified = info.ModTime()
	return l.changed(old, k), true
}

// changed says what is wrong with a file, once for each change of it.
func (l *Library) changed(old, k known) known {
	if k.file.Fault != "" && (k.file.Fault != old.file.Fault || k.file.Hash != old.file.Hash) {
		l.Log.Warn("blueprint ignored", "path", k.file.Path, "reason", k.file.Fault)
	}
	return k
}

// read judges a text.
func read(path string, text []byte) File {
	f := File{Path: path, Hash: Hash(text)}
	doc, err := blueprint.Parse(path, text)
	switch {
	case len(strings.TrimSpace(string(text))) == 0:
		f.Fault = "the file is empty"
	case err != nil:
		f.Fault = err.Error()
	default:
		f.Metadata = blueprint.Metadata{Name: doc.Name, Labels: doc.Labels}
	}
	return f
}
