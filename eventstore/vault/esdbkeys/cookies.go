package esdbkeys

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// keptLonger is how long the engine keeps a cookie behind its end, for clocks
// differ.
const keptLonger = time.Hour

// A row is a cookie as it is stored.
type row struct {
	Session    string `json:"session"`
	Generation int    `json:"generation"`
	Expires    int64  `json:"expires"` // µs since 1970
}

// dropped is what a session's stream says.
type dropped struct {
	Below int `json:"below"` // generation from which on cookies live
}

func (e *Engine) streamOf(digest []byte) string {
	return e.name(cookieStream, hex.EncodeToString(digest))
}

// FindCookie implements [vault.Cookies].
func (e *Engine) FindCookie(ctx context.Context, digest []byte) (vault.Cookie, bool, error) {
	c, _, err := e.findCookie(ctx, digest)
	if err != nil || c.Digest == nil {
		return vault.Cookie{}, false, closedOr(err)
	}
	drop, _, err := e.dropped(ctx, c.Session)
	if err != nil || c.Generation < drop.Below {
		return vault.Cookie{}, false, closedOr(err)
	}
	return c, true, nil
}

// findCookie returns a cookie, also one that was dropped with its session, and
// the revision of its stream. If there is none it has no digest.
func (e *Engine) findCookie(ctx context.Context, digest []byte) (vault.Cookie, eventstore.Revision, error) {
	last, err := e.store.LastBeside(ctx, e.streamOf(digest))
	if err != nil || last.Revision < 0 {
		return vault.Cookie{}, -1, err
	}
	c, err := e.cookieOf(last)
	return c, last.Revision, err
}

func (e *Engine) cookieOf(entry esdb.Entry) (vault.Cookie, error) {
	var r row
	if err := json.Unmarshal(entry.Data, &r); err != nil {
		return vault.Cookie{}, fmt.Errorf("stream %s: %w", entry.Stream, err)
	}
	digest, err := hex.DecodeString(e.of(cookieStream, entry.Stream))
	if err != nil {
		return vault.Cookie{}, fmt.Errorf("stream %s: %w", entry.Stream, err)
	}
	return vault.Cookie{Digest: digest, Session: r.Session, Generation: r.Generation, Expires: time.UnixMicro(r.Expires).UTC()}, nil
}

// dropped tells which cookies of a session are dropped, and the revision of
// the stream that says so.
func (e *Engine) dropped(ctx context.Context, session string) (d dropped, at eventstore.Revision, err error) {
	last, err := e.store.LastBeside(ctx, e.name(sessionStream, session))
	if err != nil || last.Revision < 0 {
		return dropped{}, -1, err
	}
	if err := json.Unmarshal(last.Data, &d); err != nil {
		return d, -1, fmt.Errorf("stream %s: %w", last.Stream, err)
	}
	return d, last.Revision, nil
}

// AddCookie implements [vault.Cookies]. A crash after the new cookie leaves
// the old one with the life that it had; the session knows by its generation
// that it is the older one. A crash before the new one leaves at most a limit
// for a stream that does not exist.
func (e *Engine) AddCookie(ctx context.Context, c vault.Cookie, old []byte, graceUntil time.Time) error {
	stream := e.streamOf(c.Digest)
	if err := e.store.KeepFor(ctx, stream, max(c.Expires.Sub(e.now()), 0)+keptLonger); err != nil {
		return closedOr(err)
	}
	// If it is there already, this call is a repetition.
	if _, err := e.store.AppendBeside(ctx, stream, eventstore.NoStream, cookieAdded, dataOf(c)); err != nil || old == nil {
		return closedOr(err)
	}
	return closedOr(e.limit(ctx, old, graceUntil))
}

func dataOf(c vault.Cookie) []byte {
	data, err := json.Marshal(row{Session: c.Session, Generation: c.Generation, Expires: c.Expires.UnixMicro()})
	if err != nil {
		panic(fmt.Sprintf("esdbkeys: %v", err)) // texts and numbers always marshal
	}
	return data
}

// limit lets a cookie end at that time, unless it ends before.
func (e *Engine) limit(ctx context.Context, digest []byte, until time.Time) error {
	for {
		c, at, err := e.findCookie(ctx, digest)
		if err != nil || c.Digest == nil || !c.Expires.After(until) {
			return err
		}
		c.Expires = until
		limited, err := e.store.AppendBeside(ctx, e.streamOf(digest), eventstore.At(at), cookieLimited, dataOf(c))
		if err != nil || limited {
			return err
		}
	}
}

// DropCookies implements [vault.Cookies]. One event drops all of them, for a
// session does not know its cookies.
func (e *Engine) DropCookies(ctx context.Context, session string, below int) error {
	data := fmt.Appendf(nil, `{"below":%d}`, below)
	for {
		drop, at, err := e.dropped(ctx, session)
		if err != nil || drop.Below >= below {
			return closedOr(err)
		}
		done, err := e.store.AppendBeside(ctx, e.name(sessionStream, session), eventstore.At(at), cookiesDropped, data)
		if err != nil || done {
			return closedOr(err)
		}
	}
}
