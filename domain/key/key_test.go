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
