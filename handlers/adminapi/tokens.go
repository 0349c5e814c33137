package adminapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
)

// Keys are the tokens, and the keys of new ones.
type Keys interface {
	// Tokens returns a page of the tokens that f wants, by identifier, and how
	// many there are on all pages.
	Tokens(ctx context.Context, f TokenFilter, descending bool, p Page) ([]Token, int, error)
	// Mint makes the key of a new token, and the keyed digest that is stored.
	Mint() (key string, digest domain.Secret)
	// Drop destroys the key of what a token that is over kept for later.
	Drop(ctx context.Context, id string) error
	// Recover makes a link that leads a user into a flow, and returns it, or
	// mails it if there is a stage to do so.
	Recover(ctx context.Context, c session.Caller, r Recovery) (link string, err error)
}

// A Token is a token as lists show one. Its key is known to nobody here.
type Token struct {
	ID          string
	Identifier  string
	Intent      string
	User        string // id
	Description string
	Expires     time.Time
	Expiring    bool
}

// A TokenFilter says which tokens are wanted. What is empty does not matter.
type TokenFilter struct {
	Identifier, Intent, User string
	Search                   string // words of the identifier
}

// mountTokens adds the tokens. They are addressed by their identifiers, which
// people choose.
func (s *Server) mountTokens(r *mux.Router) {
	const path = "core/tokens/"
	s.route(r, path, of("authentik_core.token"), verbs{http.MethodGet: s.listTokens, http.MethodPost: s.createToken})
	s.route(r, path+"{key}/", of("authentik_core.token"), verbs{http.MethodGet: s.getToken, http.MethodDelete: s.deleteToken})
	s.route(r, path+"{key}/view_key/", action("authentik_core.view_token_key"), verbs{http.MethodGet: s.viewKey})
	s.route(r, path+"{key}/used_by/", of("authentik_core.token"), verbs{http.MethodGet: s.tokenUses})
}

func (s *Server) listTokens(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f := TokenFilter{Identifier: q.Get("identifier"), Intent: q.Get("intent"), Search: q.Get("search")}
	if name := q.Get("user__username"); name != "" {
		u, ok, err := s.userNamed(r.Context(), name)
		if err != nil {
			return err
		}
		if !ok {
			return writeList(w, pg, 0, nil)
		}
		f.User = u.ID
	}
	found, total, err := s.Keys.Tokens(r.Context(), f, q.Get("ordering") == "-identifier", pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, t := range found {
		shown, err := s.showToken(r.Context(), t)
		if err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, total, results)
}

// showToken shows a token with its owner.
func (s *Server) showToken(ctx context.Context, t Token) (map[string]any, error) {
	u, _, err := s.People.UserByID(ctx, t.User)
	return map[string]any{
		"pk": t.ID, "managed": nil, "identifier": t.Identifier, "intent": t.Intent, "user": u.Key, "user_obj": fullUser(u),
		"description": t.Description, "expires": moment(t.Expires), "expiring": t.Expiring,
	}, err
}

// tokenNamed returns the token with exactly this identifier.
func (s *Server) tokenNamed(ctx context.Context, identifier string) (Token, bool, error) {
	found, _, err := s.Keys.Tokens(ctx, TokenFilter{Identifier: identifier}, false, Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return Token{}, false, err
	}
	return found[0], true, nil
}

// findToken returns the token that the path names.
func (s *Server) findToken(r *http.Request) (Token, error) {
	t, ok, err := s.tokenNamed(r.Context(), mux.Vars(r)["key"])
	if err == nil && !ok {
		err = notFound("Token")
	}
	return t, err
}

func (s *Server) getToken(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	t, err := s.findToken(r)
	if err != nil {
		return err
	}
	shown, err := s.showToken(r.Context(), t)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown)
}

// tokenUses is always empty: nothing refers to tokens.
func (s *Server) tokenUses(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	if _, err := s.findToken(r); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}

// viewKey cannot show what is not kept: the key stood in the answer to the
// request that made the token, and only there.
func (s *Server) viewKey(_ http.ResponseWriter, r *http.Request, _ session.Caller) error {
	if _, err := s.findToken(r); err != nil {
		return err
	}
	return domain.Errorf(domain.Forbidden, "A token's key is shown once, when the token is made. It is not kept and cannot be shown again.")
}

// deleteToken revokes a token; it proves nobody from then on.
func (s *Server) deleteToken(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.findToken(r)
	if err != nil {
		return err
	}
	_, err = s.Tokens.Handle(r.Context(), eventstore.Stream("token", t.ID), token.Revoke{By: c.User, Cause: "admin"}, s.meta(c, "user:"+t.User))
	if err != nil {
		return err
	}
	if err := s.Keys.Drop(r.Context(), t.ID); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}
