package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/projections"
)

func TestInstances(t *testing.T) {
	w := newWorld(t)
	view := w.instances
	terms := func(name, path string, found bool) blueprint.Terms {
		return blueprint.Terms{Name: name, Path: path, Enabled: true, Found: found, CredentialID: id("k"), Content: domain.NewSecret("hidden")}
	}
	metadata := blueprint.Metadata{Name: "Meta", Labels: map[string]string{"a": "b"}}
	done := blueprint.BlueprintImportFinished{Status: blueprint.Successful, Hash: "h", Models: []string{"m"}, Metadata: metadata}
	w.append(stream("blueprint", "a"), blueprint.BlueprintAdded{Terms: terms("Alpha", "", false)})
	w.append(stream("blueprint", "b"), blueprint.BlueprintAdded{Terms: terms("Beta", "sub/b.yaml", true)}, done)
	w.append(stream("blueprint", "c"), blueprint.BlueprintAdded{Terms: terms("Gamma", "c.yaml", true)}, blueprint.BlueprintRemoved{})
	w.append(stream("blueprint", "upload"), done)
	w.run()
	w.settle()

	alpha := projections.Instance{ID: id("a"), Name: "Alpha", Enabled: true, Status: "unknown", LastApplied: start, Models: []string{}}
	beta := projections.Instance{
		ID: id("b"), Name: "Beta", Path: "sub/b.yaml", Enabled: true, Status: "successful", Applied: "h", LastApplied: start, Models: []string{"m"}, Metadata: metadata,
	}
	for name, tt := range map[string]struct {
		filter projections.InstanceFilter
		order  string
		page   projections.Page
		want   []projections.Instance
		total  int
	}{
		"all, by name":          {want: []projections.Instance{alpha, beta}, total: 2},
		"turned around":         {order: "-name", want: []projections.Instance{beta, alpha}, total: 2},
		"by path":               {order: "path", want: []projections.Instance{alpha, beta}, total: 2},
		"by what is no column":  {order: "-tried", want: []projections.Instance{alpha, beta}, total: 2},
		"the second page":       {page: projections.Page{Offset: 1, Limit: 1}, want: []projections.Instance{beta}, total: 2},
		"of a name":             {filter: projections.InstanceFilter{Name: "Alpha"}, want: []projections.Instance{alpha}, total: 1},
		"of a path":             {filter: projections.InstanceFilter{Path: "sub/b.yaml"}, want: []projections.Instance{beta}, total: 1},
		"of an id":              {filter: projections.InstanceFilter{ID: id("b")}, want: []projections.Instance{beta}, total: 1},
		"with words":            {filter: projections.InstanceFilter{Search: "SUB beta"}, want: []projections.Instance{beta}, total: 1},
		"with other words":      {filter: projections.InstanceFilter{Search: "sub alpha"}},
		"what was removed":      {filter: projections.InstanceFilter{Name: "Gamma"}},
		"what was only applied": {filter: projections.InstanceFilter{ID: id("upload")}},
	} {
		got, total, err := view.List(t.Context(), tt.filter, tt.order, tt.page)
		if diff := cmp.Diff(tt.want, got); diff != "" || total != tt.total || err != nil {
			t.Errorf("%s: %d, %v (-want +got):\n%s", name, total, err, diff)
		}
	}
	for name, want := range map[string]bool{"Alpha": true, "Gamma": false} {
		if got, err := view.Named(t.Context(), name); got != want || err != nil {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}

	holding := blueprint.Holding{ID: id("b"), Path: "sub/b.yaml", Tried: "h", Status: "successful", Enabled: true, Found: true}
	holds := func(sentence string) {
		t.Helper()
		got, err := view.Holdings(t.Context())
		if diff := cmp.Diff([]blueprint.Holding{holding}, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", sentence, err, diff)
		}
	}
	holds("at first")
	holds("asked again")
	w.clock = start.Add(time.Hour)
	w.append(stream("blueprint", "b"), blueprint.BlueprintImportFinished{Status: blueprint.Failed, Hash: "i"})
	w.settle()
	holding.Status, holding.Tried = "error", "i"
	holds("it failed")
	got, _, _ := view.List(t.Context(), projections.InstanceFilter{ID: id("b")}, "", projections.Page{})
	beta.Status, beta.Metadata = "error", blueprint.Metadata{}
	if diff := cmp.Diff([]projections.Instance{beta}, got); diff != "" {
		t.Errorf("what failed was applied before (-want +got):\n%s", diff)
	}
	w.append(stream("blueprint", "b"), blueprint.BlueprintChanged{Terms: terms("Beta", "sub/b.yaml", false), Changed: []string{"context"}})
	w.settle()
	holding.Status, holding.Tried, holding.Found = "unknown", "", false
	holds("another context")
	w.append(stream("blueprint", "b"), done, blueprint.BlueprintChanged{Terms: blueprint.Terms{Name: "New", Path: "sub/b.yaml"}, Changed: []string{"enabled", "name"}})
	w.settle()
	holding.Status, holding.Tried, holding.Enabled = "successful", "h", false
	holds("only disabled")
}
