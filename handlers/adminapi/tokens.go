package adminapi

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
)

// Keys are the tokens, and the keys of new ones.
type Keys interface {
	// Tokens returns a page of the tokens that f wants, and how many there are
	// on all pages. Order is a field of the contract, with a minus in front to
	// turn it around; one that is unknown orders by identifier.
	Tokens(ctx context.Context, f TokenFilter, order string, p Page) ([]Token, int, error)
	// Mint makes the key of a new token, and the keyed digest that is stored.
	Mint() (key string, digest domain.Secret)
	// Digest is what is stored of a key.
	Digest(key domain.Secret) domain.Secret
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
	Scope       []string  // permissions, app.codename; none for no limit
	LastUsed    time.Time // zero for never
}

// A TokenFilter says which tokens are wanted. What is empty does not matter.
type TokenFilter struct {
	Identifier, Intent, User, Description string
	Expires                               time.Time
	Expiring                              *bool
	Search                                string // words of the identifier or the description
}

// mountTokens adds the tokens. They are addressed by their identifiers, which
// people choose. Everybody has their own; each endpoint sees to that.
func (s *Server) mountTokens(r *mux.Router) {
	const path = "core/tokens/"
	s.route(r, path, ownOr(token.Model), verbs{http.MethodGet: s.listTokens, http.MethodPost: s.createToken})
	s.edit(r, path+"{key}/", ownOr(token.Model), verbs{
		http.MethodGet: s.getToken, http.MethodPut: s.changeToken(false), http.MethodPatch: s.changeToken(true), http.MethodDelete: s.deleteToken,
	})
	s.route(r, path+"{key}/set_key/", action("authentik_core.set_token_key"), verbs{http.MethodPost: s.setKey})
	s.route(r, path+"{key}/view_key/", action("authentik_core.view_token_key"), verbs{http.MethodGet: s.viewKey})
	s.route(r, path+"{key}/used_by/", ownOr(token.Model), verbs{http.MethodGet: s.tokenUses})
}

// listTokens shows everybody their own tokens, and all to those who may see
// all.
func (s *Server) listTokens(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f, err := tokenFilter(q)
	if err != nil {
		return err
	}
	none := q.Get("managed") != "" // nothing manages tokens here
	if name := q.Get("user__username"); name != "" {
		u, ok, err := s.userNamed(r.Context(), name)
		if err != nil {
			return err
		}
		f.User, none = u.ID, none || !ok
	}
	if !c.May(ownOr(token.Model).needs(http.MethodGet)) {
		none = none || f.User != "" && f.User != c.User
		f.User = c.User
	}
	if none {
		return writeList(w, pg, 0, nil)
	}
	found, total, err := s.Keys.Tokens(r.Context(), f, q.Get("ordering"), pg.page())
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

// tokenFilter reads the filters of a list of tokens.
func tokenFilter(q url.Values) (TokenFilter, error) {
	f := TokenFilter{
		Identifier: q.Get("identifier"), Intent: q.Get("intent"), Description: q.Get("description"), Search: q.Get("search"),
		Expiring: boolParam(q, "expiring"),
	}
	var problems catalog.Problems
	if f.Intent != "" && !slices.Contains([]string{token.Verification, token.API, token.Recovery, token.AppPassword}, f.Intent) {
		problems.Add("intent", "Select a valid choice. %s is not one of the available choices.", cut(f.Intent))
	}
	if text := q.Get("expires"); text != "" {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			problems.Add("expires", "Enter a valid date/time.")
		}
		f.Expires = at
	}
	return f, problems.Err()
}

// showToken shows a token with its owner.
func (s *Server) showToken(ctx context.Context, t Token) (map[string]any, error) {
	u, _, err := s.People.UserByID(ctx, t.User)
	return map[string]any{
		"pk": t.ID, "managed": nil, "identifier": t.Identifier, "intent": t.Intent, "user": u.Key, "user_obj": fullUser(u),
		"description": t.Description, "expires": moment(t.Expires), "expiring": t.Expiring,
		// The contract has neither of these.
		"scope": limits(t.Scope), "last_used": moment(t.LastUsed),
	}, err
}

// limits are the permissions that a token is limited to, null for no limit.
func limits(scope []string) any {
	if len(scope) == 0 {
		return nil
	}
	return scope
}

// writeToken waits for what was written, and shows the token, with more.
func (s *Server) writeToken(w http.ResponseWriter, r *http.Request, status int, identifier string, more map[string]any) error {
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	t, ok, err := s.tokenNamed(r.Context(), identifier)
	if err == nil && !ok {
		err = notFound("Token")
	}
	if err != nil {
		return err
	}
	return s.showTokenAs(w, r, status, t, more)
}

// showTokenAs shows a token, with more beside it, and as of which revision.
func (s *Server) showTokenAs(w http.ResponseWriter, r *http.Request, status int, t Token, more map[string]any) error {
	as, err := s.tagged(r.Context(), "token", t.ID)
	if err != nil {
		return err
	}
	// It may have changed between the two looks, and its name with it.
	now, ok, err := s.tokenNamed(r.Context(), t.Identifier)
	if err == nil && (!ok || now.ID != t.ID) {
		err = notFound("Token")
	}
	if err != nil {
		return err
	}
	shown, err := s.showToken(r.Context(), now)
	if err != nil {
		return err
	}
	maps.Copy(shown, more)
	as.show(w)
	return writeJSON(w, status, shown)
}

// tokenNamed returns the token with exactly this identifier.
func (s *Server) tokenNamed(ctx context.Context, identifier string) (Token, bool, error) {
	found, _, err := s.Keys.Tokens(ctx, TokenFilter{Identifier: identifier}, "", Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return Token{}, false, err
	}
	return found[0], true, nil
}

// findToken returns the token that the path names, if it is the caller's own
// or they may do with others' what they ask for.
func (s *Server) findToken(r *http.Request, c session.Caller) (Token, error) {
	t, ok, err := s.tokenNamed(r.Context(), mux.Vars(r)["key"])
	if err == nil && (!ok || t.User != c.User && !c.May(ownOr(token.Model).needs(r.Method))) {
		err = notFound("Token")
	}
	return t, err
}

func (s *Server) getToken(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.findToken(r, c)
	if err != nil {
		return err
	}
	return s.showTokenAs(w, r, http.StatusOK, t, nil)
}

// tokenUses is always empty: nothing refers to tokens.
func (s *Server) tokenUses(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	if _, err := s.findToken(r, c); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}

// viewKey cannot show what is not kept: the key stood in the answer to the
// request that made the token, and only there.
func (s *Server) viewKey(_ http.ResponseWriter, r *http.Request, c session.Caller) error {
	if _, err := s.findToken(r, c); err != nil {
		return err
	}
	return domain.Errorf(domain.Forbidden, "A token's key is shown once, when the token is made. It is not kept and cannot be shown again.")
}
