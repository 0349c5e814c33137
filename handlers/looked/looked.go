// Package looked writes into the ledger who looked at audit data, and who was
// refused (spec/events.md 4.10). It decides nothing about who may.
package looked

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/command"
)

// A question that is asked again within this time is counted and not recorded
// anew: pages that refresh themselves ask the same every few seconds. Refusals
// have a shorter time, for they are rarer and of more interest.
const (
	patience        = 5 * time.Minute
	refusalPatience = time.Minute
)

// maxWindows bounds what is remembered of questions. Looks beyond it are
// recorded one by one; refusals beyond it are not, for they cost those who
// cause them nothing.
const maxWindows = 4096

// A Recorder records looks. Each is durable before the method returns, so
// whoever answers afterwards answers nothing unseen. A crash loses only how
// often a question was asked again in the last minutes. Its methods may be
// called concurrently.
type Recorder struct {
	Audits *command.Handler[audit.State]
	Now    func() time.Time
	NewID  func() string // a new UUID

	mu      sync.Mutex // guards windows, not what is in them
	windows map[string]*window
}

// A window is one question of one person, and how often it was asked again
// since it was recorded.
type window struct {
	mu     sync.Mutex // held during the append, so that who asks the same at once waits for it
	at     time.Time  // when it was recorded; zero while it is not
	length time.Duration
	more   int
	record func(requests int) audit.Event
	caller session.Caller
	about  string
}

// A Look is a question for audit data and what was found.
type Look struct {
	View    string            // events, executions, ledger, exports …
	Filters map[string]string // what was asked for, without the page
	Count   int               // what was found, on all pages
	Opened  []string          // classes of sealed data that the answer shows
	About   string            // id of the user who was asked for, if it was one: that user's key seals the filters
}

// Queried records that somebody asked for audit data. The same question of the
// same person within five minutes is counted; another one is another look.
func (r *Recorder) Queried(ctx context.Context, c session.Caller, l Look) error {
	names := slices.Sorted(maps.Keys(l.Filters))
	parts := []string{"queried", c.User, l.View}
	for _, name := range names {
		parts = append(parts, name, l.Filters[name])
	}
	return r.note(ctx, key(parts), &window{length: patience, caller: c, about: l.About, record: func(requests int) audit.Event {
		return audit.AuditQueried{
			View: l.View, Filters: names, Count: l.Count, Requests: requests, SealedOpened: l.Opened, By: c.User, Values: l.Filters,
		}
	}})
}

// Inspected records that somebody looked into an execution of somebody else,
// once in five minutes.
func (r *Recorder) Inspected(ctx context.Context, c session.Caller, execution string, live bool) error {
	return r.note(ctx, key([]string{"inspected", c.User, execution}), &window{length: patience, caller: c, record: func(requests int) audit.Event {
		return audit.AuditExecutionInspected{Execution: execution, By: c.User, Live: live, Requests: requests}
	}})
}

// A Refusal is what somebody asked for and may not have.
type Refusal struct {
	View  string
	Event string // id of an event that was to be changed; empty for none
	Cause string // unauthenticated, permission or immutable
}

// Refused records a refusal, at most one a minute for the same person and
// thing: whoever may not look must not be able to fill the ledger either.
func (r *Recorder) Refused(ctx context.Context, c session.Caller, f Refusal) error {
	id := key([]string{"refused", c.User, f.View, f.Event})
	r.mu.Lock()
	full := r.windows[id] == nil && len(r.windows) >= maxWindows
	r.mu.Unlock()
	if full {
		return nil
	}
	return r.note(ctx, id, &window{length: refusalPatience, caller: c, record: func(int) audit.Event {
		return audit.AuditAccessRefused{View: f.View, Event: f.Event, Method: c.Method, By: c.User, Cause: f.Cause}
	}})
}

// key is what questions are told apart by. Filters are personal, and a key may
// get into a log line.
func key(parts []string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// note records what asked says, unless it was recorded within its time.
func (r *Recorder) note(ctx context.Context, id string, asked *window) error {
	w := r.window(id, asked)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := r.Now()
	if !w.at.IsZero() && now.Sub(w.at) < w.length {
		w.more++
		return nil
	}
	// The stream is the request's own, so nobody else writes to it. Dying
	// behind this line leaves a look on record that was never answered.
	if err := r.write(ctx, asked.caller.Request, asked, w.more+1); err != nil {
		return err
	}
	w.at, w.more, w.record, w.caller = now, 0, asked.record, asked.caller
	return nil
}

// window returns the window of a question, or the given one as its first.
func (r *Recorder) window(id string, first *window) *window {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.windows[id]; w != nil {
		return w
	}
	if len(r.windows) < maxWindows {
		if r.windows == nil {
			r.windows = map[string]*window{}
		}
		r.windows[id] = first
	}
	return first
}

func (r *Recorder) write(ctx context.Context, stream string, w *window, requests int) error {
	if stream == "" {
		stream = r.NewID()
	}
	write := func() error {
		_, err := r.Audits.Handle(ctx, eventstore.Stream("audit", stream), audit.Write{Event: w.record(requests)}, r.meta(w))
		return err
	}
	err := write()
	if _, gone := errors.AsType[*vault.DestroyedError](err); gone && w.about != "" {
		// Who was looked for is erased. It is the looker's own question then, as
		// is one for a name that nobody has.
		w.about = ""
		err = write()
	}
	return err
}

// meta says who looked. The filters are sealed for who was looked for.
func (r *Recorder) meta(w *window) codec.Meta {
	c := w.caller
	m := codec.Meta{Network: c.Network, Subject: "tenant", Time: r.Now()}
	m.Header.Actor = codec.Actor{Kind: "anonymous", Session: c.Session}
	if c.User != "" {
		m.Subject, m.Client = "user:"+c.User, "user:"+c.User
		m.Header.Actor = codec.Actor{Kind: "user", ID: c.User, Session: c.Session, Token: c.Token}
	}
	if c.Superuser {
		m.Header.Actor.Kind = "admin"
	}
	if w.about != "" {
		m.Subject = "user:" + w.about
	}
	m.Header.Request = codec.Request{ID: c.Request, Method: c.Method, Route: c.Route}
	m.Header.Brand = c.Brand
	m.Header.Correlation = c.Request
	return m
}

// Due returns the keys of questions whose time is over. With [Recorder.Settle]
// it is a task for a sweeper.
func (r *Recorder) Due(_ context.Context, now time.Time, limit int) (ids []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, w := range r.windows {
		if len(ids) == limit {
			break
		}
		if !w.mu.TryLock() {
			continue // being recorded now
		}
		if now.Sub(w.at) >= w.length {
			ids = append(ids, id)
		}
		w.mu.Unlock()
	}
	return ids, nil
}

// Settle forgets a question whose time is over, and records how often it was
// asked again.
func (r *Recorder) Settle(ctx context.Context, id string) error {
	r.mu.Lock()
	w := r.windows[id]
	r.mu.Unlock()
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Now().Sub(w.at) < w.length {
		return nil // asked anew meanwhile
	}
	if err := r.count(ctx, w); err != nil {
		return err
	}
	r.mu.Lock()
	delete(r.windows, id)
	r.mu.Unlock()
	return nil
}

// count records how often a question was asked again. What was asked, and from
// where, is in the look before it; not said twice, it cannot fail when those
// whom it is about are erased meanwhile.
func (r *Recorder) count(ctx context.Context, w *window) error {
	if w.more == 0 {
		return nil
	}
	again := &window{caller: w.caller}
	again.caller.Network = session.Network{}
	switch event := w.record(w.more).(type) {
	case audit.AuditQueried:
		event.Values = nil
		again.record = func(int) audit.Event { return event }
	case audit.AuditExecutionInspected:
		again.record = func(int) audit.Event { return event }
	default:
		return nil // a refusal says all there is
	}
	err := r.write(ctx, "", again, w.more)
	if err == nil {
		w.more = 0
	}
	return err
}
