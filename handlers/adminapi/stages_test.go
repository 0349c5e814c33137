package adminapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStagesOfAllKinds(t *testing.T) {
	b := newBench(t)
	flow := b.flow("f")
	stage := b.want(201, http.MethodPost, "stages/password/", fields{
		"name": "pw", "backends": []any{"authentik.core.auth.InbuiltBackend"}, "configure_flow": flow,
	}).str("pk")
	lonely := func(answer string) {
		t.Helper()
		if got := b.want(200, http.MethodGet, "stages/password/?no_flows="+answer, nil); got.at("pagination.count") != 1.0 {
			t.Errorf("no_flows=%s: %s", answer, got.text)
		}
	}
	lonely("true")
	b.want(201, http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": 0})
	lonely("false")
	b.want(201, http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": 1})
	got := b.want(200, http.MethodGet, "stages/all/"+stage+"/", nil)
	flows, _ := got.at("flow_set").([]any)
	if len(flows) != 1 || got.str("meta_model_name") != "authentik_stages_password.passwordstage" || got.at("backends") != nil {
		t.Errorf("got %s", got.text)
	}
	settings := b.do(member, http.MethodGet, "stages/all/user_settings/", nil)
	want := []any{fields{
		"object_uid": stage, "component": "ak-user-settings-password", "title": "Change your password", "configure_url": "/flows/-/configure/" + stage + "/",
	}}
	if diff := cmp.Diff(want, settings.json); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	b.want(404, http.MethodGet, "stages/all/"+flow+"/", nil)
	b.want(200, http.MethodGet, "stages/all/"+stage+"/used_by/", nil)
	b.want(404, http.MethodGet, "stages/dummy/"+stage+"/", nil)
	b.want(204, http.MethodDelete, "stages/all/"+stage+"/", nil)
	if got := b.want(200, http.MethodGet, "flows/bindings/", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("bindings of no stage are left: %s", got.text)
	}
}

func TestTypes(t *testing.T) {
	b := newBench(t)
	tests := map[string]map[string]string{
		"stages/all/types/": {
			"identificationstage": "ak-stage-identification-form", "dummystage": "ak-stage-dummy-form", "userwritestage": "ak-stage-user-write-form",
		},
		"policies/all/types/": {"dummypolicy": "ak-policy-dummy-form", "expressionpolicy": "ak-policy-expression-form"},
	}
	for path, want := range tests {
		found := map[string]string{}
		for _, item := range b.want(200, http.MethodGet, path, nil).json.([]any) {
			item := item.(map[string]any)
			found[item["model_name"].(string)] = item["component"].(string)
		}
		for model, component := range want {
			if found[model] != component {
				t.Errorf("%s: %s has %q", path, model, found[model])
			}
		}
		if found["prompt"] != "" || found["flow"] != "" {
			t.Errorf("%s: %v", path, found)
		}
	}
}

func TestPolicyTest(t *testing.T) {
	b := newBench(t)
	policy := b.want(201, http.MethodPost, "policies/dummy/", fields{"name": "p"}).str("pk")
	path := "policies/all/" + policy + "/test/"
	got := b.want(200, http.MethodPost, path, fields{"user": 2, "context": fields{"pass": true}})
	if diff := cmp.Diff(fields{"passing": true, "messages": []any{policy}, "log_messages": []any{}}, got.json); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	b.want(400, http.MethodPost, path, fields{})
	b.want(400, http.MethodPost, path, fields{"user": 99})
	b.want(400, http.MethodPost, path, fields{"user": "x"})
	b.want(400, http.MethodPost, path, fields{"user": 2, "context": "x"})
	if got := b.want(200, http.MethodGet, "policies/all/"+policy+"/", nil); got.at("wait_min") != 5.0 {
		t.Errorf("a policy is shown without its own fields: %s", got.text)
	}
}

func TestBrands(t *testing.T) {
	b := newBench(t)
	if got := b.do(stranger, http.MethodGet, "core/brands/current/", nil); got.str("matched_domain") != "fallback" {
		t.Errorf("without a brand: %s", got.text)
	}
	flow := b.flow("f")
	pk := b.want(201, http.MethodPost, "core/brands/", fields{"domain": "d", "default": true, "flow_authentication": flow, "branding_title": "Us"}).str("brand_uuid")
	b.want(201, http.MethodPost, "core/brands/", fields{"domain": "e"})
	if got := b.want(200, http.MethodGet, "core/brands/?default=true", nil).names("brand_uuid"); !cmp.Equal(got, []string{pk}) {
		t.Errorf("default brands: %q", got)
	}
	b.want(200, http.MethodPatch, "core/brands/"+pk+"/", fields{"default": true})
	got := b.do(stranger, http.MethodGet, "core/brands/current/", nil)
	if got.status != 200 || got.str("branding_title") != "Us" || got.str("flow_authentication") != "f" || got.at("flow_recovery") != nil {
		t.Errorf("current: %s", got.text)
	}
	got = b.want(200, http.MethodPatch, "core/brands/"+pk+"/", fields{"flow_authentication": nil})
	if got.at("flow_authentication") != nil || got.str("branding_title") != "Us" {
		t.Errorf("patched: %s", got.text)
	}
}

func TestConfig(t *testing.T) {
	b := newBench(t)
	if got := b.do(stranger, http.MethodGet, "root/config/", nil); got.status != 200 || got.at("error_reporting.enabled") != false {
		t.Errorf("got %d %s", got.status, got.text)
	}
	if got := b.want(200, http.MethodGet, "core/applications/", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("applications: %s", got.text)
	}
}
