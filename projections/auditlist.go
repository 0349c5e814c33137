package projections

import (
	"context"
	"fmt"
	"math"
	"strings"
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
	Users                           []string // to one of whom the contract ascribes the action
	Brands                          []string
	IP                              string
	App, Model                      string   // of the thing that it is about, as the contract names models
	About                           []string // keys of that thing, one of which it has
	Device, Application             string   // keys of what its context names
	From, Until                     time.Time
	Before                          eventstore.Position // only what stands in front of it; zero for all
	Words                           []AuditWord         // all of which it has to do with
}

// List returns the events that f wants and how many there are on all pages,
// the newest first unless oldest is set. The number is not exact if to count
// takes too long: then there are at least so many.
func (a *Audit) List(ctx context.Context, f AuditFilter, oldest bool, p Page) (entries []Entry, total int, exact bool, err error) {
	if len(f.Words) > 0 {
		return a.search(ctx, f, oldest, p)
	}
	if len(f.Actions) > 1 && p.Limit > 0 && f.onlyActions() {
		// Each of them is in order in the index, but not all together.
		merged := f
		merged.Actions, merged.Words = nil, []AuditWord{{Actions: f.Actions}}
		if entries, _, _, err = a.search(ctx, merged, oldest, p); err != nil {
			return nil, 0, false, err
		}
		return a.counted(ctx, f, entries, p)
	}
	w, err := a.where(ctx, f)
	if err != nil {
		return nil, 0, false, err
	}
	if entries, err = a.find(ctx, w, " ORDER BY n"+direction(!oldest)+p.sql()); err != nil {
		return nil, 0, false, err
	}
	return a.counted(ctx, f, entries, p)
}

// counted adds to a page how many events there are on all pages.
func (a *Audit) counted(ctx context.Context, f AuditFilter, page []Entry, p Page) (entries []Entry, total int, exact bool, err error) {
	if total, exact, err = a.Count(ctx, f); err == nil && !exact {
		total = atLeast(p, len(page))
	}
	return page, total, exact, err
}

// Following returns the events behind a position that f wants, the oldest
// first, at most limit.
func (a *Audit) Following(ctx context.Context, f AuditFilter, after eventstore.Position, limit int) ([]Entry, error) {
	w, err := a.where(ctx, f)
	if err != nil {
		return nil, err
	}
	w.add("n > ?", int64(after.Value()))
	return a.find(ctx, w, " ORDER BY n"+Page{Limit: limit}.sql())
}

// listed is what the contract lists, in the words of the indexes: SQLite takes
// an index that leaves something out only if the query says the same.
const listed = "action <> '' AND NOT repeated"

// where makes a condition of a filter. Times become places: events are in the
// order of their times.
func (a *Audit) where(ctx context.Context, f AuditFilter) (where, error) {
	var w where
	w.equal("id", f.ID)
	w.equal("stream", f.Stream)
	w.equal("category", f.Category)
	w.present("execution", f.Execution)
	w.present("actor", f.Actor)
	w.present("subject", f.Subject)
	w.oneOf("type", f.Types)
	w.oneOf("action", f.Actions)
	w.oneOf("user", f.Users)
	if len(f.Brands) > 0 {
		w.oneOf("brand", f.Brands)
		w.add("brand <> ''")
	}
	a.marked(&w, "ip", f.IP)
	a.marked(&w, "app", strings.ToLower(f.App))
	a.marked(&w, "model", strings.ToLower(f.Model))
	a.marked(&w, "about", f.About...)
	a.marked(&w, "device", f.Device)
	a.marked(&w, "application", f.Application)
	if f.contract() {
		w.add(listed)
	}
	if (f.Before != eventstore.Position{}) {
		w.add("n < ?", int64(f.Before.Value()))
	}
	for sign, t := range map[string]time.Time{">=": f.From, "<": f.Until} {
		if t.IsZero() {
			continue
		}
		n, err := a.place(ctx, t)
		if err != nil {
			return w, err
		}
		w.add("n "+sign+" ?", n)
	}
	return w, nil
}

// contract tells whether only what the contract lists is wanted.
func (f AuditFilter) contract() bool {
	return f.AnyAction || len(f.Actions)+len(f.Users)+len(f.Brands)+len(f.About) > 0 ||
		f.IP+f.App+f.Model+f.Device+f.Application != ""
}

// marked wants a column to have the digest of one of some texts, unless there
// are none.
func (a *Audit) marked(w *where, column string, texts ...string) {
	var args []any
	for _, text := range texts {
		if text != "" {
			args = append(args, a.mark(column, plainKey(text)))
		}
	}
	if len(args) > 0 {
		w.add(column+" IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
		w.add(column + " <> 0")
	}
}

// place returns where the events from a time on begin. The ledger's times
// never go back, so it is looked for by halves.
func (a *Audit) place(ctx context.Context, t time.Time) (int64, error) {
	last, err := a.views.count(ctx, "audit", "SELECT coalesce(max(n), 0) FROM audit", nil)
	low, high := int64(0), int64(last)+1
	for err == nil && low < high {
		middle := low + (high-low)/2
		at, n := int64(math.MaxInt64), int64(0)
		err = a.views.read(ctx, "audit", "SELECT at, n FROM audit WHERE n >= ? ORDER BY n LIMIT 1", []any{middle}, func(s *sqlite.Stmt) error {
			at, n = s.ColumnInt64(0), s.ColumnInt64(1)
			return nil
		})
		if at >= micros(t) {
			high = middle
		} else {
			low = n + 1
		}
	}
	return low, err
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
		entries = append(entries, entryAt(s))
		return nil
	})
	return entries, err
}

func entryAt(s *sqlite.Stmt) Entry {
	return Entry{
		Position: eventstore.PositionOf(uint64(s.GetInt64("n"))), ID: s.GetText("id"), Stream: eventstore.StreamID(s.GetText("stream")),
		Revision: eventstore.Revision(s.GetInt64("revision")), Type: s.GetText("type"), At: timeAt(s, "at"),
		Execution: s.GetText("execution"), Actor: s.GetText("actor"), Subject: s.GetText("subject"),
		User: s.GetText("user"), Action: s.GetText("action"),
	}
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
	w, err := a.where(ctx, f)
	if err != nil {
		return nil, err
	}
	entries, err := a.find(ctx, w, newest(limit))
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
