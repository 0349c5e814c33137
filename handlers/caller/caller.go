// Package caller tells who makes a request: from the session cookie or the
// bearer token, the address and the headers. What a caller may do is decided
// elsewhere.
package caller

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/command"
)

// Callers tells who makes a request. Its methods may be called concurrently.
type Callers struct {
	Sessions *command.Handler[session.State]
	Tokens   *command.Handler[token.State]
	Cookies  Cookies
	Bearers  Bearers
	People   People
	Roles    Roles
	Network  Network
	Brand    func(baseURL string) string // id of the brand of an address; nil where there are none
	Now      func() time.Time

	mu        sync.Mutex
	confirmed map[string]bool // sessions whose new cookie was seen; guarded by mu
}

// Cookies keeps the verifiers of session cookies.
type Cookies interface {
	AddCookie(ctx context.Context, session string, generation int, expires time.Time) (string, error)
	Cookie(ctx context.Context, value string) (session string, generation int, ok bool, err error)
	Replace(ctx context.Context, old, session string, generation int, expires, graceUntil time.Time) (string, error)
	DropSession(ctx context.Context, session string) error
	DropOlder(ctx context.Context, session string, generation int) error
}

// Bearers finds bearer tokens.
type Bearers interface {
	// Bearer returns the id of the token with this key and whose it is;
	// nothing when there is no such token, or not any more.
	Bearer(ctx context.Context, key string) (id, userID string, err error)
	// Digest is the keyed hash of a text, for one purpose.
	Digest(purpose, text string) []byte
}

// People are the users.
type People interface {
	Person(ctx context.Context, id string) (user.Person, error)
}

// sessionCookie is the cookie's name, which the contract gives.
const sessionCookie = "authentik_session"

// anonymousFor is how long a session lives in which nobody logs in.
const anonymousFor = 24 * time.Hour

// Of tells who makes a request. No cookie, or one that leads nowhere, is a
// stranger; a bearer token that leads nowhere is an error, for whoever sends
// one wants to be somebody.
func (s *Callers) Of(_ http.ResponseWriter, r *http.Request) (session.Caller, error) {
	c := s.stranger(r)
	if key, given := bearer(r); given {
		return s.byToken(r.Context(), c, key)
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return c, nil
	}
	return s.byCookie(r.Context(), c, cookie.Value)
}

// stranger is the caller as far as the request itself shows one.
func (s *Callers) stranger(r *http.Request) session.Caller {
	c := session.Caller{Network: s.Network.of(r), BaseURL: s.Network.baseURL(r), Method: r.Method, Path: r.URL.Path, Now: s.Now()}
	c.Request = RequestID(r.Context())
	if s.Brand != nil {
		c.Brand = s.Brand(c.BaseURL)
	}
	if route := mux.CurrentRoute(r); route != nil {
		c.Route, _ = route.GetPathTemplate() // a route without a template has none to tell
	}
	return c
}

func bearer(r *http.Request) (string, bool) {
	scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(key), ok && strings.EqualFold(scheme, "Bearer")
}

func (s *Callers) byToken(ctx context.Context, c session.Caller, key string) (session.Caller, error) {
	id, owner, err := s.Bearers.Bearer(ctx, key)
	if err != nil {
		return c, err
	}
	if id == "" {
		return c, domain.Errorf(domain.Unauthenticated, "Token invalid/expired")
	}
	who, err := s.People.Person(ctx, owner)
	if err != nil {
		return c, err
	}
	if !who.Active {
		return c, domain.Errorf(domain.Unauthenticated, "Token invalid/expired")
	}
	known := c
	known.Token, known.User, known.Superuser = id, who.ID, who.Superuser
	if known.Granted, err = s.grants(ctx, who); err != nil {
		return c, err
	}
	state, err := s.Tokens.Handle(ctx, eventstore.Stream("token", id), token.Use{Now: c.Now}, s.meta(known))
	if err != nil {
		return c, err
	}
	if state.User != owner || state.Intent != token.API { // it was changed a moment ago
		return c, domain.Errorf(domain.Unauthenticated, "Token invalid/expired")
	}
	return limited(known, state.Scope), nil
}

// limited takes from a caller what the scope of a token does not name. A token
// without a scope is not limited.
func limited(c session.Caller, scope []string) session.Caller {
	if len(scope) == 0 {
		return c
	}
	granted := session.Grants{}
	for _, permission := range scope {
		if c.May(permission) {
			granted[permission] = true
		}
	}
	c.Superuser, c.Scoped, c.Granted = false, true, granted
	return c
}

// byCookie follows the session cookie. The session's own stream is asked, so
// that a revocation takes effect at once.
func (s *Callers) byCookie(ctx context.Context, c session.Caller, value string) (session.Caller, error) {
	id, generation, ok, err := s.Cookies.Cookie(ctx, value)
	if err != nil || !ok {
		return c, err
	}
	stream := eventstore.Stream("session", id)
	state, _, err := s.Sessions.Load(ctx, stream)
	if err != nil {
		return c, err
	}
	if !state.Living(c.Now) {
		_, err := s.Sessions.Handle(ctx, stream, session.Expire{Now: c.Now}, s.about(c, id, state))
		return c, err
	}
	if generation != state.Generation {
		return s.stale(c, id, state), nil
	}
	if broken := s.Network.broken(state, c.Network); broken != nil {
		_, err := s.Sessions.Handle(ctx, stream, *broken, s.about(c, id, state))
		return c, err
	}
	if err := s.confirm(ctx, id, state); err != nil {
		return c, err
	}
	c.Session = id
	return s.loggedIn(ctx, c, state)
}

// maxConfirmed bounds what is remembered of sessions that logged in lately.
const maxConfirmed = 10_000

// confirm takes the cookies from before a login out of the world once the new
// one has arrived where it belongs.
func (s *Callers) confirm(ctx context.Context, id string, state session.State) error {
	if state.Generation == 0 || s.Now().Sub(state.Login) > grace {
		return nil // those from before are over their time anyway
	}
	s.mu.Lock()
	known := s.confirmed[id]
	if len(s.confirmed) >= maxConfirmed || s.confirmed == nil {
		s.confirmed = map[string]bool{}
	}
	s.confirmed[id] = true
	s.mu.Unlock()
	if known {
		return nil
	}
	return s.Cookies.DropOlder(ctx, id, state.Generation)
}

// stale is a caller whose cookie is from before the login of the session. It
// proves no user; all it can do is to fetch the answer that a crash kept from
// the client, from the same address.
func (s *Callers) stale(c session.Caller, id string, state session.State) session.Caller {
	if c.Network.IP == state.IP {
		c.Session, c.Stale = id, true
	}
	return c
}

func (s *Callers) loggedIn(ctx context.Context, c session.Caller, state session.State) (session.Caller, error) {
	if state.User == "" {
		return c, nil
	}
	who, err := s.People.Person(ctx, state.User)
	if err != nil || !who.Active {
		return c, err
	}
	granted, err := s.grants(ctx, who)
	if err != nil {
		return c, err
	}
	c.User, c.Superuser, c.Granted = who.ID, who.Superuser, granted
	if !state.Unseen(c.Network.IP, c.Now) {
		return c, nil
	}
	_, err = s.Sessions.Handle(ctx, eventstore.Stream("session", c.Session), session.See{IP: c.Network.IP, Now: c.Now}, s.meta(c))
	return c, err
}

// meta says of an append to a session who caused it.
func (s *Callers) meta(c session.Caller) codec.Meta {
	m := codec.Meta{Network: c.Network, Subject: "session:" + c.Session, Time: c.Now}
	if c.User != "" {
		m.Subject = "user:" + c.User
	}
	if c.Session == "" && c.User == "" {
		m.Network, m.Subject = nil, "tenant"
	}
	m.Header.Actor = codec.Actor{Kind: "anonymous", ID: c.User, Session: c.Session, Token: c.Token}
	switch {
	case c.Superuser:
		m.Header.Actor.Kind = "admin"
	case c.User != "":
		m.Header.Actor.Kind = "user"
	}
	m.Header.Request = codec.Request{ID: c.Request, Method: c.Method, Route: c.Route}
	m.Header.Brand = c.Brand
	m.Header.Correlation = c.Request
	return m
}

// about says of an append to a session whose cookie proves nobody any more
// that a stranger came with it. What is recorded of the network is of the
// session's user all the same.
func (s *Callers) about(c session.Caller, id string, state session.State) codec.Meta {
	c.Session = id
	m := s.meta(c)
	if state.User != "" {
		m.Subject = "user:" + state.User
	}
	return m
}

// Begin makes a session for a caller who has none, and sets its cookie. A
// crash in between leaves a session that no cookie leads to; it ends unused.
func (s *Callers) Begin(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	if c.Session != "" {
		return nil
	}
	fresh := *c
	fresh.Session = uuid.Must(uuid.NewV7()).String()
	expires := c.Now.Add(anonymousFor)
	begin := session.Begin{Kind: "browser", Now: c.Now, Expires: expires}
	if c.Token != "" {
		begin.Kind = "api"
	}
	if _, err := s.Sessions.Handle(r.Context(), eventstore.Stream("session", fresh.Session), begin, s.meta(fresh)); err != nil {
		return err
	}
	value, err := s.Cookies.AddCookie(r.Context(), fresh.Session, 0, expires)
	if err != nil {
		return err
	}
	*c = fresh
	s.setCookie(w, r, value, time.Time{})
	s.setCSRF(w, r, fresh.Session)
	return nil
}

// grace is how long the cookie from before a login leads to the session still:
// a client whose last answer was lost in a crash asks again with it.
const grace = time.Minute

// Renew gives a session a new identifier after a login or a logout. A crash before the
// cookie is set leaves the client with the old one, which leads back here.
func (s *Callers) Renew(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	state, _, err := s.Sessions.Load(r.Context(), eventstore.Stream("session", c.Session))
	if err != nil || !state.Living(c.Now) {
		return err
	}
	old := ""
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		old = cookie.Value
	}
	value, err := s.Cookies.Replace(r.Context(), old, c.Session, state.Generation, state.Expires, c.Now.Add(grace))
	if err != nil {
		return err
	}
	c.User, c.Stale = state.User, false
	expires := state.Expires
	if state.Browser || state.User == "" {
		expires = time.Time{}
	}
	s.setCookie(w, r, value, expires)
	s.setCSRF(w, r, c.Session)
	return nil
}

// End takes the cookies away and forgets what they led to.
func (s *Callers) End(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	if err := s.Cookies.DropSession(r.Context(), c.Session); err != nil {
		return err
	}
	s.setCookie(w, r, "", time.Unix(1, 0))
	c.Session, c.User, c.Superuser, c.Granted = "", "", false, nil
	return nil
}

// setCookie sets the session cookie; one without an end lasts as long as the
// browser.
func (s *Callers) setCookie(w http.ResponseWriter, r *http.Request, value string, expires time.Time) {
	cookie := http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, Secure: s.Network.Secure(r), SameSite: http.SameSiteLaxMode,
	}
	if !expires.IsZero() {
		cookie.Expires = expires
		cookie.MaxAge = max(int(expires.Sub(s.Now()).Round(time.Second).Seconds()), 0)
		if cookie.MaxAge == 0 {
			cookie.MaxAge = -1
		}
	}
	http.SetCookie(w, &cookie)
}
