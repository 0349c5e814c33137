package siem

import (
	"context"
	"fmt"
	"sync"

	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// maxOwned is how many streams that belong to users a generation holds.
const maxOwned = 2048

// owned are the categories whose streams belong to a user that not every event
// names.
var owned = map[string]bool{"session": true, "token": true, "consent": true}

// A holding is whose a stream is.
type holding struct {
	mu sync.Mutex
	// mu guards all of it.
	next   eventstore.Revision // the first that is not in here yet
	users  []from[string]
	intent string // of a token
}

// owner finds whose session, token or consent an event is about.
func (g *Gatherer) owner(ctx context.Context, r *Record) error {
	if !owned[r.Stream.Category()] {
		return nil
	}
	g.mu.Lock()
	h, ok := g.holdings.get(r.Stream)
	if !ok {
		h = &holding{}
	}
	g.holdings.put(r.Stream, h, maxOwned)
	g.mu.Unlock()

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.next == r.Revision {
		h.take(r.Decoded)
	}
	if h.next <= r.Revision {
		for e, err := range g.Store.ReadStream(ctx, r.Stream, h.next) {
			if err != nil {
				return fmt.Errorf("read %s: %w", r.Stream, err)
			}
			d, err := g.Codec.DecodeClear(e)
			if err != nil {
				return err
			}
			if h.take(d); h.next > r.Revision {
				break
			}
		}
	}
	r.Owner, r.Intent = last(h.users, r.Revision), h.intent
	if r.Stream.Category() == "session" {
		r.Session = r.Stream.ID()
	}
	return nil
}

// take adds the next event.
func (h *holding) take(d codec.Decoded) {
	h.next = d.Revision + 1
	user := ""
	switch e := d.Event.(type) {
	case session.SessionAuthenticated:
		user = e.User
	case token.TokenCreated:
		user, h.intent = e.User, e.Intent
	case token.TokenChanged:
		user, h.intent = e.To.User, e.To.Intent
	case consent.ConsentGranted:
		user = e.User
	}
	if user != "" && last(h.users, d.Revision) != user {
		h.users = append(h.users, from[string]{d.Revision, user})
	}
}
