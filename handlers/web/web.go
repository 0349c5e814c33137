// Package web serves the pages that people see: flows in the browser, a
// person's own page, and the paths that lead to them. Everything is rendered
// here on the server and works without scripts, captchas excepted; what a flow
// does next is decided behind the interfaces below, never here.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/openapi"
)

// A Server serves the pages. Brands and API may be nil; the other fields may
// not.
type Server struct {
	Callers Callers
	Forgery Forgery
	Flows   Flows
	Account Account
	Brands  Brands
	API     func() *openapi.Document // to be shown to those who call it; nil for none
	Log     *slog.Logger
}

// Callers knows who a request comes from, and owns the session cookie.
type Callers interface {
	// Of resolves the cookies of r. No cookie, or one that proves nothing, is
	// not an error: the answer is a caller without a session or a user.
	Of(w http.ResponseWriter, r *http.Request) (session.Caller, error)

	// Begin makes a session for a caller who has none, sets its cookie, and
	// writes the session into c.
	Begin(w http.ResponseWriter, r *http.Request, c *session.Caller) error

	// Renew gives the session of c a new identifier, and sets its cookie.
	Renew(w http.ResponseWriter, r *http.Request, c *session.Caller) error

	// End takes the cookie away. The session itself is over already.
	End(w http.ResponseWriter, r *http.Request, c *session.Caller) error
}

// Forgery tells a form that we rendered from one that another site made: the
// token is in a cookie and in the form, and a stranger can read neither.
type Forgery interface {
	// Token returns the token of this browser, and sets its cookie if need be.
	// It is called before anything of the body is written.
	Token(w http.ResponseWriter, r *http.Request) string

	// Check fails with Forbidden unless token is the one in the cookie of r.
	Check(r *http.Request, token string) error
}

// Flows runs flows for a caller.
type Flows interface {
	// Visit fetches or answers a challenge. It fails with NotFound when there
	// is no such flow. An execution that is unknown, over or somebody else's
	// is answered with a fresh one, named in the answer.
	Visit(ctx context.Context, v execution.Visit) (execution.Answer, error)

	// Default returns the slug of the flow of this designation that c is to
	// use, or fails with NotFound.
	Default(ctx context.Context, designation string, c session.Caller) (slug string, err error)

	// Configure returns the slug of the flow in which c sets up this stage, or
	// fails with NotFound. The query is the one with which its page will open.
	Configure(ctx context.Context, stage string, query url.Values, c session.Caller) (slug string, err error)

	// Offers lists the flows in which c may change something of their own.
	Offers(ctx context.Context, c session.Caller) (Offers, error)

	// Cancel drops the executions that are under way in the session of c.
	Cancel(ctx context.Context, c session.Caller) error
}

// Account answers what people may see and change about themselves.
type Account interface {
	Profile(ctx context.Context, user string) (Profile, error)
	// Sessions returns the live sessions of user, the last used first.
	Sessions(ctx context.Context, user string) ([]Session, error)
	// SignIns returns the newest attempts to sign in as user, at most limit.
	SignIns(ctx context.Context, user string, limit int) ([]SignIn, error)
	// Tokens returns the tokens of user, by their names.
	Tokens(ctx context.Context, user string) ([]Token, error)
	// Revoke ends a session of the user of c. It fails with NotFound when the
	// session is somebody else's.
	Revoke(ctx context.Context, c session.Caller, id string) error
}

// Brands knows what the site calls itself.
type Brands interface {
	Title(ctx context.Context, c session.Caller) string
}

// A Profile is what a person's own page says about them.
type Profile struct {
	Username string
	Name     string
	Email    string
	Avatar   string // path or data URI of a picture; empty for none
}

// Offers are what a person's own page leads to.
type Offers struct {
	Change []Offer // profile, password, whatever stages can be set up
	Leave  string  // path of the flow that deletes the account; empty for none
}

// An Offer is a flow in which a person changes something of their own.
type Offer struct {
	Title string
	Path  string
}

// A Session is a browser in which the user is logged in.
type Session struct {
	ID        string
	IP        string
	Place     string // of that address, in words; empty where nobody knows
	UserAgent string
	LastUsed  time.Time
	Expires   time.Time // zero: when the browser closes
}

// A Token proves somebody without a browser.
type Token struct {
	Name     string
	Password bool      // it works as a password; else for the API
	Limited  bool      // to some permissions
	LastUsed time.Time // zero: never
	Expires  time.Time // zero: never
}

// A SignIn is one attempt to sign in.
type SignIn struct {
	Time      time.Time
	Succeeded bool
	IP        string
	Place     string // of that address, in words; empty where nobody knows
	UserAgent string
	Method    string // as the ledger names it, such as password or auth_mfa; may be empty
}

// Mount adds the routes of the pages to m.
func (s *Server) Mount(m *mux.Router) {
	s.mountAssets(m)
	pages := m.NewRoute().Subrouter().StrictSlash(true)
	s.mountEntries(pages)
	s.mountFlow(pages)
	s.mountAccount(pages)
	s.mountAPI(pages)
}
