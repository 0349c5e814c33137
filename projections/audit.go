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
// nothing sealed is copied here: addresses and the like are keyed digests.
type Audit struct {
	uncached
	views  *Views
	store  eventstore.Store
	codec  *codec.Codec
	digest func(purpose, text string) []byte
}

// NewAudit makes the read model. The digest must be keyed.
func NewAudit(v *Views, store eventstore.Store, c *codec.Codec, digest func(purpose, text string) []byte) *Audit {
	return &Audit{views: v, store: store, codec: c, digest: digest}
}

// Name implements [Projection].
func (*Audit) Name() string { return "audit" }

// Schema implements [Projection]. A row's key is its place in the ledger. What
// the contract lists is in indexes of its own, so that a page of it, and the
// number of all, cost little among very many rows.
func (*Audit) Schema() string {
	return `-- 4
		CREATE TABLE audit(
			n           INTEGER PRIMARY KEY,
			id          TEXT NOT NULL UNIQUE,
			stream      TEXT NOT NULL,
			category    TEXT NOT NULL,
			revision    INTEGER NOT NULL,
			type        TEXT NOT NULL,
			at          INTEGER NOT NULL,
			execution   TEXT NOT NULL,
			origin      TEXT NOT NULL,
			actor       TEXT NOT NULL,
			subject     TEXT NOT NULL,
			user        TEXT NOT NULL,
			action      TEXT NOT NULL,
			repeated    INTEGER NOT NULL,
			brand       TEXT NOT NULL,
			ip          INTEGER NOT NULL,
			app         INTEGER NOT NULL,
			model       INTEGER NOT NULL,
			about       INTEGER NOT NULL,
			device      INTEGER NOT NULL,
			application INTEGER NOT NULL
		);
		CREATE UNIQUE INDEX audit_by_stream ON audit(stream, revision);
		CREATE INDEX audit_by_execution ON audit(execution) WHERE execution <> '';
		CREATE INDEX audit_by_subject ON audit(subject, type) WHERE subject <> '';
		CREATE INDEX audit_by_actor ON audit(actor) WHERE actor <> '';
		CREATE INDEX audit_by_type ON audit(type);
		CREATE INDEX audit_listed ON audit(n) WHERE action <> '' AND NOT repeated;
		CREATE INDEX audit_by_action ON audit(action) WHERE action <> '' AND NOT repeated;
		CREATE INDEX audit_by_user ON audit(user) WHERE action <> '' AND NOT repeated;
		CREATE INDEX audit_by_user_action ON audit(user, action) WHERE action <> '' AND NOT repeated;
		CREATE INDEX audit_by_brand ON audit(brand) WHERE action <> '' AND NOT repeated AND brand <> '';
		CREATE INDEX audit_by_ip ON audit(ip) WHERE action <> '' AND NOT repeated AND ip <> 0;
		CREATE INDEX audit_by_app ON audit(app) WHERE action <> '' AND NOT repeated AND app <> 0;
		CREATE INDEX audit_by_model ON audit(model) WHERE action <> '' AND NOT repeated AND model <> 0;
		CREATE INDEX audit_by_about ON audit(about) WHERE action <> '' AND NOT repeated AND about <> 0;
		CREATE INDEX audit_by_device ON audit(device) WHERE action <> '' AND NOT repeated AND device <> 0;
		CREATE INDEX audit_by_application ON audit(application) WHERE action <> '' AND NOT repeated AND application <> 0;
		CREATE TABLE audit_hours(
			hour   INTEGER NOT NULL,
			action TEXT NOT NULL,
			events INTEGER NOT NULL,
			PRIMARY KEY(hour, action)
		) WITHOUT ROWID;
		CREATE TABLE audit_actions(
			action TEXT PRIMARY KEY,
			events INTEGER NOT NULL
		) WITHOUT ROWID`
}

// Needs implements [Projection]. Where what the contract lists came from is
// opened, to find it again; of all else the clear part will do. An event that
// does not open is in the index all the same: that is where it is noticed.
func (*Audit) Needs(e eventstore.Recorded) Need {
	if Reportable(e) {
		return Locatable
	}
	return Clear
}

// Apply implements [Projection].
func (a *Audit) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	if err := forgetMarks(conn, e); err != nil {
		return err
	}
	entry := entryOf(e)
	repeated, err := repeats(conn, e, entry.Action)
	if err != nil {
		return err
	}
	var m marks
	if entry.Action != "" && !repeated {
		m = a.marksOf(e, entry.Action)
		if err := tally(conn, e, entry.Action); err != nil {
			return err
		}
	}
	return exec(conn, `INSERT OR IGNORE INTO audit(n, id, stream, category, revision, type, at, execution, origin, actor, subject, user,
		action, repeated, brand, ip, app, model, about, device, application)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(e.Position.Value()), e.ID.String(), string(e.Stream), e.Stream.Category(), int64(e.Revision), e.Type, micros(e.RecordedAt),
		entry.Execution, originOf(e.Header), entry.Actor, entry.Subject, entry.User, entry.Action, repeated,
		e.Header.Brand, m.ip, m.app, m.model, m.about, m.device, m.application)
}

// repeats tells whether an event belongs to a change that is listed already:
// one change of a user or a group is several events; the contract has one row
// for it.
func repeats(conn *sqlite.Conn, e codec.Decoded, action string) (repeated bool, err error) {
	origin := originOf(e.Header)
	if origin == "" || e.Revision == 0 || action != actionUpdated && action != actionUserWrite {
		return false, nil
	}
	err = query(conn, "SELECT 1 FROM audit WHERE stream = ? AND revision = ? AND action = ? AND origin = ?", func(*sqlite.Stmt) error {
		repeated = true
		return nil
	}, string(e.Stream), int64(e.Revision)-1, action, origin)
	return repeated, err
}

// tally counts what is listed, by the hour. Rows stay for ever, so the numbers
// only grow.
func tally(conn *sqlite.Conn, e codec.Decoded, action string) error {
	err := exec(conn, "INSERT INTO audit_actions(action, events) VALUES(?, 1) ON CONFLICT DO UPDATE SET events = events + 1", action)
	if err != nil {
		return err
	}
	return exec(conn, "INSERT INTO audit_hours(hour, action, events) VALUES(?, ?, 1) ON CONFLICT DO UPDATE SET events = events + 1",
		hourOf(e.RecordedAt), action)
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
