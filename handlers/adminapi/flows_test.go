package adminapi_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
)

func TestFlowShows(t *testing.T) {
	b := newBench(t)
	flow := b.flow("f")
	stage := b.want(201, http.MethodPost, "stages/dummy/", fields{"name": "s"}).str("pk")
	policy := b.want(201, http.MethodPost, "policies/dummy/", fields{"name": "p"}).str("pk")
	binding := b.want(201, http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": 0})
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "policy": policy, "order": 0})
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "user": 1, "order": 1})
	got := b.want(200, http.MethodGet, "flows/instances/f/", nil)
	want := fields{
		"pk": flow, "policybindingmodel_ptr_id": catalog.TargetID(flow), "name": "f", "slug": "f", "title": "f",
		"designation": "authentication", "background": "", "background_url": "/static/dist/assets/images/flow_background.jpg",
		"background_themed_urls": nil, "stages": []any{stage}, "policies": []any{policy}, "cache_count": 0.0,
		"policy_engine_mode": "any", "compatibility_mode": false, "export_url": "/api/v3/flows/instances/f/export/",
		"layout": "stacked", "denied_action": "message_continue", "authentication": "none",
	}
	if diff := cmp.Diff(want, got.json); diff != "" {
		t.Errorf("flow (-want +got):\n%s", diff)
	}
	if binding.str("stage_obj.flow_set.0.slug") != "f" || binding.str("stage_obj.component") != "ak-stage-dummy-form" {
		t.Errorf("binding: %s", binding.text)
	}
	b.want(201, http.MethodPost, "core/brands/", fields{"domain": "d", "default": true, "branding_default_flow_background": "/b-%(theme)s.jpg"})
	got = b.want(200, http.MethodGet, "flows/instances/f/", nil)
	if diff := cmp.Diff(fields{"light": "/b-light.jpg", "dark": "/b-dark.jpg"}, got.at("background_themed_urls")); diff != "" {
		t.Errorf("themes (-want +got):\n%s", diff)
	}
	got = b.want(200, http.MethodPatch, "flows/instances/f/", fields{"background": "https://example.org/x.png"})
	if got.str("background_url") != "https://example.org/x.png" {
		t.Errorf("background: %s", got.str("background_url"))
	}
}

func TestDiagram(t *testing.T) {
	b := newBench(t)
	flow := b.flow("f")
	diagram := func() string { return b.want(200, http.MethodGet, "flows/instances/f/diagram/", nil).str("diagram") }
	want := "graph TD\nflow_start[[\"Flow\nf\"]]\nflow_start --> done[[\"End of the flow\"]]"
	if diff := cmp.Diff(want, diagram()); diff != "" {
		t.Errorf("an empty flow (-want +got):\n%s", diff)
	}
	policy := b.want(201, http.MethodPost, "policies/dummy/", fields{"name": `p "1"`}).str("pk")
	for i, name := range []string{"one", "two", "three"} {
		stage := b.want(201, http.MethodPost, "stages/dummy/", fields{"name": name}).str("pk")
		binding := b.want(201, http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": i}).str("pk")
		if name == "two" {
			b.want(201, http.MethodPost, "policies/bindings/", fields{"target": binding, "policy": policy, "order": 7})
			b.want(201, http.MethodPost, "policies/bindings/", fields{"target": binding, "user": 1, "order": 8})
		}
	}
	want = `graph TD
flow_start[["Flow
f"]]
--> stage_0(["Stage (Dummy Stage)
one"])
stage_1_policy_0 --Policy passed--> stage_1(["Stage (Dummy Stage)
two"])
--> stage_2(["Stage (Dummy Stage)
three"])
stage_0 --> stage_1_policy_0{{"Policy (Dummy Policy)
p #quot;1#quot;"}}
stage_1_policy_0 --Policy denied--> stage_2(["Stage (Dummy Stage)
three"])
stage_2 --> done[["End of the flow"]]`
	if diff := cmp.Diff(want, diagram()); diff != "" {
		t.Errorf("diagram (-want +got):\n%s", diff)
	}
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "policy": policy, "order": 3})
	want = `graph TD
flow_pre[["Pre-flow policies"]]
flow_pre --Binding 3--> flow_policy_0{{"Policy (Dummy Policy)
p #quot;1#quot;"}}
flow_policy_0 --Policy denied--> done[["End of the flow"]]
flow_policy_0 --Policy passed--> flow_start[["Flow
f"]]
--> stage_0([`
	if got := diagram(); len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("a flow with policies: %s", got)
	}
	b.want(404, http.MethodGet, "flows/instances/g/diagram/", nil)
}

func TestCaches(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"flows/instances/", "policies/all/"} {
		if got := b.want(200, http.MethodGet, path+"cache_info/", nil); got.at("count") != 0.0 {
			t.Errorf("%s: %s", path, got.text)
		}
		b.want(204, http.MethodPost, path+"cache_clear/", fields{})
	}
}

func (b *bench) Export(_ context.Context, _ session.Caller, flow string) ([]byte, error) {
	return []byte("# " + flow), nil
}

func (b *bench) Launch(_ context.Context, slug string, c session.Caller) (string, error) {
	switch slug {
	case "over":
		return "e1", nil
	case "closed":
		return "", domain.Errorf(domain.Invalid, "Flow not applicable to current user/request: no")
	}
	if c.User == "" || c.Session == "" {
		return "", errors.New("launched for nobody")
	}
	return "", nil
}

func TestExecute(t *testing.T) {
	b := newBench(t)
	b.server.Launcher = b
	b.router = mux.NewRouter()
	b.server.Mount(b.router)
	root := b.callers[browser]
	root.BaseURL = "https://example.org"
	b.callers[browser] = root
	jane := b.callers[member]
	jane.BaseURL, jane.Granted = "https://example.org", session.Grants{"authentik_flows.view_flow": true}
	b.callers[member] = jane
	for _, slug := range []string{"f", "over", "closed"} {
		b.flow(slug)
	}
	for name, tt := range map[string]struct {
		as, slug string
		status   int
		want     string
	}{
		"in a browser":       {browser, "f", 200, "https://example.org/if/flow/f/?inspector=available"},
		"without inspector":  {member, "f", 200, "https://example.org/if/flow/f/"},
		"over already":       {browser, "over", 200, "https://example.org/if/flow/over/?execution=e1&inspector=available"},
		"not for the caller": {browser, "closed", 400, "Flow not applicable to current user/request: no"},
		"no such flow":       {browser, "none", 404, "No Flow matches the given query."},
		"with a token":       {admin, "f", 400, "A flow is executed in the browser session of whoever asks for it, and a request with a token has none."},
	} {
		got := b.do(tt.as, http.MethodGet, "flows/instances/"+tt.slug+"/execute/", nil)
		if got.status != tt.status || got.str("link")+got.str("detail") != tt.want {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
}

// An export shows more than a flow, so it takes more than the permission to
// export.
func TestWhoMayExport(t *testing.T) {
	b := newBench(t)
	b.flow("f")
	b.server.Exporter = b
	b.router = mux.NewRouter()
	b.server.Mount(b.router)
	all := []string{
		"authentik_flows.export_flow", "authentik_flows.view_flow", "authentik_flows.view_flowstagebinding", "authentik_flows.view_stage",
		"authentik_policies.view_policy", "authentik_policies.view_policybinding", "authentik_stages_prompt.view_prompt",
	}
	ask := func(granted []string) int {
		c := session.Caller{User: "auditor", Granted: session.Grants{}}
		for _, permission := range granted {
			c.Granted[permission] = true
		}
		b.callers["auditor"] = c
		return b.do("auditor", http.MethodGet, "flows/instances/f/export/", nil).status
	}
	if got := ask(all); got != 200 {
		t.Errorf("with all permissions: %d", got)
	}
	for i, permission := range all {
		if got := ask(slices.Delete(slices.Clone(all), i, i+1)); got != 403 {
			t.Errorf("without %s: %d", permission, got)
		}
	}
}

// What is not at hand is not there.
func TestOptionalParts(t *testing.T) {
	b := newBench(t)
	flow := b.flow("f")
	b.want(404, http.MethodGet, "flows/instances/f/export/", nil)
	b.want(404, http.MethodGet, "flows/instances/f/execute/", nil)
	b.server.Exporter, b.server.Launcher = b, b
	b.router = mux.NewRouter()
	b.server.Mount(b.router)
	got := b.want(200, http.MethodGet, "flows/instances/f/export/", nil)
	if got.text != "# "+flow || got.header.Get("Content-Disposition") != `attachment; filename="f.yaml"` {
		t.Errorf("export: %q %v", got.text, got.header)
	}
	b.want(400, http.MethodGet, "flows/instances/f/execute/", nil)
	b.want(404, http.MethodGet, "flows/instances/g/execute/", nil)
	b.want(404, http.MethodGet, "flows/instances/g/export/", nil)
}
