package tests

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A postgres is a real PostgreSQL server with a cluster of its own, on a
// loopback port that stays its own when it is started again.
type postgres struct {
	folder string
	port   string
	as     *syscall.SysProcAttr
	log    *journal

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone
}

// startPostgres starts a server that ends with the test.
func startPostgres(tb testing.TB) *postgres {
	tb.Helper()
	if postgresProgram("initdb") == "" || postgresProgram("postgres") == "" || postgresProgram("createdb") == "" {
		tb.Skip("needs a PostgreSQL server, such as Debian's package postgresql")
	}
	folder, err := os.MkdirTemp("", "flowledger-postgres-") // a test's own folder is closed to other users
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	p := &postgres{folder: folder, log: &journal{}, as: &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}}
	if os.Getuid() == 0 { // which PostgreSQL refuses to run as
		const nobody = 65534
		p.as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(folder, nobody, nobody); err != nil {
			tb.Fatal(err)
		}
	}
	if err := p.tool("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", p.data()); err != nil {
		tb.Fatal(err)
	}
	address, err := freeAddress()
	if err != nil {
		tb.Fatal(err)
	}
	_, p.port, _ = net.SplitHostPort(address)
	tb.Cleanup(func() {
		if err := p.stop(syscall.SIGQUIT); err != nil {
			tb.Error(err)
		}
	})
	if err := p.start(); err != nil {
		tb.Fatal(err)
	}
	return p
}

func (p *postgres) data() string { return filepath.Join(p.folder, "data") }

func (p *postgres) address() string { return net.JoinHostPort("127.0.0.1", p.port) }

// tool runs one of PostgreSQL's programs to its end.
func (p *postgres) tool(name string, args ...string) error {
	cmd := exec.Command(postgresProgram(name), args...)
	cmd.SysProcAttr, cmd.Dir = p.as, p.folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// database makes an empty database of that name.
func (p *postgres) database(tb testing.TB, name string) {
	tb.Helper()
	if err := p.tool("createdb", "-h", "127.0.0.1", "-p", p.port, "-U", "postgres", name); err != nil {
		tb.Fatal(err)
	}
}

// start returns when the server takes connections.
func (p *postgres) start() error {
	p.cmd = exec.Command(postgresProgram("postgres"), "-D", p.data(), "-p", p.port,
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-k", p.folder)
	p.cmd.SysProcAttr, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.as, p.folder, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.exited = make(chan struct{})
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	for deadline := time.Now().Add(startWithin); p.tool("pg_isready", "-q", "-h", "127.0.0.1", "-p", p.port) != nil; {
		select {
		case <-p.exited:
			return fmt.Errorf("PostgreSQL ended at its start: %v\n%s", p.cmd.ProcessState, end(p.log.String(), 2<<10))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL is not ready after %v\n%s", startWithin, end(p.log.String(), 2<<10))
		}
	}
	return nil
}

// stop ends the server: by SIGINT it closes what clients have open, by SIGQUIT
// it leaves at once and recovers at its next start.
func (p *postgres) stop(how syscall.Signal) error {
	if err := p.cmd.Process.Signal(how); err != nil && p.cmd.ProcessState == nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopWithin):
		return fmt.Errorf("PostgreSQL did not end within %v of %v", stopWithin, how)
	}
}

// postgresProgram finds one of PostgreSQL's programs, which Debian keeps out
// of the path; "" without it.
func postgresProgram(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is a good one
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}
