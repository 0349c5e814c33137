package pgkeys_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shared is the PostgreSQL of this test binary; why tells why there is none.
var shared struct {
	*server
	why  error
	last atomic.Int64 // number of the database made last
}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "pgkeys")
	if err != nil {
		panic(err)
	}
	shared.server, shared.why = prepare(folder)
	code := m.Run()
	if shared.server != nil {
		shared.stop()
	}
	os.RemoveAll(folder)
	os.Exit(code)
}

// A server is a PostgreSQL on a loopback port.
type server struct {
	data, postgres string
	port           int
	as             *syscall.SysProcAttr
	running        *exec.Cmd
	ended          chan struct{}
}

// prepare makes a cluster in folder and starts its server.
func prepare(folder string) (*server, error) {
	initdb := program("initdb")
	s := &server{data: filepath.Join(folder, "data"), postgres: program("postgres"), as: &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}}
	if initdb == "" || s.postgres == "" {
		return nil, errors.New("no PostgreSQL server is installed here")
	}
	if os.Getuid() == 0 { // which both programs refuse to be
		const nobody = 65534
		s.as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(folder, nobody, nobody); err != nil {
			return nil, err
		}
	}
	cluster := exec.Command(initdb, "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", s.data)
	cluster.SysProcAttr, cluster.Dir = s.as, folder
	if out, err := cluster.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.port = free.Addr().(*net.TCPAddr).Port
	free.Close()
	return s, s.start()
}

// start returns when the server is up.
func (s *server) start() error {
	s.running = exec.Command(s.postgres, "-D", s.data, "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-k", s.data)
	s.running.SysProcAttr, s.running.Dir = s.as, s.data
	log, err := s.running.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.running.Start(); err != nil {
		return err
	}
	up, ended := make(chan struct{}), make(chan struct{})
	s.ended = ended
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "ready to accept connections") {
				close(up)
			}
		}
	}()
	select {
	case <-up:
		return nil
	case <-ended:
		return errors.Join(errors.New("the PostgreSQL server does not start"), s.running.Wait())
	}
}

// stop ends the server as a crash does: what is not in its log is lost.
func (s *server) stop() {
	s.running.Process.Signal(syscall.SIGQUIT)
	<-s.ended
	s.running.Wait()
}

// program finds one of PostgreSQL's, which need not be in the path.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is a good one
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// database makes a database that nobody else uses, and returns its address.
func database(t testing.TB) string {
	t.Helper()
	if shared.why != nil {
		t.Skip(shared.why)
	}
	name := fmt.Sprintf("keys%d", shared.last.Add(1))
	conn, err := pgx.Connect(t.Context(), shared.address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	return shared.address(name)
}

func (s *server) address(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s", s.port, database)
}
