package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/handlers/openapi"
)

// described is a document with a little of everything.
func described(t *testing.T) func() *openapi.Document {
	t.Helper()
	d, problems := openapi.Build([]openapi.Route{
		openapi.Itself,
		{Method: http.MethodGet, Path: "flows/instances/", Needs: "authentik_flows.view_flow"},
		{Method: http.MethodPost, Path: "flows/instances/", Needs: "authentik_flows.add_flow"},
		{Method: http.MethodGet, Path: "core/user_consent/{key}/", Needs: "authentik_core.view_userconsent", Own: true},
		{Method: http.MethodPost, Path: "managed/blueprints/import/"},
		{Method: http.MethodPost, Path: "core/users/{key}/set_password/", Needs: "authentik_core.reset_user_password"},
	}, "test")
	if len(problems) == 0 {
		t.Error("nothing is missing of what is described")
	}
	return func() *openapi.Document { return d }
}

// The pages work without scripts: the search is a form.
func TestAPIPages(t *testing.T) {
	f := newSite()
	f.api = described(t)
	h := f.handler()
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	tests := map[string]struct {
		path string
		want []string
		not  []string
	}{
		"the list":                    {apiPage, []string{"6 operations", "List flows, page by page", "/api/v3/schema/?format=yaml", `name="q"`, "Superusers"}, nil},
		"a search":                    {apiPage + "?q=flow+ADD_", []string{"1 operation<", "Create a flow"}, []string{"List flows"}},
		"a search that finds nothing": {apiPage + "?q=%3Cscript%3E", []string{"Nothing here", `value="&lt;script&gt;"`}, []string{"<script>"}},
		"an operation": {apiPage + "flows_instances_create/", []string{
			"Create a flow", "authentik_flows.add_flow", "Authorization: Bearer TOKEN", "designation", "required", "one of authentication,",
			"shape-ThemedUrls", "/api/v3/flows/instances/", "List flows, page by page",
		}, nil},
		"what is the caller's own": {apiPage + "core_user_consent_retrieve/", []string{"what is their own", "/api/v3/core/user_consent/ID/"}, nil},
		"an upload":                {apiPage + "managed_blueprints_import_create/", []string{"multipart/form-data", "-F &#39;file=@FILE&#39;", "Superusers only"}, nil},
		"a secret":                 {apiPage + "core_users_set_password_create/", []string{"it is never shown", "&#34;PASSWORD&#34;"}, nil},
		"for strangers":            {apiPage + "schema_retrieve/", []string{"Anybody may call this"}, []string{"Bearer TOKEN"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := get(test.path)
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
				t.Fatalf("%d %s", w.Code, w.Header())
			}
			for _, want := range test.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("does not say %q", want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(w.Body.String(), not) {
					t.Errorf("says %q", not)
				}
			}
		})
	}
	if w := get(apiPage + "nothing/"); w.Code != http.StatusNotFound {
		t.Errorf("an operation that there is not: %d", w.Code)
	}
	if w := get("/api/v3/"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != apiPage {
		t.Errorf("the API's own address: %d %s", w.Code, w.Header())
	}
}
