package pgkeys_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/eventstore/vault/pgkeys"
	"github.com/flowledger/flowledger/eventstore/vault/vaulttest"
)

var kek = [32]byte{1, 2, 3}

func fresh(t *testing.T) vaulttest.Opener {
	url := database(t)
	return func(t *testing.T, now func() time.Time) vault.Engine { return open(t, url, now) }
}

func open(t *testing.T, url string, now func() time.Time) *pgkeys.Engine {
	t.Helper()
	engine, err := pgkeys.Open(t.Context(), url, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

func TestContract(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, fresh)
	vaulttest.RunShared(t, fresh)
}

func TestTidy(t *testing.T) {
	url, now := database(t), time.Now()
	e := open(t, url, func() time.Time { return now })
	for i := range 20 {
		if _, err := e.AddSecrets(t.Context(), vault.Secret{ID: fmt.Sprint("T/user:", i), Wrapped: []byte("w")}); err != nil {
			t.Fatal(err)
		}
		c := vault.Cookie{Digest: []byte{byte(i)}, Session: "s", Expires: now.Add(time.Duration(i-10) * time.Minute)}
		if err := e.AddCookie(t.Context(), c, nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.DestroySecrets(t.Context(), now, "T/user:1", "T/user:2"); err != nil {
		t.Fatal(err)
	}
	if err := e.Tidy(); err != nil {
		t.Fatal(err)
	}
	var cookies, counted int
	conn := connect(t, url)
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM flowledger_keys.cookies`).Scan(&cookies); err != nil || cookies != 9 {
		t.Errorf("%d cookies, %v, want 9: those over their time are purged", cookies, err)
	}
	// VACUUM counts rows; before it, the count is -1.
	const query = `SELECT reltuples::integer FROM pg_class WHERE oid = 'flowledger_keys.secrets'::regclass`
	if err := conn.QueryRow(t.Context(), query).Scan(&counted); err != nil || counted != 20 {
		t.Errorf("VACUUM counted %d rows, %v, want 20", counted, err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Nodes that start at the same time make the tables once.
func TestConcurrentOpen(t *testing.T) {
	url := database(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			e, err := pgkeys.Open(t.Context(), url, time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			e.Close()
		})
	}
	group.Wait()
}

func TestNewerTablesAreRefused(t *testing.T) {
	url := database(t)
	open(t, url, time.Now).Close()
	if _, err := connect(t, url).Exec(t.Context(), `INSERT INTO flowledger_keys.version VALUES(99)`); err != nil {
		t.Fatal(err)
	}
	_, err := pgkeys.Open(t.Context(), url, time.Now)
	if err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("err = %v, want that a newer program made the tables", err)
	}
}

// Whoever may only use the tables need not be allowed to make schemas.
func TestLeastPrivileges(t *testing.T) {
	url := database(t)
	open(t, url, time.Now).Close()
	conn := connect(t, url)
	role := fmt.Sprintf("keys%d", time.Now().UnixNano())
	for _, statement := range []string{
		`CREATE ROLE ` + role + ` LOGIN`,
		`GRANT USAGE ON SCHEMA flowledger_keys TO ` + role,
		`GRANT SELECT ON flowledger_keys.version TO ` + role,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON flowledger_keys.secrets, flowledger_keys.cookies TO ` + role,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { conn.Exec(context.Background(), `DROP OWNED BY `+role+`; DROP ROLE `+role) })
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, fmt.Sprintf("postgres://%s@%s/%s?host=%s&port=%d", role, "", config.Database, config.Host, config.Port), time.Now)
	if err := e.DestroySecrets(t.Context(), time.Now(), "T/user:a"); err != nil {
		t.Error(err)
	}
}

// What is durable does not depend on how the server is set up.
func TestDurableWhateverTheDefault(t *testing.T) {
	url := database(t)
	conn := connect(t, url)
	for _, setting := range []string{"synchronous_commit = off", "default_transaction_isolation = 'serializable'"} {
		if _, err := conn.Exec(t.Context(), `ALTER DATABASE `+conn.Config().Database+` SET `+setting); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"synchronous_commit": "on", "transaction_isolation": "read committed"} {
		if got, err := open(t, url, time.Now).Setting(t.Context(), name); got != want || err != nil {
			t.Errorf("%s = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestAddressesStaySecret(t *testing.T) {
	for _, url := range []string{
		"postgres://ada:hunter2@127.0.0.1:1/keys", "postgres://ada:hunter2@127.0.0.1:port/keys", "postgres://ada:hunt%er2@h/keys",
		"postgres://ada:hunter2@127.0.0.1:1/keys?sslmode=hunter2",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := pgkeys.Open(ctx, url, time.Now)
		cancel()
		if err == nil || strings.Contains(err.Error(), "hunt") {
			t.Errorf("%s: err = %v, want one without the password", url, err)
		}
	}
}

// What the server refuses of one caller hinders no other.
func TestRefusedAlone(t *testing.T) {
	e := open(t, database(t), time.Now)
	var group sync.WaitGroup
	for i := range 60 {
		group.Go(func() {
			id := fmt.Sprintf("T/user:%d", i)
			bad := i%3 == 0
			if bad {
				id += "\x00" // no text for PostgreSQL
			}
			_, err := e.AddSecrets(t.Context(), vault.Secret{ID: id, Wrapped: []byte("w")})
			if (err != nil) != bad || errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("%q: err = %v", id, err)
			}
		})
	}
	group.Wait()
}

// A user can leave a hundred thousand executions behind.
func TestDestroyMany(t *testing.T) {
	t.Parallel()
	e := open(t, database(t), time.Now)
	ids := make([]string, 100_000)
	for i := range ids {
		ids[i] = fmt.Sprintf("T/execution:%d", i)
	}
	if err := e.DestroySecrets(t.Context(), time.Now(), ids...); err != nil {
		t.Fatal(err)
	}
	if found, err := e.FindSecret(t.Context(), ids[99_999]); err != nil || found.Since.IsZero() {
		t.Errorf("the last one: %v, %v", found, err)
	}
}
