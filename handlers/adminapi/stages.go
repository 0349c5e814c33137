package adminapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
)

// mountStages adds what there is about stages of all kinds.
func (s *Server) mountStages(r *mux.Router) {
	const path = "stages/all/"
	stage := ofCategory(catalog.Stage, "Stage")
	s.route(r, path, of("authentik_flows.stage"), verbs{http.MethodGet: s.listStages})
	s.route(r, path+"types/", action("authentik_flows.view_stage"), verbs{http.MethodGet: listTypes(catalog.Stage)})
	s.route(r, path+"user_settings/", members, verbs{http.MethodGet: s.listUserSettings})
	s.route(r, "stages/email/templates/", action("authentik_stages_email.view_emailstage"), verbs{http.MethodGet: listTemplates})
	s.edit(r, path+"{key}/", of("authentik_flows.stage"), verbs{http.MethodGet: s.getStage, http.MethodDelete: s.removeThing(stage)})
	s.route(r, path+"{key}/used_by/", of("authentik_flows.stage"), verbs{http.MethodGet: s.usedBy(stage)})
}

// stagePeculiarity: stages show the flows that they are in.
func stagePeculiarity() peculiarity {
	return peculiarity{
		order:  []string{"name"},
		search: []string{"name"},
		derived: map[string]func(*view, object.Thing) any{
			"stage_uuid": primaryKey,
			"no_flows":   func(v *view, t object.Thing) any { return len(v.flowSets(t.ID)) == 0 },
		},
		adorn: adornStage,
	}
}

// adornStage adds what the contract says about every stage, and what it wants
// of one kind alone.
func adornStage(_ context.Context, v *view, k catalog.Kind, t object.Thing, out map[string]any) error {
	forms(k, out)
	out["flow_set"] = v.flowsOf(t.ID)
	if _, has := k.Field("webauthn_allowed_device_types"); has {
		out["webauthn_allowed_device_types_obj"] = []any{} // no list of such types is kept
	}
	return nil
}

// flowsOf shows the flows that a stage is in. Many can have the same, and then
// a list of their bindings shows it as often.
func (v *view) flowsOf(stage string) json.RawMessage {
	if shown, ok := v.sets[stage]; ok {
		return shown
	}
	shown, err := json.Marshal(v.flowSets(stage))
	if err != nil {
		panic(err) // of what came from JSON
	}
	v.sets[stage] = shown
	return shown
}

// maxFlows is how many of the flows that a stage is in are shown with it. Which
// ones there are besides is in the list of bindings, which has pages.
const maxFlows = 100

// flowSets are the flows that a stage is in, each once, up to [maxFlows].
func (v *view) flowSets(stage string) []any {
	out, known := []any{}, map[string]bool{}
	for _, b := range v.s.Bindings.Referrers(stage) {
		if len(out) == maxFlows {
			break
		}
		id := text(b, "target")
		if b.Kind != object.StageBindingModel || text(b, "stage") != stage || known[id] {
			continue
		}
		if flow, ok := v.s.Things.Thing(id); ok {
			known[id] = true
			out = append(out, v.flowSet(flow))
		}
	}
	return out
}

// baseStage is a stage as lists of all kinds, and bindings, show it.
func (v *view) baseStage(t object.Thing) map[string]any {
	out := map[string]any{"pk": t.ID, "name": t.Name, "flow_set": v.flowsOf(t.ID)}
	forms(kindOf(t), out)
	return out
}

// nameField is the one field that things of all kinds can be listed by.
var nameField = []catalog.Field{{Name: "name", Type: catalog.Text}}

// listStages shows stages of all kinds by what they have in common.
func (s *Server) listStages(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	pg, err := pagingOf(r.URL.Query())
	if err != nil {
		return err
	}
	v := s.view(r)
	found, err := v.selectThings(r.URL.Query(), stagePeculiarity(), nameField, v.category(catalog.Stage))
	if err != nil {
		return err
	}
	var results []any
	for _, t := range slice(pg, found) {
		results = append(results, v.baseStage(t))
	}
	return writeList(w, pg, len(found), results)
}

// getStage shows one of them; its own fields are at the address of its kind.
func (s *Server) getStage(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	t, err := s.find(r, ofCategory(catalog.Stage, "Stage"))
	if err != nil {
		return err
	}
	tagOf(t).show(w)
	return writeJSON(w, http.StatusOK, s.view(r).baseStage(t))
}

// listTypes answers with the kinds of a category.
func listTypes(c catalog.Category) endpoint {
	return func(w http.ResponseWriter, _ *http.Request, _ session.Caller) error {
		out := []any{}
		for _, k := range catalog.All() {
			if k.Category == c && configured(k) {
				out = append(out, map[string]any{
					"name": k.Name, "description": k.Description, "component": k.Form, "model_name": k.Base(),
					"requires_enterprise": false, "deprecated": false,
				})
			}
		}
		return writeJSON(w, http.StatusOK, out)
	}
}

// listUserSettings answers with the stages that people can set up for
// themselves: those that name a flow for it.
func (s *Server) listUserSettings(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	v := s.view(r)
	all, err := v.selectThings(nil, stagePeculiarity(), nameField, v.category(catalog.Stage))
	if err != nil {
		return err
	}
	out := []any{}
	for _, t := range all {
		if text(t, "configure_flow") == "" {
			continue
		}
		k := kindOf(t)
		name := strings.TrimSuffix(strings.TrimPrefix(k.Form, "ak-stage-"), "-form")
		title := text(t, "friendly_name")
		switch {
		case title != "":
		case name == "password":
			title = "Change your password"
		default:
			title = k.Name
		}
		out = append(out, map[string]any{
			"object_uid": t.ID, "component": "ak-user-settings-" + name, "title": title,
			"configure_url": "/flows/-/configure/" + t.ID + "/",
		})
	}
	return writeJSON(w, http.StatusOK, out)
}
