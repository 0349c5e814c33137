package object

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// A Thing is a configured thing as readers have it: where it stands, and its
// fields but for the secret ones.
type Thing struct {
	ID       string
	Kind     string // model name
	Name     string
	Revision int64
	Fields   map[string]any

	Created, Updated time.Time // when it was made, and last written
}

// Ref returns the reference that events carry.
func (t Thing) Ref() domain.Ref {
	return domain.Ref{ID: t.ID, Kind: t.Kind, Revision: t.Revision, Name: t.Name}
}
