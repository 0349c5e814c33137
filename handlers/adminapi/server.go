package adminapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/command"
)

// A Server serves the administration API below /api/v3. All fields must be
// set but for those that say otherwise.
type Server struct {
	Callers Callers

	// What is written.
	Objects     *command.Handler[object.State]
	Groups      *command.Handler[group.State]
	Sessions    *command.Handler[session.State]
	Tokens      *command.Handler[token.State]
	Invitations *command.Handler[invitation.State]
	Notices     *command.Handler[notification.State]
	Mails       *command.Handler[mail.State]
	Consents    *command.Handler[consent.State]
	RoleStates  *command.Handler[role.State]
	Users       *command.Handler[user.State]
	Audits      *command.Handler[audit.State]
	Accounts    Accounts
	Hashes      Hashes

	// What is looked at.
	Executions *command.Handler[execution.State]

	// What is read. It may be as old as the last Wait.
	Things   Things
	Bindings Bindings
	People   People
	Paths    func(ctx context.Context, search string) ([]string, error) // the folders of users whose names have a text in them
	Roles    Roles
	Logins   Logins
	Keys     Keys
	Invited  Invited
	Agreed   Agreed
	Audit    Audit
	Counts   AuditCounts
	Scores   Scores

	Revisions Revisions

	Notifications Notifications

	Importer  Importer
	Instances Instances
	Keeper    Keeper
	Tester    Tester   // of policies; nil when none is at hand
	Exporter  Exporter // of flows; nil when none is at hand
	Launcher  Launcher // of executions; nil when none is at hand
	Courier   Courier  // of notifications; nil when none is at hand
	Sinks     Sinks    // of the outgoing trail; nil when none is at hand
	Exports   Exports  // files of exported events; nil when there is no place for them
	Looks     Looks    // of who looks at audit data; nil when nobody wants to know

	// Turn waits until no other node changes anything through this API, and
	// keeps it so until done is called; nil where there is one node.
	Turn func(ctx context.Context) (done func(), err error)

	Wait  func(ctx context.Context) error // until what is read has seen all that is written
	Now   func() time.Time
	NewID func() string // a new UUID
	Log   *slog.Logger

	// changes is held while a change is judged on what is read, written, and
	// waited for: two changes at once could both take the last free name.
	changes sync.Mutex

	arranged arrangements // of the lists of things

	routes []Route // what was mounted
}

// Callers tells who makes a request.
type Callers interface {
	Of(w http.ResponseWriter, r *http.Request) (session.Caller, error)
	// CheckCSRF refuses a request that changes something in the name of a
	// browser session without proof that the session's own page made it.
	CheckCSRF(r *http.Request, c session.Caller) error
}

// Accounts writes users.
type Accounts interface {
	Create(ctx context.Context, n account.New, w account.Writer) (user.State, error)
	Write(ctx context.Context, id string, f user.Fields, w account.Writer) (user.State, error)
	SetPassword(ctx context.Context, id string, typed domain.Secret, w account.Writer) error
	Delete(ctx context.Context, id string, w account.Writer) error
	Join(ctx context.Context, id string, groups []string, w account.Writer) error
}

// Hashes writes passwords of which only the stored form is known.
type Hashes interface {
	SetHash(ctx context.Context, id string, hash domain.Secret, w account.Writer) error
}

// Things are the configured things. What is returned must not be changed.
type Things interface {
	Thing(id string) (object.Thing, bool)
	// Category lists everything of all kinds of a category, in any order.
	Category(c catalog.Category) []object.Thing
	// Named lists what has a name, of all kinds of a category.
	Named(c catalog.Category, name string) []object.Thing
	FlowBySlug(slug string) (object.Thing, bool)
	// Brand returns the brand of a host, or the default one.
	Brand(host string) (object.Thing, bool)
}

// Bindings knows what is bound to what.
type Bindings interface {
	// StageBindings lists the stages of a flow in their order.
	StageBindings(flow string) []object.Thing
	// PolicyBindings lists what is bound to a flow, a stage binding or a rule, given
	// its primary key, in order.
	PolicyBindings(target string) []object.Thing
	// ByTarget returns the primary key that belongs to a second identifier
	// (see [catalog.TargetID]).
	ByTarget(target string) (pk string, ok bool)
	// Referrers lists what refers to a key in one of its fields. Keys of users
	// are numbers.
	Referrers(key any) []object.Thing
}

// Mount adds the routes to r, with their full paths.
func (s *Server) Mount(r *mux.Router) {
	s.mountConfig(r)
	s.mountUsers(r)
	s.mountGroups(r)
	s.mountRoles(r)
	s.mountTokens(r)
	s.mountInvitations(r)
	s.mountConsents(r)
	s.mountLogins(r)
	s.mountAudit(r)
	s.mountBlueprints(r)
	s.mountBrands(r)
	s.mountFlows(r)
	s.mountInspector(r)
	s.mountStages(r)
	s.mountPolicies(r)
	s.mountPrompts(r)
	s.mountReputation(r)
	s.mountNotifications(r)
	s.mountTransports(r)
	s.mountSinks(r)
	s.mountKinds(r)
}
