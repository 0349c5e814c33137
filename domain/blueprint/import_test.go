package blueprint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/domaintest"
)

type events = []blueprint.Event

type spec = domaintest.Spec[blueprint.State]

// added is an instance; its import is under way after started.
var (
	terms = blueprint.Terms{
		Name: "n", Path: "a.yaml", Source: blueprint.FromFile, Enabled: true, CredentialID: "k", ContextKeys: []string{"c"},
		Content: domain.NewSecret("t"), Context: domain.NewSecret("{}"),
	}
	added   = blueprint.BlueprintAdded{Terms: terms, By: "u", Via: "api"}
	dropped = blueprint.BlueprintRemoved{Name: "n", Path: "a.yaml", By: "u", Via: "api"}
	started = blueprint.BlueprintImportStarted{
		Import: "i", File: "a.yaml", Digest: "d", By: "u", Via: "api", Text: domain.NewSecret("t"), Context: domain.NewSecret("c"),
	}
	finished = blueprint.BlueprintImportFinished{Status: "successful", Created: 1, Updated: 2, Deleted: 3, Unchanged: 4, Hash: "h"}
	failed   = blueprint.BlueprintImportFinished{Status: "error", Hash: "h", Logs: []string{"why"}}
	metadata = blueprint.Metadata{Name: "N", Labels: map[string]string{"a": "b"}}
)

func TestImportIsAStream(t *testing.T) {
	other := started
	other.Import = "j"
	start, finish := blueprint.StartImport{BlueprintImportStarted: started}, blueprint.FinishImport{Import: "i", BlueprintImportFinished: finished}
	domaintest.Run(t, map[string]spec{
		"an import starts":                             {When: start, Then: events{started}},
		"an import that is under way is not started":   {Given: events{started}, When: start},
		"an import that is done is not started":        {Given: events{started, finished}, When: start},
		"a second one must wait":                       {Given: events{added, started}, When: blueprint.StartImport{BlueprintImportStarted: other}, Fails: domain.Conflict},
		"and starts after the first":                   {Given: events{added, started, finished}, When: blueprint.StartImport{BlueprintImportStarted: other}, Then: events{other}},
		"an import finishes":                           {Given: events{started}, When: finish, Then: events{finished}},
		"an import finishes once":                      {Given: events{started, finished}, When: finish},
		"an import that never started does not finish": {When: finish},
		"nor does another one":                         {Given: events{other}, When: finish},
	})

	s := domain.Fold(blueprint.State{}, started)
	want := blueprint.State{Import: blueprint.Import{ID: "i", Status: blueprint.Importing, File: "a.yaml", Text: "t", Context: "c", By: "u", Via: "api"}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("under way (-want +got):\n%s", diff)
	}
	want.Import.Status, want.Import.Text, want.Import.Context = blueprint.Imported, "", ""
	want.Outcome = blueprint.Outcome{Status: "successful", Tried: "h", Applied: "h"}
	if diff := cmp.Diff(want, domain.Fold[blueprint.State](s, finished)); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestWhatBecameOfAnInstance(t *testing.T) {
	note := func(asked bool, f blueprint.BlueprintImportFinished) blueprint.NoteImport {
		return blueprint.NoteImport{Asked: asked, BlueprintImportFinished: f}
	}
	domaintest.Run(t, map[string]spec{
		"that there was nothing to do is noted":       {Given: events{added}, When: note(false, finished), Then: events{finished}},
		"but not twice":                               {Given: events{added, finished}, When: note(false, finished)},
		"unless somebody asked":                       {Given: events{added, finished}, When: note(true, finished), Then: events{finished}},
		"that it failed is noted":                     {Given: events{added, finished}, When: note(false, failed), Then: events{failed}},
		"but not twice, either":                       {Given: events{added, failed}, When: note(false, failed)},
		"that another text fails is noted":            {Given: events{added, failed}, When: note(false, blueprint.BlueprintImportFinished{Status: "error", Hash: "g"}), Then: events{blueprint.BlueprintImportFinished{Status: "error", Hash: "g"}}},
		"nothing is noted while it is applied":        {Given: events{added, started}, When: note(true, failed)},
		"nothing is noted of what is not kept":        {When: note(true, failed)},
		"nor of what was dropped":                     {Given: events{added, dropped}, When: note(true, failed)},
		"an import goes on when its instance is gone": {Given: events{added, started, dropped}, When: blueprint.FinishImport{Import: "i", BlueprintImportFinished: finished}, Then: events{finished}},
		"and when another is there for the same file": {Given: events{added, started, dropped, added}, When: blueprint.FinishImport{Import: "i", BlueprintImportFinished: finished}, Then: events{finished}},
	})
	done := finished
	done.Models, done.Metadata = []string{"m"}, metadata
	s := domain.Fold[blueprint.State](blueprint.State{}, added, done, failed)
	want := blueprint.Outcome{Status: "error", Tried: "h", Applied: "h", Logs: []string{"why"}}
	if diff := cmp.Diff(want, s.Outcome); diff != "" {
		t.Errorf("a text that fails later (-want +got):\n%s", diff)
	}
}

func TestKeep(t *testing.T) {
	with := func(change func(*blueprint.Terms)) blueprint.Terms {
		t := terms
		change(&t)
		return t
	}
	found := with(func(t *blueprint.Terms) { t.Found = true })
	disabled := with(func(t *blueprint.Terms) { t.Enabled = false })
	another := with(func(t *blueprint.Terms) { t.Content, t.Name, t.CredentialID = domain.NewSecret("u"), "m", "l" })
	keep := func(t blueprint.Terms, create bool) blueprint.Keep {
		return blueprint.Keep{Terms: t, By: "u", Via: "api", Create: create}
	}
	changed := func(t blueprint.Terms, before blueprint.Before, names ...string) events {
		return events{blueprint.BlueprintChanged{Terms: t, Changed: names, Before: before, By: "u", Via: "api"}}
	}
	domaintest.Run(t, map[string]spec{
		"an instance is added":           {When: keep(terms, true), Then: events{added}},
		"it is added once":               {Given: events{added}, When: keep(terms, true), Fails: domain.Conflict},
		"several may find the same file": {Given: events{added}, When: keep(found, true)},
		"a file comes back":              {Given: events{added, dropped}, When: keep(found, true), Then: events{blueprint.BlueprintAdded{Terms: found, By: "u", Via: "api"}}},
		"it is changed":                  {Given: events{added}, When: keep(disabled, false), Then: changed(disabled, blueprint.Before{Enabled: &terms.Enabled}, "enabled")},
		"the change names what differs":  {Given: events{added}, When: keep(another, false), Then: changed(another, blueprint.Before{Name: &terms.Name}, "content", "name")},
		"nothing else is a change":       {Given: events{added}, When: keep(with(func(t *blueprint.Terms) { t.CredentialID, t.Found = "l", true }), false)},
		"what never was is not changed":  {When: keep(terms, false), Fails: domain.NotFound},
		"nor what was dropped":           {Given: events{added, dropped}, When: keep(terms, false), Fails: domain.NotFound},
		"it is dropped":                  {Given: events{added}, When: blueprint.Drop{By: "u", Via: "api"}, Then: events{dropped}},
		"it is dropped once":             {Given: events{added, dropped}, When: blueprint.Drop{By: "u", Via: "api"}},
		"what never was is not dropped":  {When: blueprint.Drop{By: "u", Via: "api"}},
	})
	for name, test := range map[string]struct {
		terms blueprint.Terms
		want  string
	}{"another text is of unknown status": {another, "unknown"}, "one that is disabled is what it was": {disabled, "successful"}} {
		s := domain.Fold[blueprint.State](blueprint.State{}, added, finished)
		decided, err := keep(test.terms, false).Decide(s)
		if err != nil {
			t.Fatal(err)
		}
		s = domain.Fold(s, decided...)
		if s.Outcome.Status != test.want || s.Outcome.Applied != "h" || (s.Outcome.Tried == "h") != (test.want == "successful") {
			t.Errorf("%s: %+v", name, s.Outcome)
		}
	}
}
