package blueprint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/domaintest"
)

func TestImportIsAStream(t *testing.T) {
	started := blueprint.BlueprintImportStarted{
		File: "a.yaml", Digest: "d", By: "u", Via: "api", Text: domain.NewSecret("t"), Context: domain.NewSecret("c"),
	}
	finished := blueprint.BlueprintImportFinished{Status: "successful", Created: 1, Updated: 2, Deleted: 3, Unchanged: 4}
	type events = []blueprint.ImportEvent
	start, finish := blueprint.StartImport{BlueprintImportStarted: started}, blueprint.FinishImport{BlueprintImportFinished: finished}
	domaintest.Run(t, map[string]domaintest.Spec[blueprint.Import]{
		"an import starts":                             {When: start, Then: events{started}},
		"an import that is under way is not started":   {Given: events{started}, When: start},
		"an import that is done is not started":        {Given: events{started, finished}, When: start},
		"an import finishes":                           {Given: events{started}, When: finish, Then: events{finished}},
		"an import finishes once":                      {Given: events{started, finished}, When: finish},
		"an import that never started does not finish": {When: finish},
	})

	s := domain.Fold(blueprint.Import{}, started)
	want := blueprint.Import{Status: blueprint.Importing, File: "a.yaml", Text: "t", Context: "c", By: "u", Via: "api"}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("under way (-want +got):\n%s", diff)
	}
	want.Status, want.Text, want.Context = blueprint.Imported, "", ""
	if diff := cmp.Diff(want, domain.Fold[blueprint.Import](s, finished)); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}
