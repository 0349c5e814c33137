package vault_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/flowledger/flowledger/eventstore/vault"
)

func TestMasterKeyIsMadeOnce(t *testing.T) {
	folder := t.TempDir()
	path, keys := filepath.Join(folder, "master.key"), filepath.Join(folder, "keys.db")
	var made [8][32]byte
	var group sync.WaitGroup
	for i := range made {
		group.Go(func() {
			var err error
			if made[i], err = vault.MasterKey(path, keys); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i := range made {
		if made[i] == [32]byte{} || made[i] != made[0] {
			t.Errorf("caller %d has another key than caller 0", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder, %v, want only the key", len(entries), err)
	}
}

func TestMasterKeyIsNotMadeAnew(t *testing.T) {
	folder := t.TempDir()
	path, keys := filepath.Join(folder, "master.key"), filepath.Join(folder, "keys.db")
	open(t, keys, newClock().now).Close()
	_, err := vault.MasterKey(path, keys)
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("err = %v, want: missing", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a new master key was made beside a file that it does not open")
	}
}

func TestBadMasterKey(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by others": {good, 0o644, "mode 0600"},
		"too short":          {good[:40], 0o600, "32 bytes"},
		"too long":           {good + good, 0o600, "32 bytes"},
		"not base64":         {"!" + good[1:], 0o600, "32 bytes"},
		"empty":              {"", 0o600, "32 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			if err := os.WriteFile(path, []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := vault.MasterKey(path, path+".keys")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want: %s", err, test.want)
			} else if len(test.text) > 10 && strings.Contains(err.Error(), test.text[2:10]) {
				t.Errorf("err = %v: it quotes the key", err)
			}
		})
	}
}
