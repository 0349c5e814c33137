package postgrestest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// TestServer makes databases that are apart, and has what was committed
// outlive stopping and killing.
func TestServer(t *testing.T) {
	s := postgrestest.Alone(t, "max_connections=7")
	a, b := s.Database(t), s.Database(t)
	query(t, a, "CREATE TABLE things AS SELECT 1 AS n")
	query(t, b, "CREATE TABLE things AS SELECT 2 AS n")
	for _, end := range []func(){s.Stop, s.Kill} {
		end()
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		for url, want := range map[string]string{a: "1", b: "2"} {
			if got := query(t, url, "SELECT n::text FROM things"); got != want {
				t.Errorf("%s holds %s, want %s", url, got, want)
			}
		}
	}
	if got := query(t, a, "SHOW max_connections"); got != "7" {
		t.Errorf("max_connections is %s, want 7", got)
	}
}

// query returns the one value that a statement answers, if any.
func query(t *testing.T, url, statement string) (value string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return value
}
