package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// happen puts events of an execution into the ledger, by somebody.
func (b *bench) happen(by string, events ...codec.Event) {
	b.t.Helper()
	b.happenFrom(session.Network{IP: "198.51.100.4", UserAgent: "curl/8"}, by, events...)
}

func (b *bench) happenFrom(network session.Network, by string, events ...codec.Event) {
	b.t.Helper()
	m := codec.Meta{Network: network, Subject: "tenant", Time: now()}
	m.Header.Actor.ID = by
	m.Header.Request.Method = "POST"
	stream := eventstore.Stream("execution", uuid.NewString())
	encoded, err := b.views.codec.Encode(b.t.Context(), stream, m, events...)
	b.must(err)
	_, err = b.views.store.Append(b.t.Context(), stream, eventstore.NoStream, encoded...)
	b.must(err)
	b.must(b.views.wait(b.t.Context()))
}

// plain is a key as the contract's events have it.
func plain(id string) string { return strings.ReplaceAll(id, "-", "") }

func TestEvents(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	jane := b.callers[member].User
	policy := domain.Ref{ID: "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10", Kind: "authentik_policies_dummy.dummypolicy", Name: "p"}
	b.happen(jane, execution.UserLoggedIn{User: jane, AuthMethod: "password", KnownDevice: true, AuthMethodArgs: map[string]any{"key": "k"}})
	b.happen("", execution.LoginFailed{Identifier: "ghost", Method: "password", Stage: domain.Ref{ID: policy.ID, Kind: "authentik_stages_password.passwordstage", Name: "pw"}})
	b.happen(jane, execution.PolicyEvaluated{Evaluation: execution.Evaluation{
		Results: []execution.PolicyResult{{Outcome: "ok"}, {Outcome: "exception", Policy: &policy, Binding: &execution.BindingRef{ID: "b"}}},
		Details: []execution.Detail{{}, {Error: "ZeroDivisionError: division by zero"}},
	}})
	b.happen(jane, execution.ExecutionFailed{Class: "internal", Detail: "detail"})
	b.flow("f")
	b.want(200, http.MethodPatch, "flows/instances/f/", fields{"title": "new"})
	b.want(204, http.MethodPost, "core/users/2/set_password/", fields{"password": "Correct-horse-1"})
	all := b.want(200, http.MethodGet, "events/events/", nil)
	want := []string{"password_set", "model_updated", "model_created", "system_exception", "policy_exception", "login_failed", "login"}
	if diff := cmp.Diff(want, all.names("action")); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	context := func(action string) any {
		got := b.want(200, http.MethodGet, "events/events/?actions="+action, nil)
		c, _ := got.at("results.0.context").(map[string]any)
		delete(c, "http_request")
		return c
	}
	stage := fields{"pk": plain(policy.ID), "app": "authentik_stages_password", "model_name": "passwordstage", "name": "pw"}
	for action, want := range map[string]any{
		"login":        fields{"auth_method": "password", "auth_method_args": fields{"known_device": true, "key": "********************"}},
		"login_failed": fields{"username": "ghost", "password": "********************", "auth_method": "password", "stage": stage},
		"policy_exception": fields{
			"message": "ZeroDivisionError: division by zero", "policy_uuid": "3f0c6e0a7f0e4c559a442d1f9f6b9f10",
			"policy":  fields{"pk": plain(policy.ID), "app": "authentik_policies_dummy", "model_name": "dummypolicy", "name": "p"},
			"binding": fields{"pk": "b", "app": "authentik_policies", "model_name": "policybinding", "name": ""},
		},
		"password_set": fields{},
	} {
		if diff := cmp.Diff(want, context(action)); diff != "" {
			t.Errorf("context of %s (-want +got):\n%s", action, diff)
		}
	}
	updated, _ := context("model_updated").(map[string]any)
	if diff := cmp.Diff(fields{"title": fields{"new_value": "new", "previous_value": "f"}}, updated["diff"]); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	one := b.want(200, http.MethodGet, "events/events/"+all.str("results.6.pk")+"/", nil)
	if diff := cmp.Diff(fields{"pk": 2.0, "username": "jane", "email": "jane@example.org"}, one.at("user")); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	if one.str("client_ip") != "198.51.100.4" || one.str("context.http_request.user_agent") != "curl/8" {
		t.Errorf("login: %s", one.text)
	}
	if got := b.want(200, http.MethodGet, "events/events/?actions=login_failed", nil); got.at("results.0.user.is_anonymous") != true {
		t.Errorf("nobody is %v", got.at("results.0.user"))
	}
}

func TestEventFilters(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	jane := b.callers[member].User
	b.happen(jane, execution.UserLoggedIn{User: jane})
	b.happen("", execution.LoginFailed{Identifier: "ghost"})
	flow := b.flow("f")
	tests := map[string][]string{
		"":                                    {"model_created", "login_failed", "login"},
		"?ordering=created":                   {"login", "login_failed", "model_created"},
		"?ordering=-created":                  {"model_created", "login_failed", "login"},
		"?action=login":                       {"login_failed", "login"},
		"?action=LOGIN_":                      {"login_failed"},
		"?action=none":                        {},
		"?actions=login":                      {"login"},
		"?actions=login&action=failed":        {},
		"?context_device=5":                   {},
		"?brand_name=none":                    {},
		"?search=jane":                        {"login"},
		"?search=jane+ghost":                  {},
		"?search=login+jane":                  {"login"},
		"?actions=login&actions=login_failed": {"login_failed", "login"},
		"?username=jane":                      {"login"},
		"?username=nobody":                    {},
		"?client_ip=198.51.100.4":             {"login_failed", "login"},
		"?context_model_name=flow":            {"model_created"},
		"?context_model_pk=" + flow:           {"model_created"},
		"?context_model_pk=" + strings.ReplaceAll(flow, "-", ""): {"model_created"},
		"?context_model_app=authentik_core":                      {},
		"?search=GHOST":                                          {"login_failed"},
		"?page_size=1&page=2":                                    {"login_failed"},
		"?search=authentik&page_size=1&page=2":                   {"login_failed"},
	}
	for query, want := range tests {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "events/events/"+query, nil).names("action")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// What happened cannot be changed, and nobody can make it up.
func TestEventsStay(t *testing.T) {
	b := newBench(t)
	pk := b.want(200, http.MethodGet, "events/events/", nil).str("results.0.pk")
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		got := b.want(403, method, "events/events/"+pk+"/", fields{"action": "login"})
		if got.str("detail") != "Audit events cannot be changed." {
			t.Errorf("%s: %s", method, got.text)
		}
	}
	b.want(404, http.MethodGet, "events/events/"+uuid.NewString()+"/", nil)
	b.want(404, http.MethodGet, "events/events/x/", nil)
	actions := b.want(200, http.MethodGet, "events/events/actions/", nil)
	if got, _ := actions.json.([]any); len(got) != 38 || actions.str("0.component") != "login" {
		t.Errorf("actions: %s", actions.text)
	}
}

// Events tell where they came from, as far as databases knew.
func TestEventsTellPlaces(t *testing.T) {
	b := newBench(t)
	jane, lat := b.callers[member].User, 52.5
	b.happenFrom(session.Network{
		IP: "198.51.100.4", Place: &session.Place{Continent: "EU", Country: "DE", Lat: &lat}, System: &session.System{Number: 64500, Name: "Example"},
	}, jane, execution.UserLoggedIn{User: jane})
	got := b.want(200, http.MethodGet, "events/events/?action=login", nil)
	geo := fields{"continent": "EU", "country": "DE", "lat": 52.5, "long": nil, "city": ""}
	if diff := cmp.Diff(any(geo), got.at("results.0.context.geo")); diff != "" {
		t.Errorf("geo (-want +got):\n%s", diff)
	}
	asn := fields{"asn": 64500.0, "as_org": "Example", "network": nil}
	if diff := cmp.Diff(any(asn), got.at("results.0.context.asn")); diff != "" {
		t.Errorf("asn (-want +got):\n%s", diff)
	}
}
