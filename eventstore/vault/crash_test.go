package vault_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault"
)

// crashEnv names the file that a child process of [TestKill] fills.
const crashEnv = "FLOWLEDGER_VAULT_CRASH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		fillUntilKilled(path)
	}
	os.Exit(m.Run())
}

// fillUntilKilled makes secrets and cookies, destroys every second secret, and
// says so on standard output each time that the vault has acknowledged it.
func fillUntilKilled(path string) {
	v, err := vault.Open(path, kek, time.Now)
	for i := 0; err == nil; i++ {
		owner := fmt.Sprintf("execution:%d-%d", os.Getpid(), i)
		var secrets [][]byte
		if secrets, err = v.Make(context.Background(), vault.ID('X', owner)); err != nil {
			break
		}
		fmt.Printf("made %s %x\n", vault.ID('X', owner), secrets[0])
		if i%2 == 0 {
			if err = v.Forget(context.Background(), []string{owner}, 'X'); err != nil {
				break
			}
			fmt.Printf("forgot %s -\n", vault.ID('X', owner))
		}
		var cookie string
		if cookie, err = v.AddCookie(context.Background(), owner, i, time.Now().Add(time.Hour)); err != nil {
			break
		}
		fmt.Printf("cookie %s %s\n", owner, cookie)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	secrets, cookies := map[string]string{}, map[string]string{}
	for round := range 5 {
		for _, line := range runAndKill(t, path, 40+30*round) {
			switch word := strings.Fields(line); word[0] {
			case "made":
				secrets[word[1]] = word[2]
			case "forgot":
				secrets[word[1]] = ""
			case "cookie":
				cookies[word[2]] = word[1]
			}
		}
	}
	if len(secrets) < 50 || len(cookies) < 50 {
		t.Fatalf("only %d secrets and %d cookies were made", len(secrets), len(cookies))
	}
	v := open(t, path, time.Now)
	for id, want := range secrets {
		secret, since, err := v.Key(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		// The last one of a round may be destroyed without our having heard.
		if got := hex.EncodeToString(secret); got != want && (want == "" || since.IsZero()) {
			t.Errorf("%s = %q, since %v, want %q", id, got, since, want)
		}
	}
	for value, session := range cookies {
		if got, _, ok, err := v.Cookie(t.Context(), value); got != session || !ok || err != nil {
			t.Errorf("a cookie leads to %q, %t, %v, want %q", got, ok, err, session)
		}
	}
}

// runAndKill lets a child say lines lines, kills it and returns all it said.
func runAndKill(t *testing.T, path string, lines int) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashEnv+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if said = append(said, scanner.Text()); len(said) == lines {
			child.Process.Kill()
		}
	}
	child.Wait()
	// A kill can cut the last line short.
	if last := said[len(said)-1]; len(strings.Fields(last)) < 3 {
		said = said[:len(said)-1]
	}
	return said
}

// TestNothingInClear searches the files for what must not be in them.
func TestNothingInClear(t *testing.T) {
	folder := t.TempDir()
	v := open(t, filepath.Join(folder, "keys.db"), time.Now)
	marks := [][]byte{kek[:]}
	for i := range 20 {
		marks = append(marks, mustMake(t, v, fmt.Sprintf("T/user:%d", i), "T/2026-11")...)
		cookie := addCookie(t, v, "s1", i, time.Now().Add(time.Hour))
		replaced, err := v.Replace(t.Context(), cookie, "s1", i, time.Now().Add(time.Hour), time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{cookie, replaced} {
			bits, err := base64.RawURLEncoding.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			marks = append(marks, []byte(value), bits)
		}
	}
	marks = append(marks, v.OwnKeys()...)
	check := func(disk []byte) {
		t.Helper()
		if !bytes.Contains(disk, []byte("T/user:7")) {
			t.Fatal("the search does not see what is there")
		}
		for i, mark := range marks {
			for form, text := range forms(mark) {
				if bytes.Contains(disk, text) {
					t.Errorf("mark %d is on disk as %s", i, form)
				}
			}
		}
	}
	check(contents(t, folder))
	v.Close()
	check(contents(t, folder))
}

func forms(mark []byte) map[string][]byte {
	sum := sha256.Sum256(mark)
	return map[string][]byte{
		"plain":      mark,
		"hex":        []byte(hex.EncodeToString(mark)),
		"base64":     []byte(base64.RawStdEncoding.EncodeToString(mark)),
		"base64url":  []byte(base64.RawURLEncoding.EncodeToString(mark)),
		"SHA-256":    sum[:],
		"hex of sum": []byte(hex.EncodeToString(sum[:])),
	}
}
