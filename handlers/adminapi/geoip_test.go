package adminapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGeoIPPolicies(t *testing.T) {
	b := newBench(t)
	const path = "policies/geoip/"
	named := []any{fields{"code": "DE", "name": "Germany"}, fields{"code": "CI", "name": "Côte d'Ivoire"}}
	got := b.want(201, http.MethodPost, path, fields{"name": "p", "countries": []any{"DE", "CI"}, "asns": []any{64500}})
	if diff := cmp.Diff(any(named), got.at("countries_obj")); diff != "" {
		t.Errorf("countries_obj (-want +got):\n%s", diff)
	}
	key := got.str("pk")
	got = b.want(200, http.MethodPatch, path+key+"/", fields{"countries": []any{}})
	if diff := cmp.Diff(any([]any{}), got.at("countries_obj")); diff != "" {
		t.Errorf("countries_obj (-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		change fields
		want   fields
	}{
		"no such country":             {fields{"countries": []any{"XX"}}, fields{"countries": []any{`"XX" is not a valid choice.`}}},
		"a network that is no number": {fields{"asns": []any{"AS1"}}, fields{"asns": []any{"A valid integer is required."}}},
		"a distance below zero": {fields{"history_max_distance_km": -1}, fields{
			"history_max_distance_km": []any{"Ensure this value is greater than or equal to 0."},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.want(400, http.MethodPatch, path+key+"/", test.change)
			for field, want := range test.want {
				if diff := cmp.Diff(want, got.at(field)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", field, diff)
				}
			}
		})
	}
	b.want(400, http.MethodPost, path, fields{"name": "q"})
	all := b.want(200, http.MethodGet, "policies/all/", nil)
	if got := all.at("results.0.countries_obj"); got == nil {
		t.Error("the list of all policies does not name the countries")
	}
}

// The list of countries is for everybody, as the contract has it.
func TestCountries(t *testing.T) {
	b := newBench(t)
	for _, who := range []string{admin, member, stranger} {
		got := b.do(who, http.MethodGet, "policies/geoip_iso3166/", nil)
		if got.at("0.code") != "AF" || got.at("248.name") != "Zimbabwe" {
			t.Errorf("%q gets %v", who, got)
		}
	}
}
