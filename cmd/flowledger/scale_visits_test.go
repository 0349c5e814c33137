package main

import (
	pile "container/heap"
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A visitor writes very many executions into the ledger of a filled folder, as
// they would have been recorded in half a year: of many flows in many
// revisions, with all outcomes, from everywhere. What belongs to a time is
// recorded at that time, so that they take as long as people do.
type visitor struct {
	*filler
	random  *rand.Rand
	visits  int            // that are to be made
	made    int            // so far
	coming  comings        // appends that are still to be made
	started func(x *visit) // told of each; may be nil
	last    time.Time      // when the last append was recorded
}

// visited is how long the executions of a filled folder have been made.
const visited = 180 * 24 * time.Hour

// A visit is one execution.
type visit struct {
	n         int
	id        string
	who       int // number of the user
	revision  eventstore.Revision
	network   session.Network
	subject   string          // whose key seals
	appends   [][]codec.Event // that are to come
	after     []time.Duration // each of them, behind the one before
	kinds     []string        // of the stages that come up
	said      []string        // policy:verdict
	evaluated string          // id of the evaluation that denied
}

// A coming is the next append of a visit.
type coming struct {
	at time.Time
	*visit
	events []codec.Event
}

// comings are a heap, the earliest first.
type comings []coming

func (c comings) Len() int           { return len(c) }
func (c comings) Less(i, k int) bool { return c[i].at.Before(c[k].at) }
func (c comings) Swap(i, k int)      { c[i], c[k] = c[k], c[i] }
func (c *comings) Push(x any)        { *c = append(*c, x.(coming)) }
func (c *comings) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// fillVisits writes a data folder with executions.
func fillVisits(t testing.TB, folder string, size filling, visits int, started func(*visit)) {
	t.Helper()
	size.events = 1 << 40 // whatever is written beside them is as old as the ledger
	f := &filler{filling: size, t: t, now: time.Now()}
	f.begun = f.now.Add(-visited)
	f.writes.SetLimit(256)
	f.open(folder)
	for _, write := range []func(){f.configured, f.people, f.groups, f.keys} {
		write()
		if err := f.writes.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	v := &visitor{filler: f, random: rand.New(rand.NewPCG(7, 11)), visits: visits, started: started, last: f.clock().Add(time.Second)}
	if err := v.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.vault.Close(); err != nil {
		t.Fatal(err)
	}
}

// atOnce is how many appends are recorded together.
const atOnce = 4000

// run makes all visits, in the order of their appends.
func (v *visitor) run(ctx context.Context) error {
	for batch := v.next(); len(batch) > 0; batch = v.next() {
		encoded := make([][]eventstore.NewEvent, len(batch))
		var group errgroup.Group
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			group.Go(func() (err error) {
				for i := w; i < len(batch) && err == nil; i += workers {
					encoded[i], err = v.encode(ctx, batch[i])
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		var events []eventstore.Recorded
		for i, c := range batch {
			for _, e := range encoded[i] {
				events = append(events, eventstore.Recorded{
					NewEvent: e, Stream: eventstore.Stream("execution", c.id), Revision: c.revision, RecordedAt: c.at,
				})
				c.revision++
			}
		}
		if err := v.store.Restore(ctx, events...); err != nil {
			return err
		}
	}
	return nil
}

// next returns the next appends.
func (v *visitor) next() (batch []coming) {
	for len(batch) < atOnce {
		if v.made < v.visits {
			at := v.begun.Add(time.Hour + time.Duration(float64(visited-time.Hour)*float64(v.made)/float64(v.visits)))
			if len(v.coming) == 0 || at.Before(v.coming[0].at) {
				x := v.visit()
				pile.Push(&v.coming, coming{at, x, x.appends[0]})
			}
		}
		if len(v.coming) == 0 {
			break
		}
		c := pile.Pop(&v.coming).(coming)
		if c.at.After(v.now) {
			continue // it has not happened yet
		}
		if c.appends, c.after = c.appends[1:], c.after[1:]; len(c.appends) > 0 {
			pile.Push(&v.coming, coming{c.at.Add(c.after[0]), c.visit, c.appends[0]})
		}
		if c.at.Before(v.last) {
			c.at = v.last
		}
		v.last = c.at
		batch = append(batch, c)
	}
	return batch
}

// encode makes the events of an append.
func (v *visitor) encode(ctx context.Context, c coming) ([]eventstore.NewEvent, error) {
	m := codec.Meta{Subject: c.subject, Time: c.at}
	if _, first := c.events[0].(execution.ExecutionStarted); first || c.n%10 == 0 {
		m.Network = c.network // of all appends it would double the ledger
	}
	m.Header.Execution, m.Header.Correlation = c.id, c.id
	m.Header.Actor = codec.Actor{Kind: "anonymous", Session: scaleID("session", c.n)}
	m.Header.Request = codec.Request{ID: uuid.NewString(), Method: "POST", Route: "/api/v3/flows/executor/{slug}/"}
	return v.codec.Encode(ctx, eventstore.Stream("execution", c.id), m, c.events...)
}
