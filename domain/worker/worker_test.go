package worker_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/worker"
)

func TestPark(t *testing.T) {
	parked := worker.WorkerEventParked{Worker: "settle", Event: "e", Position: "7", Class: "panic", Detail: "d"}
	other := parked
	other.Event = "f"
	events := []worker.Event{parked}
	domaintest.Run(t, map[string]domaintest.Spec[worker.State]{
		"an event that cannot be done is parked": {When: worker.Park{WorkerEventParked: parked}, Then: events},
		"another one is parked, too":             {Given: events, When: worker.Park{WorkerEventParked: other}, Then: []worker.Event{other}},
		"one that is parked stays so":            {Given: events, When: worker.Park{WorkerEventParked: parked}},
	})
	if s := domain.Fold(worker.State{}, parked, other); s.Parked != 2 {
		t.Errorf("got %d parked events, want 2", s.Parked)
	}
}
