package projections

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Notifications are those that are there, by who is told. What they say is
// not among it: that is read from the ledger when somebody asks.
type Notifications struct {
	uncached
	views *Views
}

// NewNotifications makes the read model.
func NewNotifications(v *Views) *Notifications { return &Notifications{views: v} }

// Name implements [Projection].
func (*Notifications) Name() string { return "notifications" }

// Schema implements [Projection].
func (*Notifications) Schema() string {
	return `-- 1
		CREATE TABLE notifications(
			id       TEXT PRIMARY KEY,
			user     TEXT NOT NULL,
			event    TEXT NOT NULL,
			severity TEXT NOT NULL,
			at       INTEGER NOT NULL,
			seen     INTEGER NOT NULL
		) WITHOUT ROWID;
		CREATE INDEX notifications_by_user ON notifications(user, at)`
}

// Needs implements [Projection].
func (*Notifications) Needs(e eventstore.Recorded) Need {
	switch e.Stream.Category() {
	case "notification", "user":
		return Clear
	}
	return Nothing
}

// Apply implements [Projection]. Who is gone needs to be told nothing.
func (*Notifications) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case notification.NotificationRaised:
		return exec(conn, "INSERT OR IGNORE INTO notifications(id, user, event, severity, at, seen) VALUES(?, ?, ?, ?, ?, 0)",
			id, event.User, event.Event, event.Severity, micros(e.RecordedAt))
	case notification.NotificationSeen:
		return exec(conn, "UPDATE notifications SET seen = 1 WHERE id = ?", id)
	case notification.NotificationUnseen:
		return exec(conn, "UPDATE notifications SET seen = 0 WHERE id = ?", id)
	case notification.NotificationRemoved:
		return exec(conn, "DELETE FROM notifications WHERE id = ?", id)
	case user.UserDeleted:
		return exec(conn, "DELETE FROM notifications WHERE user = ?", id)
	}
	return nil
}

// A Notification is one of them.
type Notification struct {
	ID       string
	User     string // id of who is told
	Event    string // id of the event; empty for none
	Severity string
	At       time.Time
	Seen     bool
}

// A NotificationFilter says which notifications of a user are wanted. What is
// empty does not matter, but for the user: without one there are none.
type NotificationFilter struct {
	User, ID, Event, Severity string
	Seen                      *bool
	From, Until               time.Time
}

// notificationOrders are what lists can be ordered by.
var notificationOrders = []string{"created", "severity", "seen"}

// List returns the notifications that f wants, and how many there are on all
// pages. Order is one of created, severity and seen, with a minus in front to
// turn it around; any other is the newest first.
func (n *Notifications) List(ctx context.Context, f NotificationFilter, order string, p Page) ([]Notification, int, error) {
	if f.User == "" {
		return nil, 0, nil
	}
	var w where
	w.equal("user", f.User)
	w.equal("id", f.ID)
	w.equal("event", f.Event)
	w.equal("severity", f.Severity)
	w.between("at", f.From, f.Until)
	if f.Seen != nil {
		w.add("seen = ?", *f.Seen)
	}
	total, err := n.views.count(ctx, "notifications", "SELECT count(*) FROM notifications"+w.sql(), w.args)
	if err != nil {
		return nil, 0, err
	}
	column, descending := strings.CutPrefix(order, "-")
	if !slices.Contains(notificationOrders, column) {
		column, descending = "created", true
	}
	if column == "created" {
		column = "at"
	}
	var found []Notification
	q := "SELECT * FROM notifications" + w.sql() + " ORDER BY " + column + direction(descending) + ", at DESC, id" + p.sql()
	err = n.views.read(ctx, "notifications", q, w.args, func(s *sqlite.Stmt) error {
		found = append(found, Notification{
			ID: s.GetText("id"), User: s.GetText("user"), Event: s.GetText("event"), Severity: s.GetText("severity"),
			At: timeAt(s, "at"), Seen: s.GetBool("seen"),
		})
		return nil
	})
	return found, total, err
}

// Reportable tells from what is clear of an event whether the contract may
// have an action for it. Most events, it need not look at again.
func Reportable(e eventstore.Recorded) bool {
	switch e.Stream.Category() {
	case "object", "user", "group", "role", "token", "invitation":
		return true
	case "execution":
		switch e.Type {
		case "UserLoggedIn", "LoginFailed", "UserLoggedOut", "ExecutionFailed":
			return true
		case "PolicyEvaluated", "PolicyDenied":
			return bytes.Contains(e.Payload, []byte(`"outcome":"exception"`)) || bytes.Contains(e.Payload, []byte(`"outcome":"timeout"`))
		case "ContextChanged":
			return bytes.Contains(e.Payload, []byte(`"diagnostics":[`))
		}
		return false
	}
	switch e.Type {
	case "BlueprintAdded", "BlueprintChanged", "BlueprintRemoved":
		return true
	}
	return e.Type == "SessionBindingBroken" || e.Type == "MailSent" || e.Type == "AuditCustomRecorded" || e.Type == "AuditExported"
}
