package adminapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A brand has all the fields of the contract, and lists are filtered by them.
func TestBrandFields(t *testing.T) {
	b := newBench(t)
	flow := b.flow("one")
	made := b.want(201, http.MethodPost, "core/brands/", fields{
		"domain": "a.test", "default": true, "branding_title": "A", "branding_map_tiles": "https://tiles.test/{z}/{x}/{y}.pbf",
		"flow_recovery": flow, "web_certificate": nil, "client_certificates": []any{}, "default_application": nil, "attributes": fields{"k": "v"},
	})
	if made.str("branding_map_tiles") != "https://tiles.test/{z}/{x}/{y}.pbf" || made.at("web_certificate") != nil || !cmp.Equal(made.at("client_certificates"), []any{}) {
		t.Errorf("made %s", made.text)
	}
	b.want(201, http.MethodPost, "core/brands/", fields{"domain": "b.test"})
	pk := made.str("brand_uuid")
	for query, want := range map[string][]string{
		"": {"a.test", "b.test"}, "?default=true": {"a.test"}, "?domain=b.test": {"b.test"}, "?branding_title=A": {"a.test"},
		"?flow_recovery=" + flow: {"a.test"}, "?brand_uuid=" + pk: {"a.test"}, "?search=b.te": {"b.test"}, "?ordering=-domain": {"b.test", "a.test"},
		"?web_certificate=" + pk: {}, "?client_certificates=" + pk: {}, "?flow_user_switch=" + flow: {},
	} {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "core/brands/"+query, nil).names("domain")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	for _, body := range []fields{{"web_certificate": pk}, {"client_certificates": []any{pk}}, {"default_application": pk}, {"domain": "b.test"}} {
		b.want(400, http.MethodPatch, "core/brands/"+pk+"/", body)
	}
	if got := b.do(stranger, http.MethodGet, "core/brands/current/", nil); got.str("branding_map_tiles") != made.str("branding_map_tiles") {
		t.Errorf("current: %s", got.text)
	}
	// Without a default brand there is the one that needs no settings.
	b.want(204, http.MethodDelete, "core/brands/"+pk+"/", nil)
	if got := b.do(stranger, http.MethodGet, "core/brands/current/", nil); got.str("matched_domain") != "fallback" || got.str("branding_title") == "A" {
		t.Errorf("current: %s", got.text)
	}
}
