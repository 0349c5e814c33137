package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// scratch is a folder for the whole run: the binary lies there, and what must
// outlive a single test.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "flowledger-tests-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	scratch = dir
	return m.Run()
}

// The program is compiled once per run, lazily: a test that needs no server
// runs although the program does not compile.
var (
	// build compiles it with the race detector when the tests have it.
	build = sync.OnceValues(func() (string, error) {
		if raceEnabled {
			return compileTo("flowledger", "-race")
		}
		return buildPlain()
	})
	// buildPlain compiles it as it is shipped.
	buildPlain = sync.OnceValues(func() (string, error) { return compileTo("flowledger-plain") })
)

func compileTo(name string, flags ...string) (string, error) {
	path := filepath.Join(scratch, name, "flowledger")
	args := append([]string{"build", "-o", path}, flags...)
	if out, err := exec.Command("go", append(args, "../cmd/flowledger")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
}

// binary returns the path of the built program.
func binary(tb testing.TB) string {
	tb.Helper()
	path, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// shared returns a file or folder of the documents beside the project, or
// skips: a clone without them has nothing to compare with.
func shared(tb testing.TB, path ...string) string {
	tb.Helper()
	full := filepath.Join(append([]string{"..", "..", "shared"}, path...)...)
	if _, err := os.Stat(full); err != nil {
		tb.Skipf("needs ../shared/%s beside the project", filepath.ToSlash(filepath.Join(path...)))
	}
	abs, err := filepath.Abs(full)
	if err != nil {
		tb.Fatal(err)
	}
	return abs
}

// amount returns how often a long test repeats: few times in short mode, more
// by default, and as often as the environment variable says when it is set.
func amount(tb testing.TB, variable string, short, usual int) int {
	tb.Helper()
	if text := os.Getenv(variable); text != "" {
		var n int
		if _, err := fmt.Sscanf(text, "%d", &n); err != nil || n < 1 {
			tb.Fatalf("%s is %q, want a number above 0", variable, text)
		}
		return n
	}
	if testing.Short() {
		return short
	}
	return usual
}
