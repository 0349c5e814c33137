// Package policy holds the kinds of policy, one per file, and the engine that
// asks all policies of a target and computes their verdict. A policy judges;
// what the verdict leads to is not its business.
package policy

import (
	"context"
	"maps"
	"net/url"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// A Policy is one kind of predicate, configured.
type Policy interface {
	// Passes judges. An error means that there is no verdict; its text is
	// shown to the client as the contract wants it (spec/flows.md 8.4).
	Passes(ctx context.Context, q Request) (Verdict, error)
}

// A Verdict is what a policy says, and what that rests on.
type Verdict struct {
	Passing  bool
	Messages []string
	Reasons  []string       // machine-readable
	Facts    map[string]any // truth values, counts, line numbers
	Detail   execution.Detail
	Effects  []execution.Effect // asked for, whatever the verdict
}

// A Request is what policies are asked with. It is not changed but through
// Plan.
type Request struct {
	User    user.Person // about whom
	HTTP    *HTTP       // nil when no client stands behind it
	Target  domain.Ref
	Object  map[string]any    // fields of the target, where policies may read them
	Context execution.Context // of the plan
	Extra   map[string]any    // further names in the policies' context: geoip, asn
	Pending *Pending          // nil while the execution is about nobody
	Plan    *Plan             // nil before there is one
	Seed    uint64
	Depth   int    // of policies that called this one
	Watch   *Watch // nil unless somebody tries a policy out
	Clock   func() time.Time
	Env     Env
}

// A Pending is the user whom an execution is about, as policies see it.
type Pending struct {
	user.Person
	Backend string // what proved the user in this execution; empty for nothing
}

// HTTP is the client's request as policies see it.
type HTTP struct {
	Method string
	Path   string
	Query  url.Values // of the page
	Caller session.Caller
	User   user.Person
	Brand  object.Brand
}

// A Plan is the way for policies to write: what they set and insert is kept
// here, in order, and becomes events.
type Plan struct {
	Flow   domain.Ref
	Writes []Write
}

// written counts the writes. A nil plan has none.
func (p *Plan) written() int {
	if p == nil {
		return 0
	}
	return len(p.Writes)
}

// onto lays the writes from a place on over a context: the next policy sees
// what the one before it wrote.
func (p *Plan) onto(c execution.Context, from int) execution.Context {
	if p.written() == from {
		return c
	}
	out := maps.Clone(c)
	for _, w := range p.Writes[from:] {
		switch {
		case w.Redirect != "" || w.Subject != nil:
		case w.Remove:
			delete(out, w.Key)
		default:
			if out == nil {
				out = execution.Context{}
			}
			out[w.Key] = w.Value
		}
	}
	return out
}

// A Write is one change by a policy. Exactly one of Key, Redirect and Subject
// says which.
type Write struct {
	Key      string
	Value    any
	Remove   bool
	Redirect string
	Subject  *user.Person
}

// Env is what policies may look up.
type Env struct {
	Directory Directory
	History   History
	Outside   Outside // nil where nobody is to be asked
}

// Directory knows the users, the groups and the policies.
type Directory interface {
	// Users returns the users who meet all conditions, which are Django's
	// look-ups by field, at most limit of them, by key; and how many there are.
	// An unknown look-up is an error of the code [domain.Invalid].
	Users(ctx context.Context, by map[string]any, limit int) ([]user.Person, int, error)

	// Groups is the same for groups, by name.
	Groups(ctx context.Context, by map[string]any, limit int) ([]user.Group, int, error)

	// Policy loads a policy by its name; nil if there is none.
	Policy(ctx context.Context, name string) (Policy, error)
}

// History is what the ledger tells about users and addresses.
type History interface {
	// Score adds up the reputation of an address and of a user name, whichever
	// is not empty; without both it is the sum of all (spec/flows.md 8.10).
	Score(ctx context.Context, ip, username string) (int64, error)

	// Logins returns the last logins of a user, the newest first.
	Logins(ctx context.Context, userID string, limit int) ([]Login, error)

	// Reused tells whether a password is one of the last n of a user, the
	// present one included.
	Reused(ctx context.Context, userID string, password domain.Secret, n int) (bool, error)
}

// A Login is one of somebody's logins.
type Login struct {
	Event string // id of the event
	At    time.Time
	Place *session.Place // nil where it is not known
}

// Outside is the world outside, asked within limits of time, size and reach.
type Outside interface {
	// Resolve returns the addresses of a name: of IP version 4 or 6, or of
	// both for 0. What cannot be found has none.
	Resolve(ctx context.Context, host string, version int) []string

	// Reverse returns the name of an address, or the address.
	Reverse(ctx context.Context, ip string) string

	// Fetch makes an HTTP request. If there is no answer, the error is a
	// [*FetchError].
	Fetch(ctx context.Context, q Fetch) (Fetched, error)

	// Breaches returns how often passwords were found in collections of stolen
	// ones, by the rest of their SHA-1 in upper case, for a prefix of five hex
	// digits.
	Breaches(ctx context.Context, prefix string) (map[string]int, error)
}

// A Fetch is an HTTP request of an expression.
type Fetch struct {
	Method  string
	URL     string
	Header  map[string]string
	Body    []byte
	Timeout time.Duration // 0 for the default
}

// A Fetched is the answer.
type Fetched struct {
	Status int
	Reason string // the words behind the status
	URL    string // after redirections
	Header map[string]string
	Body   []byte
}

// What kept a Fetch from its answer, for callers who tell them apart.
const (
	FetchRefused    = "refused"    // it is not allowed, makes no sense or is over a limit
	FetchTimeout    = "timeout"    // it took too long
	FetchConnection = "connection" // there was no answer, or a broken one
)

// A FetchError says why a [Fetch] has no answer. Its message is a sentence
// that may be shown: of the URL it has the scheme and the host, for a path and
// a query may hold keys.
type FetchError struct {
	Kind    string
	Message string
}

// Error implements error.
func (e *FetchError) Error() string { return e.Message }

// kind is what a policy's file says of itself.
type kind struct {
	Model  string
	Path   string // below /api/v3/policies/
	Name   string
	Form   string
	About  string
	Config func() Policy
}

func register(k kind) {
	catalog.Register(catalog.Kind{
		Model: k.Model, Category: catalog.Policy, Path: "policies/" + k.Path, Form: k.Form, Name: k.Name, Plural: plural(k.Name),
		Description: k.About, Natural: [][]string{{"name"}},
		New: func() any { return k.Config() },
	})
}

func plural(name string) string { return name[:len(name)-1] + "ies" }

// Named is part of every policy's configuration.
type Named struct {
	Name             string `json:"name" catalog:"required"`
	ExecutionLogging bool   `json:"execution_logging"`
}

// Load makes a policy of what is stored of it.
func Load(model string, fields map[string]any) (Policy, error) {
	k, ok := catalog.Lookup(model)
	if !ok {
		return nil, domain.Errorf(domain.Invalid, "There is no kind of policy %q.", model)
	}
	config, err := k.Load(fields)
	if err != nil {
		return nil, err
	}
	p, ok := config.(Policy)
	if !ok {
		return nil, domain.Errorf(domain.Invalid, "The kind %q is no policy.", model)
	}
	return p, nil
}
