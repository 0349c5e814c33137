package projections

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
)

// workersTable holds how far each worker has come. It lies beside the read
// models, not in the ledger: losing it makes workers look at everything again,
// and what they do twice changes nothing.
const workersTable = `CREATE TABLE IF NOT EXISTS workers(
	name     TEXT PRIMARY KEY,
	position TEXT NOT NULL
) WITHOUT ROWID;`

// Checkpoint returns how far a worker has come.
func (v *Views) Checkpoint(name string) (at eventstore.Position, err error) {
	v.workers.Lock()
	defer v.workers.Unlock()
	err = query(v.keeper, "SELECT position FROM workers WHERE name = ?", func(s *sqlite.Stmt) error {
		at, err = eventstore.ParsePosition(s.ColumnText(0))
		return err
	}, name)
	if err != nil {
		return at, fmt.Errorf("checkpoint of worker %s: %w", name, err)
	}
	return at, nil
}

// Checkpoints returns how far each worker has come, by name.
func (v *Views) Checkpoints() (map[string]eventstore.Position, error) {
	v.workers.Lock()
	defer v.workers.Unlock()
	all := make(map[string]eventstore.Position)
	err := query(v.keeper, "SELECT name, position FROM workers", func(s *sqlite.Stmt) (err error) {
		all[s.ColumnText(0)], err = eventstore.ParsePosition(s.ColumnText(1))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("checkpoints of workers: %w", err)
	}
	return all, nil
}

// SaveCheckpoint remembers how far a worker has come.
func (v *Views) SaveCheckpoint(name string, at eventstore.Position) error {
	v.workers.Lock()
	defer v.workers.Unlock()
	err := exec(v.keeper, "INSERT OR REPLACE INTO workers(name, position) VALUES(?, ?)", name, at.String())
	if err != nil {
		return fmt.Errorf("save the checkpoint of worker %s: %w", name, err)
	}
	return nil
}
