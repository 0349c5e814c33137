package projections

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Subjects are whose keys sealed something about a user: the executions and
// the sessions that the user was in, the invitations that led there, the
// credentials. Whoever erases a user asks them (spec/events.md 6.2).
type Subjects struct {
	views *Views
	scrub bool // something was erased, and the file's log may still have it; the runner's own
}

// NewSubjects makes the read model.
func NewSubjects(v *Views) *Subjects { return &Subjects{views: v} }

// Name implements [Projection].
func (*Subjects) Name() string { return "subjects" }

// Schema implements [Projection]. A subject is over when nothing will be
// sealed for it any more, and done when its keys are gone.
func (*Subjects) Schema() string {
	return `-- 2
		CREATE TABLE subjects(
			user    TEXT NOT NULL,
			subject TEXT NOT NULL,
			at      INTEGER NOT NULL,
			over    INTEGER NOT NULL,
			done    INTEGER NOT NULL DEFAULT 0,
			PRIMARY KEY(user, subject)
		) WITHOUT ROWID;
		CREATE INDEX subjects_by_subject ON subjects(subject);
		CREATE TABLE subjects_users(
			user   TEXT PRIMARY KEY,
			erased INTEGER NOT NULL
		) WITHOUT ROWID;
		CREATE TABLE subjects_guests(
			execution  TEXT NOT NULL,
			invitation TEXT NOT NULL,
			PRIMARY KEY(execution, invitation)
		) WITHOUT ROWID`
}

// Needs implements [Projection].
func (*Subjects) Needs(e eventstore.Recorded) Need {
	switch e.Stream.Category() {
	case "execution", "session", "user", "token", "invitation", "key":
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (p *Subjects) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id, self := e.Stream.ID(), e.Stream.Category()+":"+e.Stream.ID()
	switch event := e.Event.(type) {
	case execution.ExecutionStarted:
		return bind(conn, e, event.User, self, false)
	case execution.SubjectIdentified:
		return bind(conn, e, event.User, self, false)
	case execution.LoginFailed: // a form that asks for all at once identifies nobody before
		return bind(conn, e, event.User, self, false)
	case execution.UserLoggedIn:
		return bind(conn, e, event.User, self, false)
	case session.SessionAuthenticated:
		return bind(conn, e, event.User, self, false)
	case user.UserPasswordSet:
		return bind(conn, e, id, "credential:"+event.CredentialID, true)
	case user.UserPasswordRehashed:
		return bind(conn, e, id, "credential:"+event.CredentialID, true)
	case token.TokenCreated:
		return bind(conn, e, event.User, "credential:"+event.CredentialID, true)
	case token.TokenChanged:
		return bind(conn, e, event.To.User, "credential:"+event.CredentialID, true)
	case invitation.InvitationUsed:
		if event.Last {
			return exec(conn, "INSERT OR IGNORE INTO subjects_guests(execution, invitation) VALUES(?, ?)", "execution:"+event.Execution, self)
		}
	case execution.ExecutionCompleted, execution.ExecutionDenied, execution.ExecutionCancelled, execution.ExecutionExpired,
		execution.ExecutionFailed, session.SessionEnded:
		return exec(conn, "UPDATE subjects SET over = 1 WHERE subject = ?", self)
	case user.UserDeleted:
		return exec(conn, "INSERT OR IGNORE INTO subjects_users(user, erased) VALUES(?, 0)", id)
	case key.SubjectKeyDestroyed:
		p.scrub = true
		return destroyed(conn, id, event)
	}
	return nil
}

// bind ties a subject to a user; nobody has none.
func bind(conn *sqlite.Conn, e codec.Decoded, userID, subject string, over bool) error {
	if userID == "" {
		return nil
	}
	return exec(conn, "INSERT OR IGNORE INTO subjects(user, subject, at, over) VALUES(?, ?, ?, ?)",
		userID, subject, int64(e.Position.Value()), over)
}

// destroyed marks what went with the keys of a subject: of a user, all that
// was looked for and found, but for what remained in use.
func destroyed(conn *sqlite.Conn, id string, e key.SubjectKeyDestroyed) error {
	if e.Kind != key.User {
		return exec(conn, "UPDATE subjects SET done = 1 WHERE subject = ?", e.Kind+":"+id)
	}
	if err := exec(conn, "INSERT OR REPLACE INTO subjects_users(user, erased) VALUES(?, 1)", id); err != nil {
		return err
	}
	to, err := eventstore.ParsePosition(e.IndexedTo)
	if err != nil {
		return err
	}
	if err := exec(conn, "UPDATE subjects SET done = 1 WHERE user = ? AND at <= ?", id, int64(to.Value())); err != nil {
		return err
	}
	for _, subject := range e.Remaining {
		if err := exec(conn, "UPDATE subjects SET done = 0 WHERE user = ? AND subject = ?", id, subject); err != nil {
			return err
		}
	}
	return nil
}

// Refresh implements [Projection]. After an erasure it empties the file's log,
// which else holds what was deleted until it is written over. Somebody who
// reads at the time can prevent it; then the next batch does it.
func (p *Subjects) Refresh(conn *sqlite.Conn) error {
	if !p.scrub {
		return nil
	}
	return sqlitex.Execute(conn, "PRAGMA wal_checkpoint(TRUNCATE)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		p.scrub = s.ColumnInt(0) != 0
		return nil
	}})
}

// A Subject is whose key sealed something.
type Subject struct {
	Kind string // execution, session, credential or invitation
	ID   string
	Over bool // nothing will be sealed for it any more
}

// Name is what the vault calls it.
func (s Subject) Name() string { return s.Kind + ":" + s.ID }

// subjectAt reads a subject off its name, the first column, and whether it is
// over, the second.
func subjectAt(s *sqlite.Stmt) Subject {
	kind, id, _ := strings.Cut(s.ColumnText(0), ":")
	return Subject{Kind: kind, ID: id, Over: s.ColumnBool(1)}
}

// Of returns the subjects that are tied to a user and whose keys are not gone.
func (p *Subjects) Of(ctx context.Context, userID string) (out []Subject, err error) {
	err = p.views.read(ctx, "subjects", "SELECT subject, over FROM subjects WHERE user = ? AND NOT done ORDER BY at, subject",
		[]any{userID}, func(s *sqlite.Stmt) error {
			out = append(out, subjectAt(s))
			return nil
		})
	return out, err
}

// Guests returns the invitations that were used up by an execution.
func (p *Subjects) Guests(ctx context.Context, executionID string) (out []Subject, err error) {
	err = p.views.read(ctx, "subjects", "SELECT invitation, 1 FROM subjects_guests WHERE execution = ?",
		[]any{"execution:" + executionID}, func(s *sqlite.Stmt) error {
			out = append(out, subjectAt(s))
			return nil
		})
	return out, err
}

// Due returns the ids of users who were deleted and whose keys are not known
// to be gone: whoever deleted them died in between.
func (p *Subjects) Due(ctx context.Context, _ time.Time, limit int) ([]string, error) {
	return p.views.ids(ctx, "subjects", "SELECT user FROM subjects_users WHERE NOT erased ORDER BY user LIMIT ?", limit)
}

// Left returns the names of subjects of erased users that were in use at the
// time, and are over. The order of the join is given: the erased are few, and
// what everybody else was in is most of the table.
func (p *Subjects) Left(ctx context.Context, _ time.Time, limit int) ([]string, error) {
	return p.views.ids(ctx, "subjects", `SELECT DISTINCT subject FROM subjects_users CROSS JOIN subjects USING(user)
		WHERE erased AND over AND NOT done ORDER BY subject LIMIT ?`, limit)
}
