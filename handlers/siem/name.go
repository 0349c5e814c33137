package siem

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Of networks and people, this many are remembered, for no longer than this:
// what is remembered is personal, and its key may be destroyed meanwhile.
const (
	maxNetworks = 2048
	maxPeople   = 2048
	maxAge      = 30 * time.Second
)

// name finds who acted, about whom, and from where.
func (g *Gatherer) name(ctx context.Context, r *Record) error {
	user, target := involved(r)
	r.User.ID, r.Target.ID = user, target
	if !g.Personal {
		return nil
	}
	evicted := g.forget()
	// What was read just before somebody was erased is not kept.
	defer func() {
		if g.evictions.Load() != evicted {
			g.drop()
		}
	}()
	var err error
	if r.User, err = g.person(ctx, user); err != nil {
		return err
	}
	if r.Target, err = g.person(ctx, target); err != nil {
		return err
	}
	var own session.Network
	if r.Personal, own, err = g.open(ctx, r.Recorded, r.Event); err != nil {
		return err
	}
	if r.Network, err = g.network(ctx, r, own); err == nil {
		r.Network.IP = address(r.Network.IP)
	}
	return err
}

// address is an address as all formats have it: without a zone, and IPv4 as
// IPv4. What is none is nothing.
func address(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return a.WithZone("").Unmap().String()
}

// Evict drops the names and networks that are remembered. It is for whoever
// reads in the ledger that keys were destroyed.
func (g *Gatherer) Evict() {
	g.evictions.Add(1)
	g.drop()
}

func (g *Gatherer) drop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.networks, g.people = memory[string, session.Network]{}, memory[string, Person]{}
}

// forget drops what is remembered for too long, and tells how often all of it
// was dropped.
func (g *Gatherer) forget() int64 {
	now := time.Now()
	if g.Now != nil {
		now = g.Now()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.networks.age(now, maxAge)
	g.people.age(now, maxAge)
	return g.evictions.Load()
}

// person finds a user's names.
func (g *Gatherer) person(ctx context.Context, id string) (Person, error) {
	if id == "" || g.People == nil {
		return Person{ID: id}, nil
	}
	g.mu.Lock()
	p, ok := g.people.get(id)
	g.mu.Unlock()
	if ok {
		return p, nil
	}
	found, err := g.People.Person(ctx, id)
	if err != nil {
		return Person{}, fmt.Errorf("find user %s: %w", id, err)
	}
	p = Person{ID: id, Username: found.Username, Name: found.Name, Email: found.Email}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.people.put(id, p, maxPeople)
	return p, nil
}

// open returns the payload with its personal fields, nil if it has none, and
// the network of the append, as far as they are here and not forgotten.
func (g *Gatherer) open(ctx context.Context, e eventstore.Recorded, event any) (json.RawMessage, session.Network, error) {
	var carried struct {
		Network session.Network `json:"network"`
	}
	if len(e.Sealed) == 0 {
		return nil, carried.Network, nil
	}
	opened, err := g.Codec.Reveal(ctx, e, domain.Profile, domain.Network)
	if err != nil || len(opened) == len(e.Payload) {
		return nil, carried.Network, err // nothing was added
	}
	// No error says what was sealed.
	if json.Unmarshal(opened, &carried) != nil {
		return nil, session.Network{}, fmt.Errorf("open %s: it is malformed", e.ID)
	}
	if !hasPersonal(reflect.TypeOf(event)) {
		return nil, carried.Network, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(opened, &fields) != nil {
		return nil, session.Network{}, fmt.Errorf("open %s: it is malformed", e.ID)
	}
	delete(fields, "network")
	opened, err = json.Marshal(fields)
	return opened, carried.Network, err
}

// personal remembers which types have personal fields of their own.
var personal sync.Map

// hasPersonal tells whether events of a type have fields of class P or N,
// besides the network that any may carry.
func hasPersonal(t reflect.Type) bool {
	if t == nil || t.Kind() != reflect.Struct {
		return false
	}
	if known, ok := personal.Load(t); ok {
		return known.(bool)
	}
	has := false
	for i := range t.NumField() {
		f := t.Field(i)
		class := f.Tag.Get("seal")
		has = has || class == string(rune(domain.Profile)) || class == string(rune(domain.Network)) || f.Anonymous && hasPersonal(f.Type)
	}
	personal.Store(t, has)
	return has
}

// network finds where the request of an append came from. Its first event
// carries that, in the same stream.
func (g *Gatherer) network(ctx context.Context, r *Record, own session.Network) (session.Network, error) {
	carrier := r.Header.Net
	if carrier == "" {
		if len(r.Sealed) > 0 {
			g.remember(r.ID.String(), own)
		}
		return own, nil
	}
	g.mu.Lock()
	n, ok := g.networks.get(carrier)
	g.mu.Unlock()
	if ok {
		return n, nil
	}
	n, err := g.carried(ctx, r.Stream, r.Revision, carrier)
	if err == nil {
		g.remember(carrier, n)
	}
	return n, err
}

func (g *Gatherer) remember(carrier string, n session.Network) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.networks.put(carrier, n, maxNetworks)
}

// carried looks for the event that carries a network, first among the events
// shortly before, as an append is short.
func (g *Gatherer) carried(ctx context.Context, stream eventstore.StreamID, at eventstore.Revision, id string) (n session.Network, err error) {
	const most = 64
	for _, since := range []eventstore.Revision{max(0, at-most), 0} {
		for e, err := range g.Store.ReadStream(ctx, stream, since) {
			if err != nil {
				return n, fmt.Errorf("read %s: %w", stream, err)
			}
			if e.Revision >= at {
				break
			}
			if e.ID.String() == id {
				_, n, err = g.open(ctx, e, nil)
				return n, err
			}
		}
		if since == 0 {
			break
		}
	}
	return n, nil
}
