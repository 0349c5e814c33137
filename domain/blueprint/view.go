package blueprint

import (
	"strconv"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
)

// A View shows what exists, as of one moment. Its answers must not change
// while a document is resolved.
//
// A ref names kinds as [catalog.Kind.Match] understands it: a model, a
// category, or target for what policies can be bound to.
type View interface {
	// Get returns the thing with a primary key, if it is of a kind that ref
	// names.
	Get(ref, pk string) (Object, bool)
	// All returns the things of a model, in any order.
	All(model string) []Object
	// Used tells whether a new thing cannot have this primary key, because a
	// thing has it or had it once.
	Used(pk string) bool
	// SameSecret tells whether a secret field holds this secret already, so
	// that setting it again is no change. The field password is to be checked
	// against the user's hash.
	SameSecret(pk, field string, secret domain.Secret) bool
}

// A Finder is a view that need not tell all it has to find a few things.
type Finder interface {
	// Having returns the things of a model that have a value in a field, a text
	// or a number. In a field that refers to many things it is one of them; pk
	// is the primary key. It returns false where it has no index.
	Having(model, field string, value any) ([]Object, bool)
}

// An Object is a thing as the admin API shows it: Fields holds JSON values by
// their names on the wire, all that the kind has, and no secret ones. The
// target of a policy binding is the primary key of a flow or a stage binding.
// It must not be changed.
type Object struct {
	Model  string
	PK     string // a UUID; for users a decimal integer
	Fields map[string]any
}

// keyValue is the primary key as a JSON value.
func keyValue(o Object) any {
	if kind, ok := catalog.Lookup(o.Model); ok && kind.IntegerKey() {
		if n, err := strconv.ParseInt(o.PK, 10, 64); err == nil {
			return n
		}
	}
	return o.PK
}

func isTarget(o Object) bool {
	kind, ok := catalog.Lookup(o.Model)
	return ok && kind.Match("target")
}

func targetID(o Object) string { return catalog.TargetID(o.PK) }

// lessKey orders primary keys: integers by value, UUIDs as text.
func lessKey(a, b string) bool {
	n, errA := strconv.ParseInt(a, 10, 64)
	m, errB := strconv.ParseInt(b, 10, 64)
	if errA == nil && errB == nil {
		return n < m
	}
	return a < b
}

// An Env is what else a document can reach. NewID and NextUserPK must be
// given; where another function is nil there is nothing to reach.
type Env struct {
	Context  map[string]any // of the instance or the upload; it wins over the document's
	Getenv   func(name string) (string, bool)
	ReadFile func(path string) ([]byte, error)
	// NewID makes the primary key of a new thing. The same key gives the same
	// answer within an import, so that a retry makes the same things.
	NewID func(key string) string
	// NextUserPK gives the primary key of a new user, another one each time.
	NextUserPK func() int
	// MadeUser tells whether this import made the user with this primary key,
	// before it was interrupted.
	MadeUser func(pk string) bool
	// Instance finds the blueprint instance that metaapplyblueprint means.
	Instance func(identifiers map[string]any) (Instance, bool)
	Self     string // the ID of the instance that is applied, so that it does not apply itself
}

// An Instance is a stored blueprint, which others can depend on.
type Instance struct {
	ID      string
	File    string
	Enabled bool
	Text    []byte
	Context map[string]any
}

// A Result is what a document asks for.
type Result struct {
	// Dependencies were applied on the way, in this order, each a commit of its
	// own before Changes. They stand even if the document itself fails.
	Dependencies []Dependency
	Changes      []Change
	Logs         []LogEvent
}

// All lists what becomes of everything that the document touches, in the order
// in which it is applied.
func (r Result) All() []Change {
	var all []Change
	for _, d := range r.Dependencies {
		all = append(all, d.Changes...)
	}
	return append(all, r.Changes...)
}

// A Dependency is an instance that metaapplyblueprint asked for. Err says why
// it failed, which does not concern the document that asked.
type Dependency struct {
	Instance string
	Changes  []Change
	Logs     []LogEvent
	Err      error
}

// An Action says what becomes of a thing.
type Action string

// The actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
	Removed   Action = "removed"
)

// A Change is what becomes of one thing. There is one for each thing that the
// document touches.
type Change struct {
	Action Action
	Model  string
	PK     string
	Name   string // for people; empty for bindings
	// Set holds the cleaned fields to put: all of them for a new thing, the
	// changed ones for another. Secret fields are of type [domain.Secret].
	Set       map[string]any
	Previous  map[string]any // old values of the changed fields, all of what is removed, but for secret ones
	CascadeOf string         // primary key of the thing whose removal caused this
	Entry     int            // number of the entry that touched it first, from 1
	EntryID   string
}

// A LogEvent is a line of the report that the API returns for an import.
type LogEvent struct {
	Level      string // info, warning
	Event      string
	Attributes map[string]any
}
