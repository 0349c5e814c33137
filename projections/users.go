package projections

import (
	"context"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Users are the users that there are, with their present profiles. Of a
// password they know whether there is one that can be right, and no more.
type Users struct {
	uncached
	views *Views
}

// NewUsers makes the read model. It asks the tables of [Groups], too.
func NewUsers(v *Views) *Users { return &Users{views: v} }

// Name implements [Projection].
func (*Users) Name() string { return "users" }

// Schema implements [Projection].
func (*Users) Schema() string {
	return `-- 4
		CREATE TABLE users(
			id               TEXT PRIMARY KEY,
			key              INTEGER NOT NULL,
			username         TEXT NOT NULL,
			name             TEXT NOT NULL,
			email            TEXT NOT NULL,
			upn              TEXT NOT NULL,
			username_folded  TEXT NOT NULL,
			email_folded     TEXT NOT NULL,
			upn_folded       TEXT NOT NULL,
			folded           TEXT NOT NULL,
			active           INTEGER NOT NULL,
			type             TEXT NOT NULL,
			path             TEXT NOT NULL,
			attributes       TEXT NOT NULL,
			usable           INTEGER NOT NULL DEFAULT 0,
			credential       TEXT NOT NULL DEFAULT '',
			password_changed INTEGER NOT NULL,
			joined           INTEGER NOT NULL,
			updated          INTEGER NOT NULL,
			last_login       INTEGER NOT NULL DEFAULT 0
		) WITHOUT ROWID;
		CREATE INDEX users_by_key ON users(key);
		CREATE INDEX users_keys ON users(id, key);
		CREATE INDEX users_by_username ON users(username, key, folded, active, type, path);
		CREATE INDEX users_by_name ON users(name, key);
		CREATE INDEX users_by_last_login ON users(last_login, key);
		CREATE INDEX users_by_path ON users(path);
		CREATE INDEX users_by_email ON users(email);
		CREATE INDEX users_by_upn ON users(upn);
		CREATE INDEX users_by_username_folded ON users(username_folded);
		CREATE INDEX users_by_email_folded ON users(email_folded);
		CREATE INDEX users_by_upn_folded ON users(upn_folded)`
}

// Needs implements [Projection].
func (*Users) Needs(e eventstore.Recorded) Need {
	switch e.Stream.Category() {
	case "user":
		return Sealed
	case "session":
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (u *Users) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case user.UserCreated:
		err := exec(conn, `INSERT OR REPLACE INTO users(id, key, active, type, path, password_changed, joined, updated,
			username, name, email, upn, username_folded, email_folded, upn_folded, folded, attributes)
			VALUES(?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '', '', '', '', '', '{}')`,
			id, event.Key, event.Active, event.Type, event.Path, micros(event.Joined), micros(event.Joined), micros(e.RecordedAt))
		if err != nil {
			return err
		}
		return profileOf(user.State{}, event).write(conn, id)
	case user.UserDeleted:
		return exec(conn, "DELETE FROM users WHERE id = ?", id)
	case session.SessionAuthenticated:
		return exec(conn, "UPDATE users SET last_login = ? WHERE id = ?", micros(event.Login), event.User)
	case user.UserRenamed, user.UserProfileChanged:
		before, err := profileIn(conn, id)
		if err != nil {
			return err
		}
		err = profileOf(before, event.(user.Event)).write(conn, id)
		return touched(conn, e, err)
	case user.Event:
		set, args := change(event)
		if set == "" {
			return nil
		}
		return touched(conn, e, exec(conn, "UPDATE users SET "+set+" WHERE id = ?", append(args, id)...))
	}
	return nil
}

// touched notes when a user was last changed.
func touched(conn *sqlite.Conn, e codec.Decoded, err error) error {
	if err != nil {
		return err
	}
	return exec(conn, "UPDATE users SET updated = ? WHERE id = ?", micros(e.RecordedAt), e.Stream.ID())
}

// change returns which columns an event sets, apart from the profile.
func change(event user.Event) (set string, args []any) {
	switch event := event.(type) {
	case user.UserPasswordSet:
		return "usable = ?, credential = ?, password_changed = ?", []any{
			user.Known(event.Hash), event.CredentialID, micros(event.Changed),
		}
	case user.UserPasswordRehashed:
		return "usable = ?, credential = ?", []any{user.Known(event.Hash), event.CredentialID}
	case user.UserPasswordRemoved:
		return "usable = 0, credential = '', password_changed = ?", []any{micros(event.Changed)}
	case user.UserActivated:
		return "active = 1", nil
	case user.UserDeactivated:
		return "active = 0", nil
	case user.UserTypeChanged:
		return "type = ?", []any{event.To}
	case user.UserMoved:
		return "path = ?", []any{event.To}
	}
	return "", nil
}

// A profile is the part of a row that is found by searching.
type profile user.State

// profileOf returns the profile after an event.
func profileOf(s user.State, e user.Event) profile { return profile(e.Evolve(s)) }

// profileIn reads the profile of a row.
func profileIn(conn *sqlite.Conn, id string) (s user.State, err error) {
	err = query(conn, "SELECT username, name, email, attributes FROM users WHERE id = ?", func(row *sqlite.Stmt) error {
		s.Username, s.Name, s.Email = row.GetText("username"), row.GetText("name"), row.GetText("email")
		s.Attributes, err = mapAt(row, "attributes")
		return err
	}, id)
	return s, err
}

func (p profile) write(conn *sqlite.Conn, id string) error {
	attributes, err := jsonOf(p.Attributes)
	if err != nil {
		return err
	}
	upn, _ := p.Attributes["upn"].(string)
	return exec(conn, `UPDATE users SET username = ?, name = ?, email = ?, upn = ?, username_folded = ?, email_folded = ?,
		upn_folded = ?, folded = ?, attributes = ? WHERE id = ?`,
		p.Username, p.Name, p.Email, upn, fold(p.Username), fold(p.Email), fold(upn),
		fold(strings.Join([]string{p.Username, p.Name, p.Email, id}, "\n")), attributes, id)
}
