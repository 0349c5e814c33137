package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The benchmark of the audit console. FLOWLEDGER_TEST_SCALE_CONSOLE=1 runs it on
// a million executions. FLOWLEDGER_TEST_SCALE_CONSOLE_DATA names a folder that is
// filled once and used again.
const (
	consoleVariable = "FLOWLEDGER_TEST_SCALE_CONSOLE"
	consoleFolder   = "FLOWLEDGER_TEST_SCALE_CONSOLE_DATA"
	consoleLimit    = 300 * time.Millisecond
	consoleMemory   = 300 // MiB
)

// consoleData returns the folder with very many executions, and fills it if
// it is empty.
func consoleData(t *testing.T, p *process, size filling, visits int) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(p.data, "events.db")); err == nil {
		return
	}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	fillVisits(t, p.data, size, visits, nil)
	t.Logf("filled in %.1f s", time.Since(begun).Seconds())
	begun = time.Now()
	out, err := exec.Command(p.binary, "rebuild", "--data", p.data).Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built the views in %.1f s: %s", time.Since(begun).Seconds(), out)
}

func TestScaleConsole(t *testing.T) {
	if os.Getenv(consoleVariable) == "" {
		t.Skip(consoleVariable + " is not set")
	}
	data := os.Getenv(consoleFolder)
	if data == "" {
		data = filepath.Join(t.TempDir(), "data")
	}
	p := compile(t, data)
	consoleData(t, p, filling{flows: 60, users: 100_000}, 1_000_000)
}
