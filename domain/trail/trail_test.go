package trail_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/trail"
)

func given(events ...trail.Event) []trail.Event { return events }

func TestCommands(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	failed := trail.ExportDeliveryFailed{From: "7", Attempts: 3, Class: "status 503"}
	recovered := trail.ExportDeliveryRecovered{From: "7", Attempts: 9}
	batch := trail.ExportBatchDelivered{From: "1", To: "5", Count: 4, Ack: "200"}
	told := batch
	told.Told = now
	later := batch
	later.Told = now.Add(time.Minute)
	domaintest.Run(t, map[string]domaintest.Spec[trail.State]{
		"an outage is told of":             {When: trail.Fail{ExportDeliveryFailed: failed}, Then: given(failed)},
		"once":                             {Given: given(failed), When: trail.Fail{ExportDeliveryFailed: failed}},
		"and its end":                      {Given: given(failed), When: trail.Recover{Attempts: 9}, Then: given(recovered)},
		"which comes once, too":            {Given: given(failed, recovered), When: trail.Recover{Attempts: 9}},
		"the next outage is another":       {Given: given(failed, recovered), When: trail.Fail{ExportDeliveryFailed: failed}, Then: given(failed)},
		"a delivery is told of":            {When: trail.Deliver{ExportBatchDelivered: batch, Now: now}, Then: given(told)},
		"not twice in a minute":            {Given: given(told), When: trail.Deliver{ExportBatchDelivered: batch, Now: now.Add(59 * time.Second)}},
		"but in the next one":              {Given: given(told), When: trail.Deliver{ExportBatchDelivered: batch, Now: now.Add(time.Minute)}, Then: given(later)},
		"nothing is no delivery":           {When: trail.Deliver{Now: now}},
		"somebody wants events sent again": {When: trail.Resend{From: "3", By: "u"}, Then: given(trail.ExportResendRequested{From: "3", By: "u"})},
	})
	s := domain.Fold(trail.State{}, trail.Event(told), later, trail.ExportResendRequested{From: "3"})
	if s.Delivered != 8 || s.Resends != 1 || s.From != "3" {
		t.Errorf("got %+v", s)
	}
}
