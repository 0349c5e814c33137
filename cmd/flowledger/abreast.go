package main

import (
	"context"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// positionCookie tells a node how far the ledger was when its client was last
// answered, perhaps by another node.
const positionCookie = "flowledger_position"

// waitLimit is how long a request waits for this node to come abreast.
const waitLimit = 3 * time.Second

// abreast has each client see on any node what it did on another: whoever's
// request appended something is told a position, and the node that gets the
// next request waits until its read models are there. A node whose engine is
// out of reach sends everybody on.
func (a *app) abreast(secure func(*http.Request) bool, next http.Handler) http.Handler {
	if a.cluster == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/-/") || strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		if !a.runner.Reached() {
			away(w, r, eventstore.ErrUnavailable) // at once: the store would try for seconds
			return
		}
		seen, err := a.reach(r.Context(), positionOf(r))
		if err != nil {
			away(w, r, err)
			return
		}
		next.ServeHTTP(&positionWriter{
			ResponseWriter: w, cluster: a.cluster, seen: seen, before: a.cluster.Reached(), secure: secure(r),
		}, r)
	})
}

// away has a client come again.
func away(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Retry-After", "1")
	_, sentence := domain.Explain(err)
	refuse(w, r, http.StatusServiceUnavailable, sentence)
}

// positionOf reads the cookie. What nobody here wrote counts as none.
func positionOf(r *http.Request) (at eventstore.Position) {
	if c, err := r.Cookie(positionCookie); err == nil {
		if parsed, err := eventstore.ParsePosition(c.Value); err == nil {
			at = parsed
		}
	}
	return at
}

// errBehind is for clients that have seen more of the ledger than this node.
var errBehind = &domain.Error{
	Code: domain.Busy, Message: "This server has not caught up with the others yet. Try again in a moment.", Err: eventstore.ErrUnavailable,
}

// endOfLedger is behind every event there will be.
var endOfLedger = eventstore.PositionOf(math.MaxUint64)

// reach returns when the read models show the event at position, and a
// position that is in the ledger: one behind its end is nobody's, or of another
// ledger.
func (a *app) reach(ctx context.Context, position eventstore.Position) (eventstore.Position, error) {
	if a.runner.Applied().Compare(position) >= 0 {
		return position, nil
	}
	limited, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	head, err := a.store.Head(limited)
	if err == nil {
		if position.Compare(head) > 0 {
			position = head
		}
		err = a.runner.WaitFor(limited, position)
	}
	if limited.Err() != nil && ctx.Err() == nil {
		err = errBehind
	}
	return position, err
}

// A positionWriter adds the cookie to an answer, if something was appended
// since the request came. That somebody else may have done so does no harm.
type positionWriter struct {
	http.ResponseWriter
	cluster *cluster
	seen    eventstore.Position
	before  eventstore.Position
	secure  bool
	begun   bool
}

// WriteHeader implements [http.ResponseWriter].
func (w *positionWriter) WriteHeader(status int) {
	w.tell()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *positionWriter) Write(p []byte) (int, error) {
	w.tell()
	return w.ResponseWriter.Write(p)
}

func (w *positionWriter) tell() {
	reached := w.cluster.Reached()
	if w.begun || reached == w.before || reached.Compare(w.seen) <= 0 {
		w.begun = true
		return
	}
	w.begun = true
	http.SetCookie(w.ResponseWriter, &http.Cookie{
		Name: positionCookie, Value: reached.String(), Path: "/", HttpOnly: true, Secure: w.secure, SameSite: http.SameSiteLaxMode,
	})
}

// Unwrap lets [http.ResponseController] reach the writer below.
func (w *positionWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
