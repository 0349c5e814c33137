package adminapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Notifications are what people are told because a rule wants it.
type Notifications interface {
	// Notifications returns a page of a user's notifications that f wants, and
	// how many there are on all pages. Order is created, severity or seen,
	// with - in front for descending; any other is the newest first.
	Notifications(ctx context.Context, f NotificationFilter, order string, p Page) ([]Notification, int, error)
}

// A Notification is one of them, opened.
type Notification struct {
	ID       string
	Event    string // id of the event; empty for none
	Severity string
	Body     string
	Created  time.Time
	Seen     bool
}

// A NotificationFilter says which notifications are wanted, of one user. What
// else is empty does not matter.
type NotificationFilter struct {
	User, ID, Event, Severity string
	Seen                      *bool
	From, Until               time.Time
}

// mountNotifications adds the notifications. Everybody has their own, and
// nobody those of others.
func (s *Server) mountNotifications(r *mux.Router) {
	const path = "events/notifications/"
	s.route(r, path, ownOr("authentik_events.notification"), verbs{http.MethodGet: s.listNotifications})
	s.route(r, path+"mark_all_seen/", ownOr("authentik_events.notification"), verbs{http.MethodPost: s.markAllSeen})
	s.route(r, path+"{key}/", ownOr("authentik_events.notification"), verbs{
		http.MethodGet: s.getNotification, http.MethodPut: s.markNotification, http.MethodPatch: s.markNotification,
		http.MethodDelete: s.removeNotification,
	})
	s.route(r, path+"{key}/used_by/", ownOr("authentik_events.notification"), verbs{http.MethodGet: s.notificationUses})
}

// maxNotices is how many of somebody's notifications a search opens: to look
// into one costs as much as to show it.
const maxNotices = 500

// listNotifications answers from the read model where it can. What
// notifications say is sealed, so to look for words they are opened.
func (s *Server) listNotifications(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f, none, err := s.notificationFilter(r.Context(), q, c)
	if err != nil {
		return err
	}
	if none {
		return writeList(w, pg, 0, nil)
	}
	body, words := q.Get("body"), searched(q)
	if body == "" && len(words) == 0 {
		found, total, err := s.Notifications.Notifications(r.Context(), f, q.Get("ordering"), pg.page())
		if err != nil {
			return err
		}
		return s.writeNotifications(w, r, pg, total, found)
	}
	all, _, err := s.Notifications.Notifications(r.Context(), f, q.Get("ordering"), Page{Limit: maxNotices})
	if err != nil {
		return err
	}
	var found []Notification
	for _, n := range all {
		if (body == "" || n.Body == body) && says(n.Body, words) {
			found = append(found, n)
		}
	}
	return s.writeNotifications(w, r, pg, len(found), slice(pg, found))
}

// says tells whether all words occur in a text.
func says(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(strings.ToLower(text), word) {
			return false
		}
	}
	return true
}

// notificationFilter reads what a client wants to see. None tells that it can
// only be nothing: the notifications of somebody else.
func (s *Server) notificationFilter(ctx context.Context, q url.Values, c session.Caller) (f NotificationFilter, none bool, err error) {
	f = NotificationFilter{User: c.User, Seen: boolParam(q, "seen")}
	var problems catalog.Problems
	switch severity := q.Get("severity"); severity {
	case "", "notice", "warning", "alert":
		f.Severity = severity
	default:
		problems.Add("severity", "Select a valid choice. %s is not one of the available choices.", cut(severity))
	}
	if text := q.Get("event"); text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			problems.Add("event", "“%s” is not a valid UUID.", cut(text))
		}
		f.Event = id.String()
	}
	if text := q.Get("created"); text != "" {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			problems.Add("created", "Enter a valid date/time.")
		}
		f.From = at.Truncate(time.Microsecond)
		f.Until = f.From.Add(time.Microsecond)
	}
	if key := q.Get("user"); key != "" {
		own, _, err := s.People.UserByID(ctx, c.User)
		if err != nil {
			return f, false, err
		}
		none = key != written(own.Key)
	}
	return f, none, problems.Err()
}

func (s *Server) writeNotifications(w http.ResponseWriter, r *http.Request, pg paging, total int, found []Notification) error {
	var results []any
	for _, n := range found {
		shown, err := s.showNotification(r.Context(), n)
		if err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, total, results)
}

// showNotification shows a notification with its event. What the event leads
// to, if anywhere, the event says.
func (s *Server) showNotification(ctx context.Context, n Notification) (map[string]any, error) {
	out := map[string]any{
		"pk": n.ID, "severity": n.Severity, "body": n.Body, "hyperlink": nil, "hyperlink_label": nil, "created": stamp(n.Created), "seen": n.Seen,
	}
	e, ok, err := s.Audit.Entry(ctx, n.Event)
	if err != nil || !ok {
		return out, err
	}
	if out["event"], err = s.ShowEvent(ctx, e); err != nil {
		return nil, err
	}
	for _, name := range []string{"hyperlink", "hyperlink_label"} {
		if text, ok := dig(out["event"], []string{"context", name}).(string); ok {
			out[name] = text
		}
	}
	return out, nil
}

// ShowEvent shows an event as the contract does.
func (s *Server) ShowEvent(ctx context.Context, e AuditEntry) (map[string]any, error) {
	shown, err := s.showEntries(ctx, []AuditEntry{e})
	if err != nil {
		return nil, err
	}
	return shown[0], nil
}

// findNotification returns the caller's notification that the path names.
// Somebody else's is none.
func (s *Server) findNotification(r *http.Request, c session.Caller) (Notification, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return Notification{}, notFound("Notification")
	}
	found, _, err := s.Notifications.Notifications(r.Context(), NotificationFilter{User: c.User, ID: id.String()}, "", Page{Limit: 1})
	if err != nil {
		return Notification{}, err
	}
	if len(found) == 0 {
		return Notification{}, notFound("Notification")
	}
	return found[0], nil
}

func (s *Server) getNotification(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	n, err := s.findNotification(r, c)
	if err != nil {
		return err
	}
	shown, err := s.showNotification(r.Context(), n)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown)
}

// markNotification notes whether a notification was seen. The rest of it was
// written by what happened, and stays.
func (s *Server) markNotification(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	n, err := s.findNotification(r, c)
	if err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	if value, given := input["seen"]; given {
		seen, fault := catalog.Field{Name: "seen", Type: catalog.Bool}.Clean(value)
		if fault != "" {
			return invalid("seen", fault)
		}
		if err := s.notice(r.Context(), c, n.ID, notification.Mark{Seen: seen == true, By: c.User}); err != nil {
			return err
		}
		if err := s.changed(r.Context()); err != nil {
			return err
		}
	}
	return s.getNotification(w, r, c)
}

// notice handles a command of a notification's reader.
func (s *Server) notice(ctx context.Context, c session.Caller, id string, do interface {
	Decide(notification.State) ([]notification.Event, error)
}) error {
	if _, err := s.Notices.Handle(ctx, eventstore.Stream("notification", id), do, s.meta(c, "user:"+c.User)); err != nil {
		return fmt.Errorf("notification %s: %w", id, err)
	}
	return nil
}

// markAllSeen notes that the caller has seen all there is.
func (s *Server) markAllSeen(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	unseen := false
	all, _, err := s.Notifications.Notifications(r.Context(), NotificationFilter{User: c.User, Seen: &unseen}, "", Page{})
	if err != nil {
		return err
	}
	for _, n := range all {
		if err := s.notice(r.Context(), c, n.ID, notification.Mark{Seen: true, By: c.User}); err != nil {
			return err
		}
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

func (s *Server) removeNotification(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	n, err := s.findNotification(r, c)
	if err != nil {
		return err
	}
	if err := s.notice(r.Context(), c, n.ID, notification.Remove{By: c.User}); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// notificationUses is always empty: nothing refers to notifications.
func (s *Server) notificationUses(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	if _, err := s.findNotification(r, c); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}
