package projections

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Sum adds up the scores of an address and of an identifier, whichever is not
// empty, each score once; without both it is the sum of all. Scores that have
// expired by now count as absent.
func (r *Reputation) Sum(ctx context.Context, ip, identifier string, now time.Time) (sum int64, err error) {
	text, args := r.sum(ip, identifier, now)
	err = r.views.read(ctx, "reputation", text, args, func(s *sqlite.Stmt) error {
		sum = s.ColumnInt64(0)
		return nil
	})
	return sum, err
}

// sum is the query of [Reputation.Sum]: two walks along one index each, for
// one client may try a great many names.
func (r *Reputation) sum(ip, identifier string, now time.Time) (text string, args []any) {
	if ip == "" && identifier == "" {
		return "SELECT coalesce(sum(score), 0) FROM reputation WHERE expires > ?", []any{micros(now)}
	}
	address := r.key(ipPurpose, ip)
	return `SELECT (SELECT coalesce(sum(score), 0) FROM reputation WHERE ip = ? AND expires > ?)
			+ (SELECT coalesce(sum(score), 0) FROM reputation WHERE identifier = ? AND expires > ? AND ip <> ?)`,
		[]any{address, micros(now), r.key(identifierPurpose, identifier), micros(now), address}
}

// A Score is the reputation of one identifier at one address. What is
// forgotten in it is empty.
type Score struct {
	ID         string
	Identifier string
	Score      int64
	Network    session.Network
	Updated    time.Time
	Expires    time.Time
}

// A ScoreFilter says which scores are wanted. What is empty does not matter.
type ScoreFilter struct {
	ID, IP      string
	Identifiers []string
	Score       *int64
	At          time.Time // scores that have expired by then are not wanted
}

// List returns the scores that f wants and how many there are on all pages: by
// score or by the time of the last change, that one newest first unless order
// is score, -score or updated.
func (r *Reputation) List(ctx context.Context, f ScoreFilter, order string, p Page) ([]Score, int, error) {
	w := r.where(f)
	total, err := r.views.count(ctx, "reputation", "SELECT count(*) FROM reputation"+w.sql(), w.args)
	if err != nil {
		return nil, 0, err
	}
	column, descending := strings.CutPrefix(order, "-")
	if column != "score" && column != "updated" {
		column, descending = "updated", true
	}
	rows, err := r.find(ctx, w, " ORDER BY "+column+direction(descending)+", id"+p.sql())
	if err != nil {
		return nil, 0, err
	}
	scores := make([]Score, len(rows))
	faults := make([]error, len(rows))
	// A search opens many: all cores share that.
	var wg sync.WaitGroup
	for w := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := w; i < len(rows); i += runtime.GOMAXPROCS(0) {
				scores[i], faults[i] = r.open(ctx, rows[i])
			}
		})
	}
	wg.Wait()
	if err := errors.Join(faults...); err != nil {
		return nil, 0, err
	}
	return scores, total, nil
}

func (r *Reputation) where(f ScoreFilter) where {
	var w where
	var identifiers []string
	for _, text := range f.Identifiers {
		identifiers = append(identifiers, r.key(identifierPurpose, text))
	}
	w.equal("id", f.ID)
	w.equal("ip", r.key(ipPurpose, f.IP))
	w.oneOf("identifier", identifiers)
	if f.Score != nil {
		w.add("score = ?", *f.Score)
	}
	w.add("expires > ?", micros(f.At))
	return w
}

// A scoreRow is a score with the places in the ledger that tell of whom it is.
type scoreRow struct {
	Score
	at, named place
}

// A place is where the ledger has an event.
type place struct {
	stream   eventstore.StreamID
	revision eventstore.Revision
}

func placeAt(s *sqlite.Stmt, stream, revision string) place {
	return place{eventstore.StreamID(s.GetText(stream)), eventstore.Revision(s.GetInt64(revision))}
}

func (r *Reputation) find(ctx context.Context, w where, end string) ([]scoreRow, error) {
	var rows []scoreRow
	err := r.views.read(ctx, "reputation", "SELECT * FROM reputation"+w.sql()+end, w.args, func(s *sqlite.Stmt) error {
		rows = append(rows, scoreRow{
			Score: Score{ID: s.GetText("id"), Score: s.GetInt64("score"), Updated: timeAt(s, "updated"), Expires: timeAt(s, "expires")},
			at:    placeAt(s, "stream", "revision"), named: placeAt(s, "named_stream", "named_revision"),
		})
		return nil
	})
	return rows, err
}

// open reads from the ledger what the row must not have: who, and from where.
func (r *Reputation) open(ctx context.Context, row scoreRow) (Score, error) {
	e, err := r.event(ctx, row.at)
	if err == nil && e.Network == nil && e.Header.Net != "" {
		e.Network, err = networkBefore(ctx, r.store, r.codec, e)
	}
	if err != nil {
		return Score{}, err
	}
	row.Score.Network = networkOf(e)
	if row.named != row.at {
		if e, err = r.event(ctx, row.named); err != nil {
			return Score{}, err
		}
	}
	switch event := e.Event.(type) {
	case execution.LoginFailed:
		row.Identifier = event.Identifier
	case execution.IdentificationFailed:
		row.Identifier = event.Identifier
	case user.UserCreated:
		row.Identifier = event.Username
	case user.UserRenamed:
		row.Identifier = event.Username
	}
	return row.Score, nil
}

func (r *Reputation) event(ctx context.Context, at place) (codec.Decoded, error) {
	for recorded, err := range r.store.ReadStream(ctx, at.stream, at.revision) {
		if err != nil {
			return codec.Decoded{}, fmt.Errorf("read event %d of %s: %w", at.revision, at.stream, err)
		}
		return r.codec.Decode(ctx, recorded)
	}
	return codec.Decoded{}, fmt.Errorf("read event %d of %s: the ledger does not have it", at.revision, at.stream)
}
