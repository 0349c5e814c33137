package projections

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

func init() {
	codec.Register[blueprint.BlueprintAdded](1)
	codec.Register[blueprint.BlueprintChanged](1)
	codec.Register[blueprint.BlueprintRemoved](1)
}

// Instances are the blueprint instances, without their texts: these are read
// from the ledger when somebody needs them.
type Instances struct {
	views   *Views
	touched bool          // rows were changed that are not committed yet; of the runner's goroutine
	changes atomic.Uint64 // how often rows were changed

	mu   sync.Mutex
	held []blueprint.Holding // as of a number of changes; guarded by mu
	asOf uint64              // guarded by mu
}

// NewInstances makes the read model.
func NewInstances(v *Views) *Instances { return &Instances{views: v, asOf: math.MaxUint64} }

// Name implements [Projection].
func (*Instances) Name() string { return "instances" }

// Schema implements [Projection].
func (*Instances) Schema() string {
	return `-- 1
		CREATE TABLE instances(
			id           TEXT PRIMARY KEY,
			name         TEXT NOT NULL,
			path         TEXT NOT NULL,
			folded       TEXT NOT NULL,
			enabled      INTEGER NOT NULL,
			found        INTEGER NOT NULL,
			status       TEXT NOT NULL,
			tried        TEXT NOT NULL,
			applied      TEXT NOT NULL,
			last_applied INTEGER NOT NULL,
			models       TEXT NOT NULL,
			metadata     TEXT NOT NULL
		) WITHOUT ROWID;
		CREATE INDEX instances_by_name ON instances(name);
		CREATE INDEX instances_by_path ON instances(path)`
}

// Needs implements [Projection].
func (*Instances) Needs(e eventstore.Recorded) Need {
	if e.Stream.Category() == "blueprint" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection]. What is recorded of imports that are of no
// instance changes no row.
func (i *Instances) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	i.touched = true
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case blueprint.BlueprintAdded:
		// The contract wants a time even where nothing was applied.
		return exec(conn, `INSERT OR REPLACE INTO instances(id, name, path, folded, enabled, found, status, tried, applied,
			last_applied, models, metadata) VALUES(?, ?, ?, ?, ?, ?, ?, '', '', ?, '[]', '{}')`,
			id, event.Name, event.Path, foldedInstance(event.Terms), event.Enabled, event.Found, blueprint.Unknown, micros(e.RecordedAt))
	case blueprint.BlueprintChanged:
		err := exec(conn, "UPDATE instances SET name = ?, path = ?, folded = ?, enabled = ?, found = ? WHERE id = ?",
			event.Name, event.Path, foldedInstance(event.Terms), event.Enabled, event.Found, id)
		if err != nil || !event.Renews() {
			return err
		}
		return exec(conn, "UPDATE instances SET status = ?, tried = '' WHERE id = ?", blueprint.Unknown, id)
	case blueprint.BlueprintRemoved:
		return exec(conn, "DELETE FROM instances WHERE id = ?", id)
	case blueprint.BlueprintImportFinished:
		return finishInstance(conn, id, event, e.RecordedAt)
	}
	return nil
}

// Refresh implements [Projection].
func (i *Instances) Refresh(*sqlite.Conn) error {
	if i.touched {
		i.touched = false
		i.changes.Add(1)
	}
	return nil
}

// finishInstance notes how applying an instance ended. Only a success counts as
// applied.
func finishInstance(conn *sqlite.Conn, id string, event blueprint.BlueprintImportFinished, at time.Time) error {
	models, err := json.Marshal(append([]string{}, event.Models...))
	if err != nil {
		return err
	}
	metadata, err := json.Marshal(event.Metadata)
	if err != nil {
		return err
	}
	err = exec(conn, "UPDATE instances SET status = ?, tried = ?, metadata = ? WHERE id = ?", event.Status, event.Hash, string(metadata), id)
	if err != nil || event.Status != blueprint.Successful {
		return err
	}
	return exec(conn, "UPDATE instances SET applied = ?, last_applied = ?, models = ? WHERE id = ?", event.Hash, micros(at), string(models), id)
}

func foldedInstance(t blueprint.Terms) string { return fold(t.Name + " " + t.Path) }

// An Instance is a blueprint instance as lists show it.
type Instance struct {
	ID          string
	Name        string
	Path        string
	Enabled     bool
	Status      string
	Applied     string    // SHA-512 of the text that was applied last; empty for none
	LastApplied time.Time // when it was, or else when the instance was added
	Models      []string
	Metadata    blueprint.Metadata
}

// An InstanceFilter says which instances are wanted. What is empty does not
// matter.
type InstanceFilter struct {
	ID, Name, Path string
	Search         string // words of name and path
}

// instanceOrders are what lists can be ordered by.
var instanceOrders = []string{"name", "path", "enabled", "status", "last_applied"}

// List returns the instances that f wants, and how many there are on all pages.
// Order is a column, with a minus in front to turn it around; any other is by
// name.
func (i *Instances) List(ctx context.Context, f InstanceFilter, order string, p Page) ([]Instance, int, error) {
	var w where
	w.equal("id", f.ID)
	w.equal("name", f.Name)
	w.equal("path", f.Path)
	w.search(f.Search, "folded")
	total, err := i.views.count(ctx, "instances", "SELECT count(*) FROM instances"+w.sql(), w.args)
	if err != nil {
		return nil, 0, err
	}
	column, descending := strings.CutPrefix(order, "-")
	if column == "pk" {
		column = "id"
	} else if !slices.Contains(instanceOrders, column) {
		column, descending = "name", false
	}
	found, err := i.find(ctx, w, " ORDER BY "+column+direction(descending)+", name, id"+p.sql())
	return found, total, err
}

// Holdings lists the instances that name a file, by path. Somebody asks every
// few seconds, so the answer is kept as long as it is true.
func (i *Instances) Holdings(ctx context.Context) ([]blueprint.Holding, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	asOf := i.changes.Load() // before the rows are read, which may be newer
	if asOf == i.asOf {
		return slices.Clone(i.held), nil
	}
	var held []blueprint.Holding
	const query = "SELECT id, path, tried, status, enabled, found FROM instances WHERE path <> '' ORDER BY path, id"
	err := i.views.read(ctx, "instances", query, nil, func(s *sqlite.Stmt) error {
		held = append(held, blueprint.Holding{
			ID: s.ColumnText(0), Path: s.ColumnText(1), Tried: s.ColumnText(2), Status: s.ColumnText(3),
			Enabled: s.ColumnBool(4), Found: s.ColumnBool(5),
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	i.held, i.asOf = held, asOf
	return slices.Clone(held), nil
}

// Named tells whether there is an instance with this name.
func (i *Instances) Named(ctx context.Context, name string) (bool, error) {
	n, err := i.views.count(ctx, "instances", "SELECT count(*) FROM instances WHERE name = ?", []any{name})
	return n > 0, err
}

func (i *Instances) find(ctx context.Context, w where, end string) ([]Instance, error) {
	var found []Instance
	err := i.views.read(ctx, "instances", "SELECT * FROM instances"+w.sql()+end, w.args, func(s *sqlite.Stmt) error {
		one := Instance{
			ID: s.GetText("id"), Name: s.GetText("name"), Path: s.GetText("path"), Enabled: s.GetBool("enabled"),
			Status: s.GetText("status"), Applied: s.GetText("applied"), LastApplied: timeAt(s, "last_applied"),
		}
		if err := json.Unmarshal([]byte(s.GetText("models")), &one.Models); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(s.GetText("metadata")), &one.Metadata); err != nil {
			return err
		}
		found = append(found, one)
		return nil
	})
	return found, err
}
