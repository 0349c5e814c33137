package worker_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/worker"
)

func TestCommands(t *testing.T) {
	parked := worker.WorkerEventParked{Worker: "settle", Event: "e", Position: "7", Class: "panic", Detail: "d", Stream: "execution-x"}
	other := parked
	other.Event = "f"
	released, abandoned := worker.WorkerEventReleased{Event: "e", By: "u"}, worker.WorkerEventAbandoned{Event: "e", By: "u"}
	given := func(events ...worker.Event) []worker.Event { return events }
	domaintest.Run(t, map[string]domaintest.Spec[worker.State]{
		"an event that cannot be done is parked": {When: worker.Park{WorkerEventParked: parked}, Then: given(parked)},
		"another one is parked, too":             {Given: given(parked), When: worker.Park{WorkerEventParked: other}, Then: given(other)},
		"one that is parked stays so":            {Given: given(parked), When: worker.Park{WorkerEventParked: parked}},
		"also if it was to be tried again":       {Given: given(parked), When: worker.Park{WorkerEventParked: parked, Again: true}},
		"one that was released is known":         {Given: given(parked, released), When: worker.Park{WorkerEventParked: parked}},
		"it is parked again if that went wrong":  {Given: given(parked, released), When: worker.Park{WorkerEventParked: parked, Again: true}, Then: given(parked)},
		"a parked event is released":             {Given: given(parked), When: worker.Release{Event: "e", By: "u"}, Then: given(released)},
		"and once":                               {Given: given(parked, released), When: worker.Release{Event: "e"}, Fails: domain.NotFound},
		"what is not parked cannot be released":  {Given: given(parked), When: worker.Release{Event: "f"}, Fails: domain.NotFound},
		"a parked event is abandoned":            {Given: given(parked), When: worker.Abandon{Event: "e", By: "u"}, Then: given(abandoned)},
		"then it cannot be released":             {Given: given(parked, abandoned), When: worker.Release{Event: "e"}, Fails: domain.NotFound},
		"what is not parked cannot be abandoned": {When: worker.Abandon{Event: "e"}, Fails: domain.NotFound},
	})
	s := domain.Fold(worker.State{}, parked, other, parked)
	if s.Parked != 2 || s.Places["f"].Stream != "execution-x" {
		t.Errorf("got %+v, want 2 parked events", s)
	}
	if s = domain.Fold(s, worker.Event(released)); s.Parked != 1 {
		t.Errorf("got %d parked events after one was released", s.Parked)
	}
}
