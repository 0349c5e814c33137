package projections

import (
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/eventstore"
)

// checkpointsTable holds how far each read model has come, and the text that
// its tables were made with.
const checkpointsTable = `CREATE TABLE IF NOT EXISTS checkpoints(
	name     TEXT PRIMARY KEY,
	schema   TEXT NOT NULL,
	position TEXT NOT NULL
) WITHOUT ROWID;`

// prepare makes the tables of p, unless they are as they should be, and
// returns how far they have come.
func prepare(conn *sqlite.Conn, p Projection) (at eventstore.Position, err error) {
	schema := ""
	err = query(conn, "SELECT schema, position FROM checkpoints WHERE name = ?", func(s *sqlite.Stmt) error {
		schema = s.ColumnText(0)
		at, err = eventstore.ParsePosition(s.ColumnText(1))
		return err
	}, p.Name())
	if err != nil {
		return at, fmt.Errorf("checkpoint of %s: %w", p.Name(), err)
	}
	if schema == p.Schema() {
		return at, nil
	}
	return eventstore.Position{}, reset(conn, p)
}

// reset drops the tables of p and makes them anew, empty.
func reset(conn *sqlite.Conn, p Projection) (err error) {
	defer sqlitex.Save(conn)(&err)
	var tables []string
	err = query(conn, "SELECT name FROM sqlite_master WHERE type = 'table'", func(s *sqlite.Stmt) error {
		if name := s.ColumnText(0); name == p.Name() || strings.HasPrefix(name, p.Name()+"_") {
			tables = append(tables, name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tables of %s: %w", p.Name(), err)
	}
	for _, name := range tables {
		if err := sqlitex.ExecuteTransient(conn, fmt.Sprintf("DROP TABLE %q", name), nil); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
	}
	// Not ExecuteScript, which would begin a transaction of its own.
	for text := range strings.SplitSeq(p.Schema(), ";") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		if err := sqlitex.ExecuteTransient(conn, text, nil); err != nil {
			return fmt.Errorf("make %s: %w", p.Name(), err)
		}
	}
	if g, ok := underlying(p).(gathering); ok {
		g.Begin() // what it remembers of its tables is void
	}
	return exec(conn, "INSERT OR REPLACE INTO checkpoints(name, schema, position) VALUES(?, ?, ?)",
		p.Name(), p.Schema(), eventstore.Position{}.String())
}

// advance sets how far p has come.
func advance(conn *sqlite.Conn, p Projection, to eventstore.Position) error {
	return exec(conn, "UPDATE checkpoints SET position = ? WHERE name = ?", to.String(), p.Name())
}

// underlying is the projection itself.
func underlying(p Projection) Projection {
	if t, ok := p.(*track); ok {
		return t.Projection
	}
	return p
}
