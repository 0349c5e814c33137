package tests

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	adminPassword = "Correct-Horse-9-Battery"
	adminToken    = "tests-bootstrap-token-0123456789"

	startWithin = 30 * time.Second // slow machines, race detector
	stopWithin  = 10 * time.Second // spec/product.md 1

	commandWithin = time.Minute // for one that is not to serve
)

// A server is the built program, serving a data folder of its own. It may be
// stopped or killed and started again on the same folder and port.
type server struct {
	binary string
	data   string
	base   string // http://127.0.0.1:port
	listen string
	args   []string // of serve, after the ones that every server gets
	log    *journal

	mu     sync.Mutex // guards the two below
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone; cmd.ProcessState is set then
}

// start starts a server with an administrator and waits until it is ready. It
// is stopped when the test ends, and must then end well.
func start(tb testing.TB, args ...string) *server {
	tb.Helper()
	return startBare(tb, append([]string{
		"--bootstrap-password", adminPassword, "--bootstrap-token", adminToken,
	}, args...)...)
}

// startWith is [start] on a folder into which the command line has imported
// blueprints before.
func startWith(tb testing.TB, blueprints ...string) *server {
	tb.Helper()
	s := newServer(tb, "--bootstrap-password", adminPassword, "--bootstrap-token", adminToken)
	s.seed(tb, blueprints...)
	return begin(tb, s)
}

// startPlain is [startWith] without the race detector: for what is about time,
// and for long series of requests of which each waits for the one before.
func startPlain(tb testing.TB, blueprints ...string) *server {
	tb.Helper()
	s := newPlain(tb, "--bootstrap-password", adminPassword, "--bootstrap-token", adminToken)
	s.seed(tb, blueprints...)
	return begin(tb, s)
}

// newPlain is [newServer] without the race detector.
func newPlain(tb testing.TB, args ...string) *server {
	tb.Helper()
	s := newServer(tb, args...)
	var err error
	if s.binary, err = buildPlain(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// seed imports blueprints into the folder of a server that does not run.
func (s *server) seed(tb testing.TB, blueprints ...string) {
	tb.Helper()
	if len(blueprints) == 0 {
		return
	}
	args := []string{"import", "--data", s.data}
	for i, document := range blueprints {
		file := filepath.Join(tb.TempDir(), fmt.Sprintf("blueprint-%d.yaml", i))
		if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
			tb.Fatal(err)
		}
		args = append(args, file)
	}
	if out, errs, code := s.command("", args...); code != 0 {
		tb.Fatalf("import: exit status %d\n%s%s", code, out, errs)
	}
}

// startBare is [start] without an administrator: what a newcomer meets.
func startBare(tb testing.TB, args ...string) *server {
	tb.Helper()
	return begin(tb, newServer(tb, args...))
}

// begin runs a server until the test ends.
func begin(tb testing.TB, s *server) *server {
	tb.Helper()
	watchOver(tb, s)
	if err := s.run(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// watchOver has a server end with the test, and end well.
func watchOver(tb testing.TB, s *server) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := s.stop(); err != nil {
			tb.Errorf("stop the server: %v", err)
		}
		if text := s.log.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
			tb.Errorf("the server's log tells of a race or a panic:\n%s", end(text, 8<<10))
		}
		if tb.Failed() {
			tb.Logf("the server's log ends:\n%s", end(s.log.String(), 4<<10))
		}
	})
}

// newServer prepares a server without starting it.
func newServer(tb testing.TB, args ...string) *server {
	tb.Helper()
	listen, err := freeAddress()
	if err != nil {
		tb.Fatal(err)
	}
	return &server{
		binary: binary(tb),
		data:   filepath.Join(tb.TempDir(), "data"),
		base:   "http://" + listen,
		listen: listen,
		args:   args,
		log:    &journal{},
	}
}

// run starts the process and waits until it says that it is ready.
func (s *server) run() error {
	cmd := exec.Command(s.binary, append([]string{"serve", "--listen", s.listen, "--data", s.data}, s.args...)...)
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	if err := s.ready(exited); err != nil {
		return errors.Join(err, s.kill())
	}
	return nil
}

// ready asks the health address until it answers 200.
func (s *server) ready(exited <-chan struct{}) error {
	deadline := time.Now().Add(startWithin)
	last := "no answer"
	for {
		if status, text, err := s.health(); err == nil {
			if status == http.StatusOK {
				return nil
			}
			last = fmt.Sprintf("%d %s", status, text)
		}
		select {
		case <-exited:
			return fmt.Errorf("the server ended at its start: %v\n%s", s.cmd.ProcessState, end(s.log.String(), 4<<10))
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server is not ready after %v: %s\n%s", startWithin, last, end(s.log.String(), 4<<10))
		}
	}
}

func (s *server) health() (int, string, error) {
	response, err := http.Get(s.base + "/-/health/ready/")
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	return response.StatusCode, strings.TrimSpace(body.String()), err
}

// stop asks the process to end, and says what was wrong with how it did. A
// server that does not run is stopped already.
func (s *server) stop() error {
	cmd, exited := s.process()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-exited:
	case <-time.After(stopWithin):
		return errors.Join(fmt.Errorf("the server did not end within %v of SIGTERM", stopWithin), s.kill())
	}
	s.forget()
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the server ended with %v, want exit status 0", cmd.ProcessState)
	}
	return nil
}

// kill ends the process without a word of warning.
func (s *server) kill() error {
	cmd, exited := s.process()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-exited
	s.forget()
	return nil
}

func (s *server) process() (*exec.Cmd, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd, s.exited
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd, s.exited = nil, nil
}

// memory returns the largest resident set that the process has had, in bytes.
func (s *server) memory() (int64, error) {
	cmd, _ := s.process()
	if cmd == nil {
		return 0, errors.New("the server does not run")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10, nil
		}
	}
	return 0, errors.New("no VmHWM in /proc")
}

// command runs the program on the server's data folder, or anything else that
// its arguments name, and returns what it printed.
func (s *server) command(stdin string, args ...string) (stdout, stderr string, code int) {
	return program(exec.Command(s.binary, args...), stdin)
}

// program runs a command to its end. One that hangs is made to say where.
func program(cmd *exec.Cmd, stdin string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environment(), strings.NewReader(stdin), &out, &errs
	if err := cmd.Start(); err != nil {
		return "", err.Error(), -1
	}
	hangs := time.AfterFunc(commandWithin, func() { cmd.Process.Signal(syscall.SIGQUIT) })
	defer hangs.Stop()
	cmd.Wait()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// environment leaves out what would configure the program behind a test's back.
func environment() []string {
	var kept []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "FLOWLEDGER_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// freeAddress finds a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// A journal keeps what a server prints.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write implements [io.Writer].
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

// String is all that was printed.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// end is the last n bytes of text.
func end(text string, n int) string {
	if len(text) > n {
		return "…" + text[len(text)-n:]
	}
	return text
}
