package tests

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everyKind are the kinds of policy: what a client has to say to make one, and
// what it gets besides.
var everyKind = map[string]struct {
	form, model, name string
	give, get         object
}{
	"dummy": {
		"ak-policy-dummy-form", "authentik_policies_dummy.dummypolicy", "Dummy Polic",
		object{}, object{"result": false, "wait_min": 5.0, "wait_max": 30.0},
	},
	"event_matcher": {
		"ak-policy-event-matcher-form", "authentik_policies_event_matcher.eventmatcherpolicy", "Event Matcher Polic",
		object{"action": "login"}, object{"client_ip": nil, "app": nil, "model": nil, "query": nil},
	},
	"expression": {
		"ak-policy-expression-form", "authentik_policies_expression.expressionpolicy", "Expression Polic",
		object{"expression": "return True"}, object{},
	},
	"geoip": {
		"ak-policy-geoip-form", "authentik_policies_geoip.geoippolicy", "GeoIP Polic",
		object{"countries": []any{"DE"}}, object{
			"asns": []any{}, "countries_obj": []any{map[string]any{"code": "DE", "name": "Germany"}}, "check_history_distance": false,
			"history_max_distance_km": 100.0, "distance_tolerance_km": 50.0, "history_login_count": 5.0, "check_impossible_travel": false,
			"impossible_tolerance_km": 100.0,
		},
	},
	"password": {
		"ak-policy-password-form", "authentik_policies_password.passwordpolicy", "Password Polic",
		object{}, object{
			"password_field": "password", "check_static_rules": true, "check_have_i_been_pwned": false, "check_zxcvbn": false,
			"amount_digits": 0.0, "amount_uppercase": 0.0, "amount_lowercase": 0.0, "amount_symbols": 0.0, "length_min": 0.0,
			"symbol_charset": `!\"#$%&'()*+,-./:;<=>?@[\]^_` + "`{|}~ ", "error_message": "", "hibp_allowed_count": 0.0, "zxcvbn_score_threshold": 2.0,
		},
	},
	"password_expiry": {
		"ak-policy-password-expiry-form", "authentik_policies_expiry.passwordexpirypolicy", "Password Expiry Polic",
		object{"days": 30.0}, object{"deny_only": false},
	},
	"reputation": {
		"ak-policy-reputation-form", "authentik_policies_reputation.reputationpolicy", "Reputation Polic",
		object{"check_ip": true}, object{"check_username": true, "threshold": -5.0},
	},
	"unique_password": {
		"ak-policy-password-uniqueness-form", "authentik_policies_unique_password.uniquepasswordpolicy", "Password Uniqueness Polic",
		object{}, object{"password_field": "password", "num_historical_passwords": 1.0},
	},
}

// Each kind of policy is made, shown, found, changed, tried, bound and deleted
// as the contract has it; the client compares each answer with it.
func TestEveryKindOfPolicy(t *testing.T) {
	s := startPlain(t)
	admin := s.admin(t)
	admin.mustImport(t, twoDummies("target"))
	flow := admin.take(t, http.StatusOK, http.MethodGet, "/api/v3/flows/instances/target/", nil).text("pk")
	for kind := range everyKind {
		t.Run(kind, func(t *testing.T) {
			give := object{"name": "sample " + kind}
			maps.Copy(give, everyKind[kind].give)
			pk := madePolicy(t, admin, kind, give)
			usedPolicy(t, admin, "/api/v3/policies/"+kind+"/", pk, flow)
			admin.take(t, http.StatusOK, http.MethodPut, "/api/v3/policies/"+kind+"/"+pk+"/", give)
			admin.must(t, http.StatusNoContent, http.MethodDelete, "/api/v3/policies/"+kind+"/"+pk+"/", nil)
			left := admin.take(t, http.StatusOK, http.MethodGet, "/api/v3/policies/bindings/?policy="+pk, nil)
			if at(left, "pagination.count") != 0.0 {
				t.Errorf("bindings of no policy are left: %v", left)
			}
		})
	}
}

const allPolicies = "/api/v3/policies/all/"

// madePolicy makes a policy, looks at it in all ways, and changes it.
func madePolicy(t *testing.T, admin *client, kind string, give object) string {
	t.Helper()
	want, path := everyKind[kind], "/api/v3/policies/"+kind+"/"
	made := admin.take(t, http.StatusCreated, http.MethodPost, path, give)
	pk := made.text("pk")
	whole := object{
		"pk": pk, "execution_logging": false, "bound_to": 0.0, "component": want.form, "meta_model_name": want.model,
		"verbose_name": want.name + "y", "verbose_name_plural": want.name + "ies",
	}
	maps.Copy(whole, give)
	maps.Copy(whole, want.get)
	for where, got := range map[string]object{
		"made": made, "one": admin.take(t, http.StatusOK, http.MethodGet, path+pk+"/", nil),
		"among all": admin.take(t, http.StatusOK, http.MethodGet, allPolicies+pk+"/", nil),
	} {
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", where, diff)
		}
	}
	for field := range want.give {
		got := admin.take(t, http.StatusBadRequest, http.MethodPost, path, object{"name": "x", field: nil})
		if at(got, field+".0") == nil && at(got, "non_field_errors.0") == nil {
			t.Errorf("without %s: %v", field, got)
		}
	}
	if got := admin.take(t, http.StatusBadRequest, http.MethodPost, path, give); at(got, "name.0") == nil {
		t.Errorf("with a name that is taken: %v", got)
	}
	change := object{"execution_logging": true}
	if kind == "dummy" {
		change["wait_min"], change["wait_max"] = 0, 0
	}
	if got := admin.take(t, http.StatusOK, http.MethodPatch, path+pk+"/", change); got["execution_logging"] != true {
		t.Errorf("changed: %v", got)
	}
	for query, count := range map[string]float64{
		path + "?search=sample+" + kind: 1, path + "?search=no+such": 0, path + "?name=sample+" + kind: 1,
		allPolicies + "?bindings__isnull=true&search=sample+" + kind: 1,
	} {
		if got := admin.take(t, http.StatusOK, http.MethodGet, query, nil); at(got, "pagination.count") != count {
			t.Errorf("%s: %v", query, got)
		}
	}
	return pk
}

// usedPolicy tries a policy out and binds it to a flow.
func usedPolicy(t *testing.T, admin *client, path, pk, flow string) {
	t.Helper()
	tried := admin.take(t, http.StatusOK, http.MethodPost, allPolicies+pk+"/test/", object{
		"user": 1, "context": object{"password": "Some-Passw0rd", "geoip": object{"country": "DE"}},
	})
	if _, ok := tried["passing"].(bool); !ok {
		t.Errorf("tried: %v", tried)
	}
	const bindings = "/api/v3/policies/bindings/"
	binding := admin.take(t, http.StatusCreated, http.MethodPost, bindings, object{"target": flow, "policy": pk, "order": 0}).text("pk")
	admin.must(t, http.StatusOK, http.MethodGet, bindings+binding+"/used_by/", nil)
	for _, path := range []string{path, allPolicies} {
		uses := string(admin.must(t, http.StatusOK, http.MethodGet, path+pk+"/used_by/", nil).body)
		if !strings.Contains(uses, binding) {
			t.Errorf("%s: used by %s", path, uses)
		}
	}
	if got := admin.take(t, http.StatusOK, http.MethodGet, path+pk+"/", nil); got["bound_to"] != 1.0 {
		t.Errorf("bound to %v", got["bound_to"])
	}
}

// take is must for an answer that is an object.
func (c *client) take(tb testing.TB, status int, method, path string, body any) object {
	tb.Helper()
	got, err := c.must(tb, status, method, path, body).object()
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// The types are those that the contract has, by its names for them.
func TestTypesOfPolicy(t *testing.T) {
	s := startPlain(t)
	listed := string(s.admin(t).must(t, http.StatusOK, http.MethodGet, "/api/v3/policies/all/types/", nil).body)
	types, err := (&answer{body: []byte(`{"all":` + listed + `}`)}).object()
	if err != nil {
		t.Fatal(err)
	}
	got, want := map[string]string{}, map[string]string{}
	for i := range types["all"].([]any) {
		one := fmt.Sprintf("all.%d.", i)
		got[fmt.Sprint(at(types, one+"model_name"))] = fmt.Sprintf("%s %s", at(types, one+"name"), at(types, one+"component"))
	}
	for _, kind := range everyKind {
		_, model, _ := strings.Cut(kind.model, ".")
		want[model] = fmt.Sprintf("%sy %s", kind.name, kind.form)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

// Scores are listed, found and deleted as the contract has it.
func TestScoresOfReputation(t *testing.T) {
	const path = "/api/v3/policies/reputation/scores/"
	s := startPlain(t)
	admin := s.admin(t)
	admin.mustImport(t, cheapLogin("scored", 1))
	if got, err := s.visitor(t).login("scored-login", "scored-0", "wrong"); err != nil || got.text("component") != "ak-stage-password" {
		t.Fatalf("got %v, %v", got, err)
	}
	for query, count := range map[string]float64{
		"": 1, "?identifier=scored-0": 1, "?identifier=nobody": 0, "?identifier_in=scored-0,nobody": 1, "?ip=127.0.0.1": 1, "?ip=192.0.2.9": 0,
		"?score=-1": 1, "?score=0": 0, "?search=scored": 1, "?ordering=-updated": 1,
	} {
		got, err := admin.must(t, http.StatusOK, http.MethodGet, path+query, nil).object()
		if err != nil || at(got, "pagination.count") != count {
			t.Errorf("%s: %v, %v", query, got, err)
		}
	}
	got, err := admin.must(t, http.StatusOK, http.MethodGet, path, nil).object()
	if err != nil {
		t.Fatal(err)
	}
	one := path + fmt.Sprint(at(got, "results.0.pk")) + "/"
	admin.must(t, http.StatusOK, http.MethodGet, one, nil)
	admin.must(t, http.StatusOK, http.MethodGet, one+"used_by/", nil)
	admin.must(t, http.StatusNoContent, http.MethodDelete, one, nil)
	admin.must(t, http.StatusNotFound, http.MethodGet, one, nil)
	admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/policies/geoip_iso3166/", nil)
}
