package projections

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// An AuditFilter says which events are wanted. What is empty does not matter.
type AuditFilter struct {
	ID, Stream, Category, Execution string
	Types                           []string
	Actor, Subject                  string
	Actions                         []string // of the contract
	AnyAction                       bool     // only events that the contract has an action for, each once
	User                            string   // to whom the contract ascribes the action
	From, Until                     time.Time
}

// List returns the events that f wants and how many there are on all pages,
// the newest first unless oldest is set.
func (a *Audit) List(ctx context.Context, f AuditFilter, oldest bool, p Page) ([]Entry, int, error) {
	w := f.where()
	total, err := a.views.count(ctx, "audit", "SELECT count(*) FROM audit"+w.sql(), w.args)
	if err != nil {
		return nil, 0, err
	}
	entries, err := a.find(ctx, w, " ORDER BY n"+direction(!oldest)+p.sql())
	return entries, total, err
}

func (f AuditFilter) where() where {
	var w where
	w.equal("id", f.ID)
	w.equal("stream", f.Stream)
	w.equal("category", f.Category)
	w.present("execution", f.Execution)
	w.present("actor", f.Actor)
	w.present("subject", f.Subject)
	w.oneOf("type", f.Types)
	w.oneOf("action", f.Actions)
	w.equal("user", f.User)
	w.between("at", f.From, f.Until)
	if f.AnyAction || len(f.Actions) > 0 || f.User != "" {
		w.add("action <> '' AND NOT repeated")
	}
	return w
}

// present is equal for columns whose index leaves out the empty: SQLite takes
// such an index only if the query itself says that it wants none of those.
func (w *where) present(column, value string) {
	if value != "" {
		w.equal(column, value)
		w.add(column + " <> ''")
	}
}

func (a *Audit) find(ctx context.Context, w where, end string) ([]Entry, error) {
	var entries []Entry
	err := a.views.read(ctx, "audit", "SELECT * FROM audit"+w.sql()+end, w.args, func(s *sqlite.Stmt) error {
		position, err := eventstore.ParsePosition(s.GetText("position"))
		entries = append(entries, Entry{
			Position: position, ID: s.GetText("id"), Stream: eventstore.StreamID(s.GetText("stream")),
			Revision: eventstore.Revision(s.GetInt64("revision")), Type: s.GetText("type"), At: timeAt(s, "at"),
			Execution: s.GetText("execution"), Actor: s.GetText("actor"), Subject: s.GetText("subject"),
			User: s.GetText("user"), Action: s.GetText("action"),
		})
		return err
	})
	return entries, err
}

// Timeline returns everything that happened in an execution, in its stream and
// in others, the oldest first.
func (a *Audit) Timeline(ctx context.Context, executionID string) ([]Entry, error) {
	if executionID == "" {
		return nil, nil
	}
	var w where
	w.present("execution", executionID)
	return a.find(ctx, w, " ORDER BY n")
}

// ByID returns the entry of an event.
func (a *Audit) ByID(ctx context.Context, id string) (Entry, bool, error) {
	if id == "" {
		return Entry{}, false, nil
	}
	var w where
	w.equal("id", id)
	found, err := a.find(ctx, w, "")
	if err != nil || len(found) == 0 {
		return Entry{}, false, err
	}
	return found[0], true, nil
}

// Event reads the event of an entry from the ledger, with the network of its
// append, and opens what is sealed.
func (a *Audit) Event(ctx context.Context, entry Entry) (codec.Decoded, error) {
	e, err := a.read(ctx, entry)
	if err != nil || e.Network != nil || e.Header.Net == "" {
		return e, err
	}
	carrier, ok, err := a.ByID(ctx, e.Header.Net)
	if err != nil || !ok {
		return e, err
	}
	first, err := a.read(ctx, carrier)
	e.Network = first.Network
	return e, err
}

func (a *Audit) read(ctx context.Context, entry Entry) (codec.Decoded, error) {
	for recorded, err := range a.store.ReadStream(ctx, entry.Stream, entry.Revision) {
		if err != nil {
			return codec.Decoded{}, fmt.Errorf("read event %s: %w", entry.ID, err)
		}
		return a.codec.Decode(ctx, recorded)
	}
	return codec.Decoded{}, fmt.Errorf("read event %s: the ledger does not have it", entry.ID)
}

// A SignIn is one attempt to sign in as a user.
type SignIn struct {
	Entry
	Succeeded bool
	Method    string // as the ledger names it, such as password
	IP        string
	UserAgent string
	Place     *session.Place // nil where it is not known
}

// SignIns returns the newest attempts to sign in as a user, at most limit.
func (a *Audit) SignIns(ctx context.Context, userID string, limit int) ([]SignIn, error) {
	if userID == "" {
		return nil, nil
	}
	f := AuditFilter{Subject: userID, Types: []string{execution.UserLoggedIn{}.EventType(), execution.LoginFailed{}.EventType()}}
	return a.signIns(ctx, f, limit)
}

// signIns opens the newest events that f wants.
func (a *Audit) signIns(ctx context.Context, f AuditFilter, limit int) ([]SignIn, error) {
	entries, err := a.find(ctx, f.where(), newest(limit))
	if err != nil {
		return nil, err
	}
	out := make([]SignIn, len(entries))
	for i, entry := range entries {
		e, err := a.Event(ctx, entry)
		if err != nil {
			return nil, err
		}
		n := networkOf(e)
		out[i] = SignIn{Entry: entry, IP: n.IP, UserAgent: n.UserAgent, Place: n.Place}
		switch event := e.Event.(type) {
		case execution.UserLoggedIn:
			out[i].Succeeded, out[i].Method = true, event.AuthMethod
		case execution.LoginFailed:
			out[i].Method = event.Method
		}
	}
	return out, nil
}
