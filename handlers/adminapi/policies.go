package adminapi

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
)

// mountPolicies adds what there is about policies of all kinds.
func (s *Server) mountPolicies(r *mux.Router) {
	const path = "policies/all/"
	every := ofCategory(catalog.Policy, "Policy")
	s.route(r, "policies/geoip_iso3166/", anybody, verbs{http.MethodGet: listCountries})
	s.route(r, path, of("authentik_policies.policy"), verbs{http.MethodGet: s.listPolicies})
	s.route(r, path+"types/", action("authentik_policies.view_policy"), verbs{http.MethodGet: listTypes(catalog.Policy)})
	s.route(r, path+"cache_info/", action("authentik_policies.view_policy_cache"), verbs{http.MethodGet: noCache})
	s.route(r, path+"cache_clear/", action("authentik_policies.clear_policy_cache"), verbs{http.MethodPost: clearCache})
	s.edit(r, path+"{key}/", of("authentik_policies.policy"), verbs{http.MethodGet: s.getPolicy, http.MethodDelete: s.removeThing(every)})
	s.route(r, path+"{key}/used_by/", of("authentik_policies.policy"), verbs{http.MethodGet: s.usedBy(every)})
	if s.Tester != nil {
		s.route(r, path+"{key}/test/", action("authentik_policies.change_policy"), verbs{http.MethodPost: s.testPolicy})
	}
}

// A Tester tries what is configured, outside of any flow.
type Tester interface {
	// Test asks a policy: that it was asked is all that is recorded.
	Test(ctx context.Context, c session.Caller, policy, user string, context map[string]any) (TestResult, error)

	// Preview is the challenge that a flow would show of a prompt. An
	// expression that fails is a [*stage.ExpressionError].
	Preview(ctx context.Context, c session.Caller, p *stage.Prompt) (map[string]any, error)
}

// A TestResult is what a policy said on trial.
type TestResult struct {
	Passing  bool
	Messages []string
	Logs     []blueprint.LogEvent
}

// policyPeculiarity: policies know how often they are used, and lists can
// pick those that are not.
func policyPeculiarity() peculiarity {
	return peculiarity{
		order:  []string{"name"},
		search: []string{"name"},
		derived: map[string]func(*view, object.Thing) any{
			"policy_uuid": primaryKey, "created": createdAt, "last_updated": updatedAt,
			"bindings":    func(v *view, t object.Thing) any { return v.users(t.ID, catalog.PolicyBinding, "policy") },
			"promptstage": func(v *view, t object.Thing) any { return v.users(t.ID, catalog.Stage, "validation_policies") },
		},
		adorn: func(_ context.Context, v *view, k catalog.Kind, t object.Thing, out map[string]any) error {
			forms(k, out)
			out["bound_to"] = len(v.users(t.ID, catalog.PolicyBinding, "policy")) + len(v.users(t.ID, catalog.Stage, "validation_policies"))
			return derive(k, t, out)
		},
	}
}

// derive adds what a kind makes of its fields for those who read them.
func derive(k catalog.Kind, t object.Thing, out map[string]any) error {
	type deriver interface{ Derived() map[string]any }
	if _, ok := k.New().(deriver); !ok {
		return nil
	}
	config, err := k.Load(t.Fields)
	if err != nil {
		return err
	}
	maps.Copy(out, config.(deriver).Derived())
	return nil
}

// listCountries answers with what geoip policies choose from.
func listCountries(w http.ResponseWriter, _ *http.Request, _ session.Caller) error {
	return writeJSON(w, http.StatusOK, policy.Countries())
}

// users lists the keys of the things of a category whose field refers to id.
func (v *view) users(id string, c catalog.Category, field string) []any {
	var out []any
	for _, t := range v.s.Bindings.Referrers(id) {
		if kindOf(t).Category == c && refers(t.Fields[field], id) {
			out = append(out, t.ID)
		}
	}
	return out
}

// listPolicies shows each policy with all its fields (spec/flows.md 8.5).
func (s *Server) listPolicies(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	v := s.view(r)
	return v.write(w, r, policyPeculiarity(), nameField, v.category(catalog.Policy))
}

func (s *Server) getPolicy(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	t, err := s.find(r, ofCategory(catalog.Policy, "Policy"))
	if err != nil {
		return err
	}
	return s.writeThing(w, r, http.StatusOK, t)
}

// testPolicy asks a policy about a user, with a context of the client's own
// making (spec/flows.md 8.14).
func (s *Server) testPolicy(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.find(r, ofCategory(catalog.Policy, "Policy"))
	if err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	who, err := s.userField(r.Context(), input, "user")
	if err != nil {
		return err
	}
	with, ok := input["context"].(map[string]any)
	if !ok && input["context"] != nil {
		return invalid("context", "Value must be valid JSON.")
	}
	result, err := s.Tester.Test(r.Context(), c, t.ID, who.ID, with)
	if err != nil {
		return err
	}
	messages := result.Messages
	if messages == nil {
		messages = []string{}
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"passing": result.Passing, "messages": messages, "log_messages": logs(result.Logs, "policy", s.Now()),
	})
}

// logs are the lines of a report on the wire.
func logs(events []blueprint.LogEvent, logger string, at time.Time) []any {
	out := []any{}
	for _, e := range events {
		attributes := e.Attributes
		if attributes == nil {
			attributes = map[string]any{}
		}
		out = append(out, map[string]any{
			"timestamp": at.UTC().Format(time.RFC3339Nano), "log_level": e.Level, "logger": logger, "event": e.Event, "attributes": attributes,
		})
	}
	return out
}
