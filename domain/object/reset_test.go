package object_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/object"
)

func TestReset(t *testing.T) {
	reset := object.Reset{Kind: "k", Name: "n", By: "u", Via: "api"}
	removed := object.ObjectRemoved{Kind: "k", Name: "n", By: "u", Via: "api"}
	for sentence, spec := range map[string]domaintest.Spec[object.State]{
		"what nobody made can be ended": {When: reset, Then: []object.Event{removed}},
		"it can be ended again":         {Given: []object.Event{removed}, When: reset, Then: []object.Event{removed}},
	} {
		t.Run(sentence, spec.Run)
	}
}
