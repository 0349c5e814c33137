package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
)

// mountFlows adds what flows have beside the endpoints of every kind.
func (s *Server) mountFlows(r *mux.Router) {
	const path = "flows/instances/"
	s.route(r, path+"cache_info/", action("authentik_flows.view_flow_cache"), verbs{http.MethodGet: noCache})
	s.route(r, path+"cache_clear/", action("authentik_flows.clear_flow_cache"), verbs{http.MethodPost: clearCache})
	s.route(r, path+"{key}/diagram/", action("authentik_flows.view_flow"), verbs{http.MethodGet: s.getDiagram})
	if s.Exporter != nil {
		s.route(r, path+"{key}/export/", action("authentik_flows.export_flow"), verbs{http.MethodGet: s.exportFlow})
	}
	if s.Launcher != nil {
		s.route(r, path+"{key}/execute/", action("authentik_flows.view_flow"), verbs{http.MethodGet: s.executeFlow})
	}
}

// An Exporter writes flows as blueprints.
type Exporter interface {
	Export(ctx context.Context, c session.Caller, flow string) ([]byte, error)
}

// A Launcher starts executions for administrators who want to see a flow.
type Launcher interface {
	// Launch plans one in the caller's browser session, with the caller as the
	// pending user, and returns its id if it is over already. It fails with
	// Invalid if the flow is not for the caller.
	Launch(ctx context.Context, slug string, c session.Caller) (over string, err error)
}

// flowPeculiarity: flows are addressed by their slugs, and policies are bound
// to them.
func flowPeculiarity() peculiarity {
	return peculiarity{
		order:   []string{"slug", "name"},
		search:  []string{"name", "slug", "designation", "title", "denied_action"},
		derived: map[string]func(*view, object.Thing) any{"flow_uuid": primaryKey},
		adorn:   adornFlow,
	}
}

// adornFlow adds what is bound to a flow, and the addresses that follow from
// its fields.
func adornFlow(_ context.Context, v *view, _ catalog.Kind, t object.Thing, out map[string]any) error {
	stages, policies := []any{}, []any{}
	for _, b := range v.s.Bindings.StageBindings(t.ID) {
		stages = append(stages, b.Fields["stage"])
	}
	for _, b := range v.s.Bindings.PolicyBindings(t.ID) {
		if b.Fields["policy"] != nil {
			policies = append(policies, b.Fields["policy"])
		}
	}
	out["policybindingmodel_ptr_id"] = catalog.TargetID(t.ID)
	out["stages"], out["policies"] = stages, policies
	out["cache_count"] = 0
	out["background_url"], out["background_themed_urls"] = v.background(t)
	out["export_url"] = exportURL(t)
	return nil
}

// exportURL needs no escaping: slugs are letters, digits, dashes and
// underscores.
func exportURL(t object.Thing) string {
	return base + "flows/instances/" + url.PathEscape(text(t, "slug")) + "/export/"
}

// defaultBackground is what stands behind flows unless they or the brand say
// otherwise.
const defaultBackground = "/static/dist/assets/images/flow_background.jpg"

// background resolves a flow's background (spec/flows.md 2.5).
func (v *view) background(t object.Thing) (address string, themed any) {
	address = text(t, "background")
	if address == "" {
		brand, _ := v.s.Things.Brand(v.host)
		address = text(brand, "branding_default_flow_background")
	}
	if address == "" {
		address = defaultBackground
	}
	return address, themes(address)
}

// themes are the addresses of a picture that differs by theme, or null.
func themes(address string) any {
	const placeholder = "%(theme)s"
	if !strings.Contains(address, placeholder) {
		return nil
	}
	return map[string]any{
		"light": strings.ReplaceAll(address, placeholder, "light"),
		"dark":  strings.ReplaceAll(address, placeholder, "dark"),
	}
}

// flowSetFields are the fields of a flow that stages show.
var flowSetFields = []string{
	"name", "slug", "title", "designation", "policy_engine_mode", "compatibility_mode", "layout", "denied_action",
}

// flowSet is a flow as stages show it.
func (v *view) flowSet(t object.Thing) map[string]any {
	out := map[string]any{
		"pk": t.ID, "policybindingmodel_ptr_id": catalog.TargetID(t.ID), "export_url": exportURL(t),
	}
	for _, name := range flowSetFields {
		out[name] = v.field(t, name)
	}
	out["background_url"], _ = v.background(t)
	return out
}

// noCache tells the truth: nothing is cached that could be wrong.
func noCache(w http.ResponseWriter, _ *http.Request, _ session.Caller) error {
	return writeJSON(w, http.StatusOK, map[string]int{"count": 0})
}

// clearCache has nothing to clear, and says so by succeeding.
func clearCache(w http.ResponseWriter, _ *http.Request, _ session.Caller) error { return done(w) }

// flowAddressee is the flow that a path names.
var flowAddressee = addressee{name: "Flow", bySlug: true}

// exportShows are the permissions to see what is in an export. That to export
// flows does not stand for them.
var exportShows = []string{
	"authentik_flows.view_flow", "authentik_flows.view_flowstagebinding", "authentik_flows.view_stage",
	"authentik_policies.view_policy", "authentik_policies.view_policybinding", "authentik_stages_prompt.view_prompt",
}

// exportFlow answers with a file, which a browser saves under the flow's name.
func (s *Server) exportFlow(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.find(r, flowAddressee)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(exportShows, func(permission string) bool { return !c.May(permission) }) {
		return forbidden()
	}
	// a flow that is being changed is not half of the one and half of the other
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	document, err := s.Exporter.Export(r.Context(), c, t.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+text(t, "slug")+`.yaml"`)
	_, _ = w.Write(document) // who is gone does not want it
	return nil
}

// executeFlow starts a flow in the browser of whoever asks. Its page goes on
// with what was started.
func (s *Server) executeFlow(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.find(r, flowAddressee)
	if err != nil {
		return err
	}
	if c.Session == "" {
		return domain.Errorf(domain.Invalid, "A flow is executed in the browser session of whoever asks for it, and a request with a token has none.")
	}
	over, err := s.Launcher.Launch(r.Context(), text(t, "slug"), c)
	if err != nil {
		return err
	}
	link, query := c.BaseURL+"/if/flow/"+url.PathEscape(text(t, "slug"))+"/", url.Values{}
	if c.May(inspectFlow) {
		query.Set("inspector", "available")
	}
	if over != "" {
		query.Set("execution", over)
	}
	if len(query) > 0 {
		link += "?" + query.Encode()
	}
	return writeJSON(w, http.StatusOK, map[string]string{"link": link})
}
