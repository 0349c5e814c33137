package main

import (
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/handlers/worker"
)

// Two nodes share a ledger: each event goes out from one of them, and either
// tells how the sink is doing.
func TestSinkOfTwoNodes(t *testing.T) {
	s := newSite(t)
	one, two := s.node("one"), s.node("two")
	r := newReceiver(t)
	one.load(t, strings.ReplaceAll(sinkBlueprint, "URL", r.URL))
	stopOne, stopTwo := one.deliver(t), two.deliver(t)
	one.load(t, flowBlueprint("first"))
	comesTo(t, "the first", func() bool { return r.count("ObjectCreated") == 1 })
	sink := one.hook(t)
	two.sync(t)
	for _, a := range []*app{one, two} {
		comesTo(t, "health", func() bool { h := a.healthOf(t, sink.ID); return h.State == worker.Delivering && h.Lag < 5 })
	}
	works, stop, left := one, stopOne, two
	if one.outgoing.running(sink.ID) == nil {
		works, stop, left = two, stopTwo, one
	}
	if left.outgoing.running(sink.ID) != nil {
		t.Fatal("both nodes run the sink")
	}
	r.refusing("ObjectCreated")
	left.load(t, flowBlueprint("refused"))
	comesTo(t, "parking, as the other sees it", func() bool { h := left.healthOf(t, sink.ID); return h.Parked == 1 && h.State == worker.Parked })
	r.refusing("")
	stop() // its lease is given back
	left.load(t, flowBlueprint("second"))
	comesTo(t, "the other's turn", func() bool { return r.count("ObjectCreated") == 2 })
	if works.outgoing.running(sink.ID) != nil {
		t.Error("it runs still")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, n := range r.ids {
		if n > 1 {
			t.Errorf("event %s came %d times", id, n)
		}
	}
	if n := len(left.objects.Kind(trail.Model)); n != 1 {
		t.Errorf("there are %d sinks", n)
	}
}
