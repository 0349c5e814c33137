package importer

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/blueprint"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A shelf is a library with a folder that a test fills.
type shelf struct {
	t *testing.T
	*Library
	now  time.Time
	said bytes.Buffer
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{t: t, now: noon}
	s.Library = &Library{
		Folder: t.TempDir(), Since: noon, Now: func() time.Time { return s.now }, Log: slog.New(slog.NewTextHandler(&s.said, nil)),
	}
	return s
}

// put writes a file, some time before noon.
func (s *shelf) put(path, text string, before time.Duration) {
	s.t.Helper()
	name := filepath.Join(s.Folder, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chtimes(name, noon.Add(-before), noon.Add(-before)); err != nil {
		s.t.Fatal(err)
	}
}

// look tells of the files in the folder: their path, and what is to be said of
// them.
func (s *shelf) look() (found map[string]string, complete bool) {
	s.t.Helper()
	files, complete, err := s.Look(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	found = map[string]string{}
	for _, f := range files {
		switch {
		case f.Shipped:
		case f.Hot:
			found[f.Path] = "hot"
		case f.Fault != "":
			found[f.Path] = "fault: " + f.Fault
		default:
			found[f.Path] = f.Metadata.Name
		}
	}
	return found, complete
}

const sound = "version: 1\nmetadata: {name: N}\n"

func TestLook(t *testing.T) {
	s := newShelf(t)
	secret := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(secret, []byte(sound), 0o644); err != nil {
		t.Fatal(err)
	}
	s.put("a.yaml", sound, time.Hour)
	s.put("sub/folder/b.yaml", "version: 1\n", time.Hour)
	s.put("sub.yaml/c.yaml", sound, time.Hour)
	s.put(".hidden.yaml", sound, time.Hour)
	s.put(".git/d.yaml", sound, time.Hour)
	s.put("sub/.e/f.yaml", sound, time.Hour)
	s.put("g.yml", sound, time.Hour)
	s.put("empty.yaml", " \n", time.Hour)
	s.put("second.yaml", "version: 2\n", time.Hour)
	s.put("bad.yaml", "version: 1\nentries: [\n", time.Hour)
	s.put("large.yaml", strings.Repeat("#", blueprint.MaxText+1), time.Hour)
	s.put("hot.yaml", sound, time.Second/2)
	s.put("future.yaml", sound, -time.Hour)
	s.put("..data/real.yaml", sound, time.Hour)
	for name, to := range map[string]string{"out.yaml": secret, "in.yaml": "..data/real.yaml", "gone.yaml": "nowhere", "loop": "."} {
		if err := os.Symlink(to, filepath.Join(s.Folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(s.Folder, "pipe.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, complete := s.look()
	want := map[string]string{
		"a.yaml": "N", "sub/folder/b.yaml": "", "sub.yaml/c.yaml": "N", "hot.yaml": "hot", "future.yaml": "N", "in.yaml": "N",
		"empty.yaml": "fault: the file is empty", "second.yaml": "fault: second.yaml:1: Invalid blueprint version",
		"bad.yaml": got["bad.yaml"], "large.yaml": "fault: larger than 1048576 bytes", "pipe.yaml": "fault: not a regular file",
		"out.yaml": "fault: cannot be read: path escapes from parent", "gone.yaml": "fault: cannot be read: no such file or directory",
	}
	if diff := cmp.Diff(want, got); diff != "" || !complete {
		t.Errorf("complete %t (-want +got):\n%s", complete, diff)
	}
	if !strings.HasPrefix(got["bad.yaml"], "fault: bad.yaml:") {
		t.Errorf("bad.yaml: %s", got["bad.yaml"])
	}
	if said := strings.Count(s.said.String(), "blueprint ignored"); said != 7 || strings.Contains(s.said.String(), s.Folder) {
		t.Errorf("said %d things:\n%s", said, &s.said)
	}
	s.said.Reset()
	if s.look(); s.said.Len() > 0 {
		t.Errorf("said again:\n%s", &s.said)
	}
}

// What changes is read, however it hides; what does not is left alone.
func TestLookAgain(t *testing.T) {
	s := newShelf(t)
	s.put("a.yaml", sound, time.Hour)
	see := func(sentence, want string) {
		t.Helper()
		if got, _ := s.look(); got["a.yaml"] != want {
			t.Errorf("%s: got %q, want %q", sentence, got["a.yaml"], want)
		}
	}
	see("at first", "N")
	s.put("a.yaml", strings.Replace(sound, "N", "M", 1), time.Minute)
	see("written anew", "M")
	s.put("a.yaml", strings.Replace(sound, "N", "LL", 1), time.Minute)
	see("of another size, at the same time", "LL")
	s.put("b", strings.Replace(sound, "N", "KK", 1), time.Minute)
	if err := os.Rename(filepath.Join(s.Folder, "b"), filepath.Join(s.Folder, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	see("replaced by one that looks the same", "KK")
	s.put("a.yaml", strings.Replace(sound, "N", "JJ", 1), time.Minute)
	see("written over, and its time set back", "KK")
	s.Forget()
	see("when everything is read", "JJ")
	s.put("a.yaml", "version: 1\nmetadata: {na", 0)
	see("while it is written", "hot")
	s.put("a.yaml", strings.Replace(sound, "N", "I", 1), 0)
	s.now = noon.Add(2 * time.Second)
	see("when the writer is done", "I")
	s.put("a.yaml", strings.Replace(sound, "N", "H", 1), -time.Hour)
	see("from the future", "H")
	s.put("a.yaml", strings.Replace(sound, "N", "G", 1), -time.Hour)
	see("from the same future", "G")
}

func TestLookWithoutAFolder(t *testing.T) {
	s := newShelf(t)
	s.Folder = filepath.Join(s.Folder, "nowhere")
	if _, _, err := s.Look(t.Context()); err == nil {
		t.Error("a folder that is not there is empty")
	}
	s.Folder = ""
	files, complete, err := s.Look(t.Context())
	if err != nil || !complete || len(files) != len(blueprint.Defaults())+len(blueprint.Optional()) {
		t.Errorf("%d files, complete %t, %v", len(files), complete, err)
	}
	for _, f := range files {
		if l := f.lying(); l.Instantiate || f.Fault != "" || f.Hash == "" {
			t.Errorf("shipped: %+v", f)
		}
	}
}

// Who has much to look at does not look all the time.
func TestLookRests(t *testing.T) {
	s := newShelf(t)
	s.Library.Now = func() time.Time { s.now = s.now.Add(time.Second); return s.now }
	s.look()
	s.put("a.yaml", sound, time.Hour)
	if found, _ := s.look(); len(found) != 0 {
		t.Errorf("found %v at once", found)
	}
	s.now = s.now.Add(time.Minute)
	if found, _ := s.look(); len(found) != 1 {
		t.Errorf("found %v later", found)
	}
	s.put("b.yaml", sound, time.Hour)
	s.Forget()
	if found, _ := s.look(); len(found) != 2 {
		t.Errorf("found %v when everything is to be read", found)
	}
}

// Only so much is looked at, and what is not seen is not missed.
func TestLookIsBounded(t *testing.T) {
	s := newShelf(t)
	for range 2 {
		folder, err := os.MkdirTemp(s.Folder, "many")
		if err != nil {
			t.Fatal(err)
		}
		source := filepath.Join(folder, "0.yaml")
		if err := os.WriteFile(source, []byte(sound), 0o644); err != nil {
			t.Fatal(err)
		}
		for n := range MaxFiles / 2 {
			if err := os.Link(source, filepath.Join(folder, "x"+strings.Repeat("y", n%100)+string(rune('0'+n/100%10))+string(rune('0'+n/1000))+".yaml")); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.now = time.Now().Add(time.Hour)
	found, complete := s.look()
	if len(found) != MaxFiles || complete || !strings.Contains(s.said.String(), "more than") {
		t.Errorf("%d files, complete %t: %.300s", len(found), complete, &s.said)
	}
}

func TestReadFromTheLibrary(t *testing.T) {
	s := newShelf(t)
	s.put("a.yaml", "mine", time.Hour)
	s.put("default/users.yaml", "mine, too", time.Hour)
	s.put(".git/b.yaml", "no", time.Hour)
	s.put("c.txt", "no", time.Hour)
	outside := filepath.Join(filepath.Dir(s.Folder), "outside.yaml")
	if err := os.WriteFile(outside, []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	shipped, _ := blueprint.Shipped("brand")
	for path, want := range map[string]string{
		"a.yaml": "mine", "default/users.yaml": "mine, too", "default/brand.yaml": string(shipped.Text), "brand": "", ".git/b.yaml": "",
		"c.txt": "", "../outside.yaml": "", outside: "", "": "", "./a.yaml": "", "nowhere.yaml": "", "a.yaml/../a.yaml": "",
	} {
		got, err := s.Read(path)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", path, got, err)
		}
	}
	if !s.Knows("any.yaml") {
		t.Error("with a folder, there may be any file")
	}
	s.Folder = ""
	if s.Knows("any.yaml") || s.Knows("brand") || !s.Knows("default/brand.yaml") {
		t.Error("without one, there are the shipped files")
	}
}

func TestLabels(t *testing.T) {
	for label, want := range map[string]bool{"": true, "false": false, "FALSE": false, "true": true, "no": true} {
		f := File{Path: "a", Metadata: blueprint.Metadata{Labels: map[string]string{Instantiate: label}}}
		if got := f.lying().Instantiate; got != want {
			t.Errorf("%q: %t", label, got)
		}
	}
}
