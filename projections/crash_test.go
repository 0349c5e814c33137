package projections_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/eventstore/codec"
	ledger "github.com/flowledger/flowledger/eventstore/sqlite"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/projections"
)

// crashEnv names the folder whose ledger a child process of [TestKill] follows.
const crashEnv = "FLOWLEDGER_PROJECTIONS_CRASH"

func TestMain(m *testing.M) {
	if folder := os.Getenv(crashEnv); folder != "" {
		fmt.Fprintln(os.Stderr, followUntilKilled(folder))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// theEnd is what a child says that has reached the end of the ledger.
const theEnd = "end"

// talking is a projection that says on standard output how far it is, in the
// midst of batches.
type talking struct{ counting }

func (*talking) Name() string { return "talking" }

func (*talking) Schema() string { return "CREATE TABLE talking(id TEXT)" }

func (*talking) Apply(_ context.Context, _ *sqlite.Conn, e codec.Decoded) error {
	if e.Position.Value()%50 == 0 {
		fmt.Println(e.Position.Value())
	}
	return nil
}

func followUntilKilled(folder string) error {
	v, err := vault.Open(filepath.Join(folder, "keys.db"), [32]byte{1}, time.Now)
	if err != nil {
		return err
	}
	store, err := ledger.Open(filepath.Join(folder, "events.db"), time.Now)
	if err != nil {
		return err
	}
	views, err := projections.Open(filepath.Join(folder, "views.db"))
	if err != nil {
		return err
	}
	c := &codec.Codec{Vault: v, Tenant: "t"}
	r, err := projections.NewRunner(store, c, views, slog.Default(), projections.NewObjects(), projections.NewUsers(views),
		projections.NewGroups(views), projections.NewTokens(views), projections.NewSessions(views),
		projections.NewExecutions(views), projections.NewAudit(views, store, c, v.Digest), &talking{})
	if err != nil {
		return err
	}
	head, err := store.Head(context.Background())
	if err != nil {
		return err
	}
	go func() {
		// A child that finds everything done has nothing else to say.
		if r.WaitFor(context.Background(), head) == nil {
			fmt.Println(theEnd)
		}
	}()
	return errors.Join(r.Run(context.Background()), errors.New("the run has ended"))
}

// However often the process is killed in the midst of a batch, each event
// counts once.
func TestKill(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	store := must[*ledger.Store](t)(ledger.Open(filepath.Join(folder, "events.db"), time.Now))
	keys := must[*vault.Vault](t)(vault.Open(filepath.Join(folder, "keys.db"), [32]byte{1}, time.Now))
	w.store, w.codec.Vault = store, keys
	script(w)
	for i := range 140 {
		var events []codec.Event
		for range 16 {
			events = append(events, group.GroupMemberAdded{User: id("x")})
		}
		w.append(stream("group", fmt.Sprint(i)), append([]codec.Event{groupNamed("g")}, events...)...)
	}
	if err := errors.Join(store.Close(), keys.Close()); err != nil {
		t.Fatal(err)
	}

	begun := map[string]bool{}
	for _, lines := range []int{3, 25, 7, 22, 5} {
		if first := runAndKill(t, folder, lines); first != "" {
			begun[first] = true
		}
	}
	if len(begun) < 2 {
		t.Fatalf("no child went on where another had stopped: %v", begun)
	}

	w.store = must[*ledger.Store](t)(ledger.Open(filepath.Join(folder, "events.db"), time.Now))
	w.vault = must[*vault.Vault](t)(vault.Open(filepath.Join(folder, "keys.db"), [32]byte{1}, time.Now))
	w.codec.Vault = w.vault
	finish := func(path string) map[string][]string {
		w.close()
		w.path = path
		w.open(&talking{})
		stop := w.run()
		w.settle()
		stop()
		return dump(t, path)
	}
	got := finish(filepath.Join(folder, "views.db"))
	if diff := cmp.Diff(finish(filepath.Join(folder, "fresh.db")), got); diff != "" {
		t.Errorf("after all kills (-fresh +got):\n%s", diff)
	}
}

// runAndKill lets a child say some lines, kills it, and returns the first one:
// where it began.
func runAndKill(t *testing.T, folder string, lines int) (first string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashEnv+"="+folder)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for n := 1; scanner.Scan(); n++ {
		if n == 1 {
			first = scanner.Text()
		}
		if n == lines || scanner.Text() == "2350" || scanner.Text() == theEnd {
			_ = child.Process.Kill()
		}
	}
	_ = child.Wait()
	return first
}
