package projections

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Tokens are the tokens that work, or would if their time were not over. The
// digests in them are keyed, so the file alone leads to no secret.
type Tokens struct {
	uncached
	views *Views
}

// NewTokens makes the read model.
func NewTokens(v *Views) *Tokens { return &Tokens{views: v} }

// Name implements [Projection].
func (*Tokens) Name() string { return "tokens" }

// Schema implements [Projection].
func (*Tokens) Schema() string {
	return `-- 2
		CREATE TABLE tokens(
			id                  TEXT PRIMARY KEY,
			digest              TEXT NOT NULL,
			identifier          TEXT NOT NULL,
			folded              TEXT NOT NULL,
			intent              TEXT NOT NULL,
			flow                TEXT NOT NULL,
			user                TEXT NOT NULL,
			description         TEXT NOT NULL,
			expires             INTEGER NOT NULL,
			expiring            INTEGER NOT NULL,
			scope               TEXT NOT NULL,
			revoke_on_execution INTEGER NOT NULL,
			created             INTEGER NOT NULL,
			last_used           INTEGER NOT NULL DEFAULT 0
		) WITHOUT ROWID;
		CREATE INDEX tokens_by_digest ON tokens(digest);
		CREATE INDEX tokens_by_identifier ON tokens(identifier);
		CREATE INDEX tokens_by_user ON tokens(user);
		CREATE INDEX tokens_by_expires ON tokens(expires)`
}

// Needs implements [Projection]. What a token begins with is sealed, and what
// it is changed to.
func (*Tokens) Needs(e eventstore.Recorded) Need {
	switch {
	case e.Type == token.TokenCreated{}.EventType(), e.Type == token.TokenChanged{}.EventType(), e.Type == token.TokenRotated{}.EventType():
		return Sealed
	case e.Stream.Category() == "token", e.Type == user.UserDeleted{}.EventType():
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (t *Tokens) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case token.TokenCreated:
		return exec(conn, `INSERT OR REPLACE INTO tokens(id, digest, identifier, folded, intent, flow, user, description, expires,
			expiring, scope, revoke_on_execution, created) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, event.Digest.Reveal(), event.Identifier, foldToken(event.Identifier, event.Description), event.Intent, event.Flow, event.User,
			event.Description, micros(event.Expires), event.Expiring, strings.Join(event.Scope, " "), event.RevokeOnExecution, micros(e.RecordedAt))
	case token.TokenChanged:
		return exec(conn, `UPDATE tokens SET identifier = ?, folded = ?, intent = ?, user = ?, description = ?, expires = ?, expiring = ?,
			scope = ? WHERE id = ?`, event.To.Identifier, foldToken(event.To.Identifier, event.Description), event.To.Intent, event.To.User,
			event.Description, micros(event.To.Expires), event.To.Expiring, strings.Join(event.To.Scope, " "), id)
	case token.TokenRotated:
		return exec(conn, "UPDATE tokens SET digest = ? WHERE id = ?", event.Digest.Reveal(), id)
	case token.TokenUsed:
		if event.Last {
			return exec(conn, "DELETE FROM tokens WHERE id = ?", id)
		}
		return exec(conn, "UPDATE tokens SET last_used = ? WHERE id = ?", micros(event.At), id)
	case token.TokenRevoked, token.TokenExpired:
		return exec(conn, "DELETE FROM tokens WHERE id = ?", id)
	case user.UserDeleted:
		return exec(conn, "DELETE FROM tokens WHERE user = ?", id)
	}
	return nil
}

// foldToken is what a search looks into.
func foldToken(identifier, description string) string { return fold(identifier + "\n" + description) }

// A Token is a token as lists show it.
type Token struct {
	ID                string
	Identifier        string
	Intent            string
	Flow              string // id; empty unless the token leads into a flow
	User              string // id
	Description       string
	Expires           time.Time
	Expiring          bool
	Scope             []string // permissions, app.codename; none for no limit
	RevokeOnExecution bool
	Created           time.Time
	LastUsed          time.Time // zero for never
}

// A TokenFilter says which tokens are wanted. What is empty does not matter.
type TokenFilter struct {
	ID, Identifier, Intent, User string
	Description                  string
	Expires                      time.Time
	Expiring                     *bool
	Search                       string    // words of the identifier or the description
	At                           time.Time // tokens whose time is over by then are not wanted
}

// tokenOrder are the columns that lists can be ordered by, as the contract
// names them.
var tokenOrder = map[string]string{
	"identifier": "identifier", "intent": "intent", "user__username": "(SELECT username FROM users WHERE users.id = tokens.user)",
	"description": "description", "expires": "expires", "expiring": "expiring", "last_used": "last_used", "pk": "id",
}

// List returns the tokens that f wants, and how many there are on all pages.
// Order is a field of the contract, with a minus in front to turn it around;
// one that is unknown orders by identifier.
func (t *Tokens) List(ctx context.Context, f TokenFilter, order string, p Page) ([]Token, int, error) {
	var w where
	w.equal("id", f.ID)
	w.equal("identifier", f.Identifier)
	w.equal("intent", f.Intent)
	w.equal("user", f.User)
	w.equal("description", f.Description)
	if !f.Expires.IsZero() {
		w.add("expires = ?", micros(f.Expires))
	}
	if f.Expiring != nil {
		w.add("expiring = ?", *f.Expiring)
	}
	w.search(f.Search, "folded")
	w.valid(f.At)
	total, err := t.views.count(ctx, "tokens", "SELECT count(*) FROM tokens"+w.sql(), w.args)
	if err != nil || p.behind(total) {
		return nil, total, err
	}
	name, descending := strings.CutPrefix(order, "-")
	column := tokenOrder[name]
	if column == "" {
		column = "identifier"
	}
	tokens, err := t.find(ctx, w, " ORDER BY "+w.through(total)+column+direction(descending)+", id"+p.sql())
	return tokens, total, err
}

// ByDigest returns the token with this keyed digest, in the form that
// TokenCreated has it, if it works at this moment.
func (t *Tokens) ByDigest(ctx context.Context, digest string, now time.Time) (Token, bool, error) {
	if digest == "" {
		return Token{}, false, nil
	}
	var w where
	w.equal("digest", digest)
	w.valid(now)
	found, err := t.find(ctx, w, " LIMIT 1")
	if err != nil || len(found) == 0 {
		return Token{}, false, err
	}
	return found[0], true, nil
}

// Due returns the ids of tokens whose time is over, the first first.
func (t *Tokens) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return t.views.ids(ctx, "tokens", "SELECT id FROM tokens WHERE expiring AND expires <= ? ORDER BY expires, id LIMIT ?",
		micros(now), limit)
}

func (t *Tokens) find(ctx context.Context, w where, end string) ([]Token, error) {
	var tokens []Token
	err := t.views.read(ctx, "tokens", "SELECT * FROM tokens"+w.sql()+end, w.args, func(s *sqlite.Stmt) error {
		tokens = append(tokens, Token{
			ID: s.GetText("id"), Identifier: s.GetText("identifier"), Intent: s.GetText("intent"), Flow: s.GetText("flow"),
			User: s.GetText("user"), Description: s.GetText("description"), Expires: timeAt(s, "expires"),
			Expiring: s.GetBool("expiring"), Scope: scopeAt(s), RevokeOnExecution: s.GetBool("revoke_on_execution"),
			Created: timeAt(s, "created"), LastUsed: timeAt(s, "last_used"),
		})
		return nil
	})
	return tokens, err
}

// valid wants what has not expired at a moment, unless that is zero.
func (w *where) valid(at time.Time) {
	if !at.IsZero() {
		w.add("(NOT expiring OR expires > ?)", micros(at))
	}
}

// scopeAt reads what a token is limited to; nil for no limit.
func scopeAt(s *sqlite.Stmt) []string {
	if text := s.GetText("scope"); text != "" {
		return strings.Fields(text)
	}
	return nil
}
