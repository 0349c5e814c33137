package adminapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
)

func TestPages(t *testing.T) {
	b := newBench(t)
	for i := range 23 {
		b.want(201, http.MethodPost, "stages/deny/", fields{"name": fmt.Sprintf("s%02d", i)})
	}
	page := func(next, previous, current, total, start, end int) fields {
		return fields{
			"next": float64(next), "previous": float64(previous), "count": 23.0, "current": float64(current),
			"total_pages": float64(total), "start_index": float64(start), "end_index": float64(end),
		}
	}
	tests := map[string]struct {
		want  fields
		first string
	}{
		"":                         {page(2, 0, 1, 2, 1, 20), "s00"},
		"?page=2":                  {page(0, 1, 2, 2, 21, 23), "s20"},
		"?page_size=10&page=2":     {page(3, 1, 2, 3, 11, 20), "s10"},
		"?page_size=1000":          {page(0, 0, 1, 1, 1, 23), "s00"},
		"?page_size=0":             {page(2, 0, 1, 2, 1, 20), "s00"},
		"?page_size=x":             {page(2, 0, 1, 2, 1, 20), "s00"},
		"?ordering=-name":          {page(2, 0, 1, 2, 1, 20), "s22"},
		"?ordering=nonsense,-name": {page(2, 0, 1, 2, 1, 20), "s22"},
	}
	for query, tt := range tests {
		for _, path := range []string{"stages/deny/", "stages/all/"} {
			got := b.want(200, http.MethodGet, path+query, nil)
			if diff := cmp.Diff(tt.want, got.at("pagination")); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", path, query, diff)
			}
			if got.str("results.0.name") != tt.first {
				t.Errorf("%s%s begins with %s", path, query, got.str("results.0.name"))
			}
		}
	}
	for _, query := range []string{"?page=3", "?page=0", "?page=x", "?page=99999999999999999999"} {
		b.want(404, http.MethodGet, "stages/deny/"+query, nil)
	}
	empty := b.want(200, http.MethodGet, "stages/dummy/", nil)
	want := fields{
		"next": 0.0, "previous": 0.0, "count": 0.0, "current": 1.0, "total_pages": 1.0, "start_index": 0.0, "end_index": 0.0,
	}
	if diff := cmp.Diff(fields{"pagination": want, "results": []any{}, "autocomplete": fields{}}, empty.json); diff != "" {
		t.Errorf("an empty list (-want +got):\n%s", diff)
	}
}

func TestLongestPage(t *testing.T) {
	b := newBench(t)
	for i := range 101 {
		_, err := b.server.Objects.Handle(t.Context(), eventstore.Stream("object", uuid.NewString()), object.Put{
			Kind: "authentik_stages_deny.denystage", Fields: fields{"name": fmt.Sprint(i)},
		}, b.meta)
		b.must(err)
	}
	b.must(b.views.wait(t.Context()))
	got := b.want(200, http.MethodGet, "stages/deny/?page_size=1000", nil)
	if n := len(got.names("pk")); n != 100 || got.at("pagination.total_pages") != 2.0 {
		t.Errorf("a page of %d of %v", n, got.at("pagination"))
	}
}

func TestFilters(t *testing.T) {
	b := newBench(t)
	one, two := b.flow("one"), b.flow("two")
	b.want(200, http.MethodPatch, "flows/instances/two/", fields{"designation": "recovery", "title": "Find the way back", "compatibility_mode": true})
	stage := b.want(201, http.MethodPost, "stages/dummy/", fields{"name": "s", "throw_error": true}).str("pk")
	binding := b.want(201, http.MethodPost, "flows/bindings/", fields{"target": one, "stage": stage, "order": 5}).str("pk")
	b.want(201, http.MethodPost, "flows/bindings/", fields{"target": two, "stage": stage, "order": 10, "evaluate_on_plan": true})
	policy := b.want(201, http.MethodPost, "policies/dummy/", fields{"name": "p", "wait_min": 3}).str("pk")
	b.want(201, http.MethodPost, "policies/expression/", fields{"name": "q", "expression": "return True"})
	bound := b.want(201, http.MethodPost, "policies/bindings/", fields{"target": binding, "policy": policy, "order": 1}).str("pk")
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": catalog.TargetID(one), "user": 1, "order": 2, "enabled": false})
	tests := map[string][]string{
		"flows/instances/":                                       {"one", "two"},
		"flows/instances/?slug=two":                              {"two"},
		"flows/instances/?name=One":                              {},
		"flows/instances/?flow_uuid=" + one:                      {"one"},
		"flows/instances/?designation=recovery":                  {"two"},
		"flows/instances/?compatibility_mode=true":               {"two"},
		"flows/instances/?search=WAY%20find":                     {"two"},
		"flows/instances/?search=way%20nowhere":                  {},
		"flows/instances/?ordering=-slug":                        {"two", "one"},
		"flows/bindings/?order=5":                                {"5"},
		"flows/bindings/?target=" + two:                          {"10"},
		"flows/bindings/?ordering=order&stage=" + stage:          {"5", "10"},
		"flows/bindings/?evaluate_on_plan=true":                  {"10"},
		"flows/bindings/?fsb_uuid=" + binding:                    {"5"},
		"flows/bindings/?policies=" + policy:                     {"5"},
		"flows/bindings/?ordering=-order":                        {"10", "5"},
		"policies/dummy/?wait_min=3":                             {"p"},
		"policies/dummy/?wait_min=4":                             {},
		"policies/all/":                                          {"p", "q"},
		"policies/all/?search=q":                                 {"q"},
		"policies/all/?bindings__isnull=true":                    {"q"},
		"policies/all/?bindings__isnull=false":                   {"p"},
		"policies/all/?promptstage__isnull=true":                 {"p", "q"},
		"policies/bindings/?target=" + binding:                   {},
		"policies/bindings/?policy=" + policy:                    {"1"},
		"policies/bindings/?policy__isnull=true":                 {"2"},
		"policies/bindings/?enabled=false":                       {"2"},
		"policies/bindings/?search=p":                            {"1"},
		"policies/bindings/?target=" + catalog.TargetID(binding): {"1"},
		"policies/bindings/?target_in=" + catalog.TargetID(one) + "," + catalog.TargetID(binding) + "&ordering=order": {"1", "2"},
		"stages/all/?name=s":     {"s"},
		"stages/all/?name=other": {},
	}
	for path, want := range tests {
		field := "order"
		for _, named := range []string{"flows/instances", "policies/dummy", "policies/all", "stages/all"} {
			if len(path) > len(named) && path[:len(named)] == named {
				field = "name"
			}
		}
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, path, nil).names(field)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	for _, path := range []string{
		"flows/instances/?designation=x", "flows/bindings/?target=x", "flows/bindings/?order=x", "policies/bindings/?policy=x",
	} {
		b.want(400, http.MethodGet, path, nil)
	}
	// The target that was given by its second identifier is shown by its key.
	if got := b.want(200, http.MethodGet, "policies/bindings/?enabled=false", nil); got.str("results.0.target") != one {
		t.Errorf("target: %s", got.text)
	}
	got := b.want(200, http.MethodGet, "policies/bindings/"+bound+"/", nil)
	if got.str("policy_obj.name") != "p" || got.at("user_obj") != nil || got.str("target") != binding {
		t.Errorf("binding: %s", got.text)
	}
}
