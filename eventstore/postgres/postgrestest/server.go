// Package postgrestest starts real PostgreSQL servers for tests. They live in
// temporary folders and end with the test binary, however that ends.
package postgrestest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// errNone says why tests are skipped.
var errNone = errors.New("no PostgreSQL server is installed here")

// A Server is a PostgreSQL with a cluster of its own, on a loopback port that
// it keeps when it is started again.
type Server struct {
	folder   string
	settings []string
	port     int
	as       *syscall.SysProcAttr
	last     atomic.Int64 // number of the database made last

	mu      sync.Mutex // guards both
	running *exec.Cmd
	ended   chan struct{}
}

// shared is the server of this test binary. It does not wait for the disk,
// which only matters to those who lose power.
var shared = sync.OnceValues(func() (*Server, error) { return newServer([]string{"fsync=off"}) })

// Start returns the server that all tests of a binary share. It skips the
// test where no server is installed.
func Start(t testing.TB) *Server {
	t.Helper()
	return must(t)(shared())
}

// Alone starts a server that the test may stop. Settings are such as
// "max_connections=10".
func Alone(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := must(t)(newServer(settings))
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(s.folder)
	})
	return s
}

// Standby starts a server that follows s, and for which s waits from then on
// before it commits. [Server.Promote] makes it lead.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	standby := must(t)(makeServer(func(folder *Server) error {
		return folder.run("pg_basebackup", "-d", s.URL("postgres"), "-D", folder.data(), "-c", "fast", "-R", "--no-sync")
	}, s.settings))
	t.Cleanup(func() {
		standby.Kill()
		os.RemoveAll(standby.folder)
	})
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if err := s.do(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return standby
}

// Promote makes a standby lead.
func (s *Server) Promote() error { return s.do(context.Background(), "SELECT pg_promote()") }

func must(t testing.TB) func(*Server, error) *Server {
	return func(s *Server, err error) *Server {
		t.Helper()
		if errors.Is(err, errNone) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// newServer makes a cluster and starts its server.
func newServer(settings []string) (*Server, error) {
	return makeServer(func(s *Server) error {
		return s.run("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", s.data())
	}, settings)
}

// makeServer starts a server in a folder that fill fills.
func makeServer(fill func(*Server) error, settings []string) (*Server, error) {
	if Program("initdb") == "" || Program("postgres") == "" {
		return nil, errNone
	}
	folder, err := os.MkdirTemp("", "postgrestest") // a test's own folder is closed to other users
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, settings: settings, as: &syscall.SysProcAttr{Setpgid: true}}
	if err := s.prepare(fill); err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	return s, nil
}

func (s *Server) prepare(fill func(*Server) error) error {
	if os.Getuid() == 0 { // which the server refuses to be
		const nobody = 65534
		s.as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(s.folder, nobody, nobody); err != nil {
			return err
		}
	}
	if err := fill(s); err != nil {
		return err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = free.Addr().(*net.TCPAddr).Port
	free.Close()
	if err := s.watch(); err != nil {
		return err
	}
	return s.Start()
}

// run runs one of PostgreSQL's programs to its end.
func (s *Server) run(name string, args ...string) error {
	cmd := exec.Command(Program(name), args...)
	cmd.SysProcAttr, cmd.Dir = s.as, s.folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// watch has a shell clean up as soon as this process is gone, which closes
// its end of the pipe even when it is killed.
func (s *Server) watch() error {
	sh := exec.Command("sh", "-c", `cat > /dev/null
		pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null) && kill -QUIT $pid &&
			while kill -0 $pid; do sleep 0.1; done
		rm -rf "$0"`, s.folder)
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Nobody closes the writing end: the system does.
	if _, err := sh.StdinPipe(); err != nil {
		return err
	}
	if err := sh.Start(); err != nil {
		return err
	}
	go func() { _ = sh.Wait() }()
	return nil
}

// Start starts a server that was stopped, and returns when it can be asked.
func (s *Server) Start() error {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.folder, "-c", "listen_addresses=127.0.0.1"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(Program("postgres"), args...)
	cmd.SysProcAttr, cmd.Dir = s.as, s.folder
	log, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	up, ended := make(chan struct{}), make(chan struct{})
	go s.follow(cmd, log, up, ended)
	s.mu.Lock()
	s.running, s.ended = cmd, ended
	s.mu.Unlock()
	select {
	case <-up:
		return nil
	case <-ended:
		return errors.New("the PostgreSQL server does not start")
	}
}

// follow reads the server's log to its end. It closes up when the server says
// that it is, and ended when it is gone.
func (s *Server) follow(cmd *exec.Cmd, log io.Reader, up, ended chan struct{}) {
	defer close(ended)
	said := false
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if !said && strings.Contains(lines.Text(), "ready to accept ") {
			said = true
			close(up)
		}
	}
	_ = cmd.Wait() // it was told to end
}

// Stop shuts the server down as an operator does who does not wait for its
// users: connections end, and nothing is lost.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

// Kill ends the server as a crash does.
func (s *Server) Kill() { s.end(syscall.SIGQUIT) }

func (s *Server) end(signal syscall.Signal) {
	s.mu.Lock()
	cmd, ended := s.running, s.ended
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(signal) // it may be gone already
	<-ended
}

// Restart is Stop and Start.
func (s *Server) Restart() error {
	s.Stop()
	return s.Start()
}

// Address is the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the address of a database.
func (s *Server) URL(database string) string {
	return "postgres://postgres@" + s.Address() + "/" + database + "?sslmode=disable"
}

// Database makes a database that ends with the test, and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.last.Add(1))
	if err := s.do(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A server that the test has stopped takes its databases with it.
		_ = s.do(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return s.URL(name)
}

func (s *Server) do(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(ctx, statement)
	return err
}

// Program returns the path of one of PostgreSQL's programs, which Debian keeps
// out of the path, or nothing.
func Program(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is a good one
	if len(found) > 0 {
		return slices.Max(found)
	}
	path, _ := exec.LookPath(name) // none is an answer
	return path
}
