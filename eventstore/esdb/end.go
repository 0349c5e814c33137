package esdb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// ends remembers where the ledger ended when somebody looked. Behind its last
// event there may be any number of others, for leases are written all the
// time, and they need not be read twice.
type ends struct {
	mu   sync.Mutex // guards all below
	seen uint64     // nothing of the ledger stands behind last, up to here
	last last
}

// last is the last event of the ledger.
type last struct {
	position uint64
	at       time.Time
}

// Head returns the position of the last event, as the engine tells.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	if err := s.ready(ctx); err != nil {
		return eventstore.Position{}, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	end, err := s.head(ctx)
	return eventstore.PositionOf(end.position), err
}

// head reads back from the end of all streams to the last event of the
// ledger, or to where somebody has read before.
func (s *Store) head(ctx context.Context) (last, error) {
	s.ends.mu.Lock()
	seen, found := s.ends.seen, s.ends.last
	s.ends.mu.Unlock()
	var top uint64
	var from esdb.AllPosition = esdb.End{}
	for searching := true; searching; {
		p, err := s.backwards(ctx, from)
		if err != nil {
			return last{}, fmt.Errorf("find the end of the ledger: %w", err)
		}
		for _, e := range p.events {
			top = max(top, e.Position.Commit)
			if e.Position.Commit <= seen {
				searching = false
				break
			}
			if !outside(e.StreamID) {
				recorded, err := decode(e)
				if err != nil {
					return last{}, err
				}
				found, searching = last{e.Position.Commit, recorded.RecordedAt}, false
				break
			}
			from = e.Position
		}
		searching = searching && p.more && len(p.events) > 0
	}
	s.ends.mu.Lock()
	defer s.ends.mu.Unlock()
	if top > s.ends.seen {
		s.ends.seen, s.ends.last = top, found
	}
	return found, nil
}

func (s *Store) backwards(ctx context.Context, from esdb.AllPosition) (page, error) {
	count := uint64(pageEvents)
	if _, first := from.(esdb.End); first {
		count = 10 // as a rule the end is near
	}
	return s.page(ctx, count, func(ctx context.Context, conn *connection, count uint64) (*esdb.ReadStream, error) {
		return conn.client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: from}, count)
	})
}

// lastOfAll returns the position of the last event of any stream, 0 if there
// is none.
func (s *Store) lastOfAll(ctx context.Context) (uint64, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return retry(ctx, s, readLast)
}

func readLast(ctx context.Context, conn *connection) (uint64, error) {
	p, err := readPage(ctx, conn, 1, func(ctx context.Context, conn *connection, count uint64) (*esdb.ReadStream, error) {
		return conn.client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, count)
	})
	if err != nil || len(p.events) == 0 {
		return 0, err
	}
	return p.events[0].Position.Commit, nil
}
