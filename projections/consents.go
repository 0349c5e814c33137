package projections

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Consents are the consents that stand, or would if their time were not over.
type Consents struct {
	uncached
	views *Views
}

// NewConsents makes the read model.
func NewConsents(v *Views) *Consents { return &Consents{views: v} }

// Name implements [Projection].
func (*Consents) Name() string { return "consents" }

// Schema implements [Projection].
func (*Consents) Schema() string {
	return `-- 1
		CREATE TABLE consents(
			id          TEXT PRIMARY KEY,
			key         INTEGER NOT NULL,
			user        TEXT NOT NULL,
			application TEXT NOT NULL,
			name        TEXT NOT NULL,
			slug        TEXT NOT NULL,
			permissions TEXT NOT NULL,
			expires     INTEGER NOT NULL
		) WITHOUT ROWID;
		CREATE INDEX consents_by_user ON consents(user);
		CREATE INDEX consents_by_key ON consents(key)`
}

// Needs implements [Projection].
func (*Consents) Needs(e eventstore.Recorded) Need {
	switch e.Stream.Category() {
	case "consent", "user":
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Consents) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case consent.ConsentGranted:
		a := event.Application
		return exec(conn, `INSERT OR REPLACE INTO consents(id, key, user, application, name, slug, permissions, expires)
			VALUES(?, ?, ?, ?, ?, ?, ?, ?)`, id, event.Key, event.User, a.ID, a.Name, a.Slug, strings.Join(event.Permissions, " "), micros(event.Expires))
	case consent.ConsentExpired, consent.ConsentRevoked:
		return exec(conn, "DELETE FROM consents WHERE id = ?", id)
	case user.UserDeleted:
		return exec(conn, "DELETE FROM consents WHERE user = ?", id)
	}
	return nil
}

// A Consent is a consent as lists show it.
type Consent struct {
	ID          string // of the stream
	Key         int
	User        string // id
	Application consent.Application
	Permissions string    // with spaces between
	Expires     time.Time // zero for never
}

// A ConsentFilter says which consents are wanted. What is empty does not
// matter.
type ConsentFilter struct {
	User, Application string
	Key               int
	At                time.Time // consents whose time is over by then are not wanted
}

// List returns the consents that f wants, by key, and how many there are on
// all pages.
func (c *Consents) List(ctx context.Context, f ConsentFilter, p Page) ([]Consent, int, error) {
	var w where
	w.equal("user", f.User)
	w.equal("application", f.Application)
	if f.Key != 0 {
		w.add("key = ?", f.Key)
	}
	w.add("(expires = 0 OR expires > ?)", micros(f.At))
	total, err := c.views.count(ctx, "consents", "SELECT count(*) FROM consents"+w.sql(), w.args)
	if err != nil {
		return nil, 0, err
	}
	var out []Consent
	err = c.views.read(ctx, "consents", "SELECT * FROM consents"+w.sql()+" ORDER BY key"+p.sql(), w.args, func(s *sqlite.Stmt) error {
		out = append(out, Consent{
			ID: s.GetText("id"), Key: int(s.GetInt64("key")), User: s.GetText("user"),
			Application: consent.Application{ID: s.GetText("application"), Name: s.GetText("name"), Slug: s.GetText("slug")},
			Permissions: s.GetText("permissions"), Expires: timeAt(s, "expires"),
		})
		return nil
	})
	return out, total, err
}

// Due returns the ids of consents whose time is over, the first first.
func (c *Consents) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return c.views.ids(ctx, "consents", "SELECT id FROM consents WHERE expires > 0 AND expires <= ? ORDER BY expires, id LIMIT ?", micros(now), limit)
}
