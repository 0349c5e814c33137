package key_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/key"
)

func TestDestroy(t *testing.T) {
	gone := key.SubjectKeyDestroyed{Kind: key.User, Classes: []string{"P", "T", "N"}, Cause: "erasure_request", By: "u", Bound: 2}
	domaintest.Run(t, map[string]domaintest.Spec[key.State]{
		"what is destroyed is recorded":    {When: key.Destroy{SubjectKeyDestroyed: gone}, Then: []domain.Event[key.State]{gone}},
		"it cannot be destroyed once more": {Given: []domain.Event[key.State]{gone}, When: key.Destroy{SubjectKeyDestroyed: gone}},
	})
}

func TestDestroyEpoch(t *testing.T) {
	gone := key.EpochKeyDestroyed{Class: "T", Epoch: "2025-10", Events: 7, First: "1", Last: "9"}
	domaintest.Run(t, map[string]domaintest.Spec[key.State]{
		"a month that is gone is recorded": {When: key.DestroyEpoch{EpochKeyDestroyed: gone}, Then: []domain.Event[key.State]{gone}},
		"it is recorded once":              {Given: []domain.Event[key.State]{gone}, When: key.DestroyEpoch{EpochKeyDestroyed: gone}},
	})
	if id := key.EpochID(domain.Trace, "2025-10"); id != "T.2025-10" {
		t.Errorf("the stream is called by %q", id)
	}
}
