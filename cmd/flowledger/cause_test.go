package main

import (
	"bytes"
	"testing"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/eventstore"
)

const causes = `
version: 1
entries:
  - model: authentik_flows.flow
    identifiers: {slug: caused}
    attrs: {name: Caused, title: Caused, designation: authentication}
  - model: authentik_core.group
    identifiers: {name: caused}
    attrs: {attributes: {seat: 4C}}
  - model: authentik_core.user
    identifiers: {username: caused}
    attrs: {name: Caused, password: secret}
`

// Every event of an import names the import's start as its cause, so that one
// import is one readable change; and nothing of it is sealed as the program's
// own.
func TestAnImportIsTheCauseOfItsChanges(t *testing.T) {
	a, _ := newApp(t)
	before := a.head(t)
	a.load(t, causes)
	var start string
	var changes int
	for e, err := range a.store.ReadAll(t.Context(), eventstore.PositionOf(before)) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.codec.Decode(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		switch event := d.Event.(type) {
		case blueprint.BlueprintImportStarted:
			start = e.ID.String()
			if event.Import != start || d.Header.Causation != "" {
				t.Errorf("the import %s began with %s, because of %q", event.Import, start, d.Header.Causation)
			}
			continue
		case blueprint.BlueprintImportFinished:
			if event.Digest == "" || event.Created != 3 {
				t.Errorf("finished: %+v", event)
			}
		}
		if start == "" {
			continue // the integer key of the user was taken before
		}
		changes++
		if d.Header.Causation != start || d.Header.Correlation != start {
			t.Errorf("%s because of %q, on the way of %q", e.Type, d.Header.Causation, d.Header.Correlation)
		}
		if bytes.Contains(e.Sealed, []byte("tenant")) {
			t.Errorf("%s is sealed as the program's own", e.Type)
		}
	}
	if changes < 6 {
		t.Errorf("%d events follow from the start", changes)
	}
}
