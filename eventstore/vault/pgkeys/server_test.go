package pgkeys_test

import (
	"bufio"
	"context"
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

// server is a PostgreSQL of this test binary alone; why tells why there is
// none.
var server struct {
	address string
	why     error
	last    atomic.Int64 // number of the database made last
}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "pgkeys")
	if err != nil {
		panic(err)
	}
	stop := func() {}
	if server.address, stop, err = serve(folder); err != nil {
		server.why = err
	}
	code := m.Run()
	stop()
	os.RemoveAll(folder)
	os.Exit(code)
}

// serve starts a server in folder, on a free port, and returns when it is up.
func serve(folder string) (address string, stop func(), err error) {
	stop = func() {}
	initdb, postgres := program("initdb"), program("postgres")
	if initdb == "" || postgres == "" {
		return "", stop, fmt.Errorf("no PostgreSQL server is installed here")
	}
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() == 0 { // which both programs refuse to be
		const nobody = 65534
		attributes.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(folder, nobody, nobody); err != nil {
			return "", stop, err
		}
	}
	data := filepath.Join(folder, "data")
	prepare := exec.Command(initdb, "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", data)
	prepare.SysProcAttr, prepare.Dir = attributes, folder
	if out, err := prepare.CombinedOutput(); err != nil {
		return "", stop, fmt.Errorf("%w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", stop, err
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	run := exec.Command(postgres, "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-k", folder)
	run.SysProcAttr, run.Dir = attributes, folder
	log, err := run.StderrPipe()
	if err != nil {
		return "", stop, err
	}
	if err := run.Start(); err != nil {
		return "", stop, err
	}
	up, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "ready to accept connections") {
				close(up)
			}
		}
	}()
	stop = func() {
		run.Process.Signal(syscall.SIGQUIT)
		<-ended
		run.Wait()
	}
	select {
	case <-up:
		return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/", port), stop, nil
	case <-ended:
		run.Wait()
		return "", func() {}, fmt.Errorf("the PostgreSQL server does not start")
	}
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
	if server.why != nil {
		t.Skip(server.why)
	}
	conn, err := pgx.Connect(t.Context(), server.address+"postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	name := fmt.Sprintf("keys%d", server.last.Add(1))
	if _, err := conn.Exec(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	return server.address + name
}
