package projections

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Audit is an index into the ledger: which events there are about what and
// whom. What they say is read from the ledger when somebody asks, so that
// nothing sealed is copied here.
type Audit struct {
	uncached
	views *Views
	store eventstore.Store
	codec *codec.Codec
}

// NewAudit makes the read model.
func NewAudit(v *Views, store eventstore.Store, c *codec.Codec) *Audit {
	return &Audit{views: v, store: store, codec: c}
}

// Name implements [Projection].
func (*Audit) Name() string { return "audit" }

// Schema implements [Projection].
func (*Audit) Schema() string {
	return `-- 2
		CREATE TABLE audit(
			n         INTEGER PRIMARY KEY,
			position  TEXT NOT NULL,
			id        TEXT NOT NULL UNIQUE,
			stream    TEXT NOT NULL,
			category  TEXT NOT NULL,
			revision  INTEGER NOT NULL,
			type      TEXT NOT NULL,
			at        INTEGER NOT NULL,
			execution TEXT NOT NULL,
			origin    TEXT NOT NULL,
			actor     TEXT NOT NULL,
			subject   TEXT NOT NULL,
			user      TEXT NOT NULL,
			action    TEXT NOT NULL,
			repeated  INTEGER NOT NULL
		);
		CREATE UNIQUE INDEX audit_by_stream ON audit(stream, revision);
		CREATE INDEX audit_by_execution ON audit(execution) WHERE execution <> '';
		CREATE INDEX audit_by_subject ON audit(subject, type) WHERE subject <> '';
		CREATE INDEX audit_by_actor ON audit(actor) WHERE actor <> '';
		CREATE INDEX audit_by_action ON audit(action) WHERE action <> '';
		CREATE INDEX audit_by_user ON audit(user) WHERE action <> ''`
}

// Needs implements [Projection].
func (*Audit) Needs(eventstore.Recorded) Need { return Clear }

// Apply implements [Projection].
func (*Audit) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	entry := entryOf(e)
	repeated := false
	if origin := originOf(e.Header); entry.Action != "" && origin != "" && e.Revision > 0 {
		// One change of a user or a group is several events; the contract has
		// one row for it.
		err := query(conn, "SELECT 1 FROM audit WHERE stream = ? AND revision = ? AND action = ? AND origin = ?",
			func(*sqlite.Stmt) error {
				repeated = entry.Action == actionUpdated || entry.Action == actionUserWrite
				return nil
			}, string(e.Stream), int64(e.Revision)-1, entry.Action, origin)
		if err != nil {
			return err
		}
	}
	return exec(conn, `INSERT OR IGNORE INTO audit(position, id, stream, category, revision, type, at, execution, origin, actor,
		subject, user, action, repeated) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Position.String(), e.ID.String(), string(e.Stream), e.Stream.Category(), int64(e.Revision), e.Type, micros(e.RecordedAt),
		entry.Execution, originOf(e.Header), entry.Actor, entry.Subject, entry.User, entry.Action, repeated)
}

// originOf is what one request, one execution or one import has in common.
func originOf(h codec.Header) string {
	for _, id := range []string{h.Request.ID, h.Correlation, h.Execution} {
		if id != "" {
			return id
		}
	}
	return ""
}

// An Entry is one event as the index has it.
type Entry struct {
	Position  eventstore.Position
	ID        string // of the event
	Stream    eventstore.StreamID
	Revision  eventstore.Revision
	Type      string
	At        time.Time
	Execution string // id of the execution that it belongs to; empty for none
	Actor     string // id of the user who acted; empty for nobody and for the program
	Subject   string // id of the user whom it is about; empty for nobody
	User      string // id of the user to whom the contract ascribes the action
	Action    string // as the contract names it; empty for what it has no name for
}

func entryOf(e codec.Decoded) Entry {
	entry := Entry{Execution: e.Header.Execution, Actor: e.Header.Actor.ID, Subject: subjectOf(e), Action: actionOf(e)}
	switch {
	case entry.Execution != "":
	case e.Stream.Category() == "execution":
		entry.Execution = e.Stream.ID()
	}
	_, noted := e.Event.(audit.AuditCustomRecorded)
	if entry.User = entry.Actor; entry.User == "" || aboutSubject[entry.Action] || noted && entry.Subject != "" {
		entry.User = entry.Subject
	}
	return entry
}

// subjectOf returns the id of the user whom an event is about.
func subjectOf(e codec.Decoded) string {
	if e.Stream.Category() == "user" {
		return e.Stream.ID()
	}
	switch event := e.Event.(type) {
	case key.SubjectKeyDestroyed:
		if event.Kind == key.User {
			return e.Stream.ID()
		}
	case execution.SubjectIdentified:
		return event.User
	case execution.LoginFailed:
		return event.User
	case execution.UserLoggedIn:
		return event.User
	case execution.UserLoggedOut:
		return event.User
	case execution.ExecutionCompleted:
		return event.User
	case session.SessionAuthenticated:
		return event.User
	case session.SessionLoggedOut:
		return event.User
	case mail.MailSent:
		return event.User
	case token.TokenCreated:
		return event.User
	case consent.ConsentGranted:
		return event.User
	case audit.AuditCustomRecorded:
		return event.By
	case group.GroupMemberAdded:
		return event.User
	case group.GroupMemberRemoved:
		return event.User
	case user.UsernameClaimed:
		return event.User
	case user.UsernameReleased:
		return event.User
	}
	return ""
}
