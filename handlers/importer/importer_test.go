package importer

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowledger/flowledger/domain/blueprint"
)

func TestTextComesBack(t *testing.T) {
	for _, text := range [][]byte{nil, []byte("version: 1"), bytes.Repeat([]byte("entry\n"), 100_000)} {
		packed, err := deflate(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := inflate(packed)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes came back as %d, %v", len(text), len(got), err)
		}
	}
	for _, packed := range []string{"!", "AAAA"} {
		if _, err := inflate(packed); err == nil {
			t.Errorf("%q is read", packed)
		}
	}
}

func TestUnchanged(t *testing.T) {
	for name, test := range map[string]struct {
		changes []blueprint.Change
		want    bool
	}{
		"nothing":         {nil, true},
		"looked at":       {[]blueprint.Change{{Action: blueprint.Unchanged}}, true},
		"one was updated": {[]blueprint.Change{{Action: blueprint.Unchanged}, {Action: blueprint.Updated}}, false},
	} {
		if got := unchanged(test.changes); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestReadFile(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, size int, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]bool{
		write("public", 10, 0o644): true, write("private", 10, 0o600): false, write("for the group", 10, 0o660): false,
		write("large", 64<<10, 0o644): true, write("too large", 64<<10+1, 0o644): false,
		folder: false, filepath.Join(folder, "nothing"): false, "/dev/zero": false,
	} {
		if _, err := readFile(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// What this program was started with is in its environment and in its flags.
func TestNothingIsToldOfTheStart(t *testing.T) {
	for name, want := range map[string]string{
		"FLOWLEDGER_SMTP": "", "FLOWLEDGER_BOOTSTRAP_TOKEN": "", "flowledger_smtp": "", "AUTHENTIK_DEFAULT_BRAND_ENABLED": "set",
	} {
		t.Setenv(name, "set")
		if got, ok := getenv(name); got != want || ok != (want != "") {
			t.Errorf("!Env %s: %q, %t", name, got, ok)
		}
	}
	for _, path := range []string{"/proc/self/cmdline", "/proc/self/environ", "/proc/self/status"} {
		if text, _ := readFile(path); len(text) > 0 {
			t.Errorf("!File %s: %d bytes", path, len(text))
		}
	}
}
