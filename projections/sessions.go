package projections

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Sessions are the browser sessions that have not ended.
type Sessions struct {
	uncached
	views *Views
}

// NewSessions makes the read model.
func NewSessions(v *Views) *Sessions { return &Sessions{views: v} }

// Name implements [Projection].
func (*Sessions) Name() string { return "sessions" }

// Schema implements [Projection].
func (*Sessions) Schema() string {
	return `-- 1
		CREATE TABLE sessions(
			id         TEXT PRIMARY KEY,
			kind       TEXT NOT NULL,
			user       TEXT NOT NULL DEFAULT '',
			generation INTEGER NOT NULL DEFAULT 0,
			begun      INTEGER NOT NULL,
			login      INTEGER NOT NULL DEFAULT 0,
			seen       INTEGER NOT NULL,
			expires    INTEGER NOT NULL,
			browser    INTEGER NOT NULL DEFAULT 0,
			over       INTEGER NOT NULL DEFAULT 0,
			ip         TEXT NOT NULL DEFAULT '',
			agent      TEXT NOT NULL DEFAULT ''
		) WITHOUT ROWID;
		CREATE INDEX sessions_by_user ON sessions(user, seen);
		CREATE INDEX sessions_by_over ON sessions(over)`
}

// Needs implements [Projection].
func (*Sessions) Needs(e eventstore.Recorded) Need {
	switch {
	case e.Stream.Category() == "session":
		return Sealed
	case e.Type == (key.EpochKeyDestroyed{}).EventType():
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Sessions) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	var err error
	switch event := e.Event.(type) {
	case session.SessionBegun:
		err = exec(conn, "INSERT OR REPLACE INTO sessions(id, kind, begun, seen, expires) VALUES(?, ?, ?, ?, ?)",
			id, event.Kind, micros(event.Begun), micros(event.Begun), micros(event.Expires))
	case session.SessionAuthenticated:
		err = exec(conn, `UPDATE sessions SET user = ?, login = ?, seen = ?, expires = ?, browser = ?,
			ip = coalesce(nullif(?, ''), ip), generation = generation + 1 WHERE id = ?`,
			event.User, micros(event.Login), micros(event.Login), micros(event.Expires), event.Browser, event.IP, id)
	case session.SessionSeen:
		err = exec(conn, "UPDATE sessions SET seen = ? WHERE id = ?", micros(event.At), id)
	case session.SessionEnded:
		return exec(conn, "DELETE FROM sessions WHERE id = ?", id)
	case key.EpochKeyDestroyed:
		return forgetWhence(conn, event)
	}
	if err != nil {
		return err
	}
	n := networkOf(e)
	return exec(conn, `UPDATE sessions SET ip = coalesce(nullif(?, ''), ip), agent = coalesce(nullif(?, ''), agent),
		over = min(expires, seen + iif(browser, ?, ?)) WHERE id = ?`,
		n.IP, n.UserAgent, session.IdleBrowser.Microseconds(), session.IdleKept.Microseconds(), id)
}

// forgetWhence drops where sessions came from that nobody has used since a
// month whose networks are forgotten.
func forgetWhence(conn *sqlite.Conn, e key.EpochKeyDestroyed) error {
	month, err := retention.EpochStart(e.Epoch)
	if err != nil || e.Class != string(rune(domain.Network)) {
		return err
	}
	return exec(conn, "UPDATE sessions SET ip = '', agent = '' WHERE seen < ?", micros(month.AddDate(0, 1, 0)))
}

// networkOf returns where an append came from, as far as that event carries it
// and it is not forgotten. One that does not read is none: a newer program may
// keep more there.
func networkOf(e codec.Decoded) (n session.Network) {
	_ = json.Unmarshal(e.Network, &n)
	return n
}

// A Session is a browser session as lists show it.
type Session struct {
	ID         string
	Kind       string
	User       string // id; empty for nobody
	Generation int
	Begun      time.Time
	Login      time.Time // zero for nobody
	Seen       time.Time
	Expires    time.Time
	Browser    bool // its cookie ends with the browser
	IP         string
	UserAgent  string
}

// A SessionFilter says which sessions are wanted. What is empty does not
// matter.
type SessionFilter struct {
	ID, User, IP, Agent string
	LoggedIn            bool      // somebody is
	Search              string    // words of the user's name, the address or the browser
	Order               string    // a field of the contract, with a minus in front to turn it around; else the last used first
	At                  time.Time // sessions whose time is over by then, or that idle too long, are not wanted
}

// sessionUser is the name of a session's user, as lists order it.
const sessionUser = "coalesce((SELECT username_folded FROM users WHERE users.id = sessions.user), '')"

// sessionOrder are the columns that lists can be ordered by, as the contract
// names them.
var sessionOrder = map[string]string{
	"user__username": sessionUser, "session__last_ip": "ip", "session__last_user_agent": "agent", "session__last_used": "seen",
	"session__expires": "expires", "last_ip": "ip", "last_user_agent": "agent", "last_used": "seen", "expires": "expires", "uuid": "id",
}

// List returns the sessions that f wants, and how many there are on all pages.
func (v *Sessions) List(ctx context.Context, f SessionFilter, p Page) ([]Session, int, error) {
	var w where
	w.equal("id", f.ID)
	w.equal("user", f.User)
	w.equal("ip", f.IP)
	w.equal("agent", f.Agent)
	for _, word := range wordsOf(f.Search) {
		// The users with such a name are looked for once, not for each session.
		w.add("(instr(lower(ip || char(10) || agent), ?) > 0 OR user IN (SELECT id FROM users WHERE instr(username_folded, ?) > 0))", word, word)
	}
	if f.LoggedIn {
		w.add("user <> ''")
	}
	if !f.At.IsZero() {
		w.add("over > ?", micros(f.At))
	}
	total, err := v.views.count(ctx, "sessions", "SELECT count(*) FROM sessions"+w.sql(), w.args)
	if err != nil || p.behind(total) {
		return nil, total, err
	}
	var sessions []Session
	name, descending := strings.CutPrefix(f.Order, "-")
	order := sessionOrder[name] + direction(descending)
	if sessionOrder[name] == "" {
		order = "seen DESC"
	}
	q := "SELECT * FROM sessions" + w.sql() + " ORDER BY " + order + ", id" + p.sql()
	err = v.views.read(ctx, "sessions", q, w.args, func(s *sqlite.Stmt) error {
		sessions = append(sessions, Session{
			ID: s.GetText("id"), Kind: s.GetText("kind"), User: s.GetText("user"), Generation: int(s.GetInt64("generation")),
			Begun: timeAt(s, "begun"), Login: timeAt(s, "login"), Seen: timeAt(s, "seen"), Expires: timeAt(s, "expires"),
			Browser: s.GetBool("browser"), IP: s.GetText("ip"), UserAgent: s.GetText("agent"),
		})
		return nil
	})
	return sessions, total, err
}

// ByID returns a session that has not ended.
func (v *Sessions) ByID(ctx context.Context, id string) (Session, bool, error) {
	if id == "" {
		return Session{}, false, nil
	}
	found, _, err := v.List(ctx, SessionFilter{ID: id}, Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return Session{}, false, err
	}
	return found[0], true, nil
}

// Living returns the sessions in which a user is logged in at a moment.
func (v *Sessions) Living(ctx context.Context, userID string, now time.Time) ([]stage.OtherSession, error) {
	if userID == "" {
		return nil, nil
	}
	found, _, err := v.List(ctx, SessionFilter{User: userID, At: now}, Page{})
	others := make([]stage.OtherSession, len(found))
	for i, s := range found {
		others[i] = stage.OtherSession{ID: s.ID, IP: s.IP}
	}
	return others, err
}

// Due returns the ids of sessions whose time is over, the first first.
func (v *Sessions) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return v.views.ids(ctx, "sessions", "SELECT id FROM sessions WHERE over <= ? ORDER BY over, id LIMIT ?", micros(now), limit)
}
