package adminapi_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The kinds of policy about passwords take what the contract has, and say in
// its words what they do not take.
func TestPasswordPolicies(t *testing.T) {
	b := newBench(t)
	const password, expiry, unique = "policies/password/", "policies/password_expiry/", "policies/unique_password/"
	made := b.want(201, http.MethodPost, password, fields{
		"name": "p", "length_min": 8, "amount_digits": 1, "symbol_charset": "# ", "check_zxcvbn": true, "zxcvbn_score_threshold": 3, "error_message": "",
	})
	if made.str("symbol_charset") != "# " || made.str("component") != "ak-policy-password-form" {
		t.Errorf("made %s", made.text)
	}
	b.want(201, http.MethodPost, password, fields{"name": "q", "error_message": "no"})
	b.want(201, http.MethodPost, expiry, fields{"name": "e", "days": 30, "deny_only": true})
	b.want(201, http.MethodPost, expiry, fields{"name": "f", "days": -1})
	b.want(201, http.MethodPost, unique, fields{"name": "u", "num_historical_passwords": 3})
	b.want(201, http.MethodPost, unique, fields{"name": "v", "password_field": "pw"})
	for query, want := range map[string]string{
		password + "?length_min=8": "p", password + "?length_min=0": "q", password + "?check_zxcvbn=true": "p", password + "?check_zxcvbn=false": "q",
		password + "?symbol_charset=" + url.QueryEscape("# "): "p", password + "?zxcvbn_score_threshold=2": "q", password + "?error_message=no": "q",
		password + "?amount_digits=1": "p", password + "?name=q": "q", password + "?search=p": "p", password + "?policy_uuid=" + made.str("pk"): "p",
		expiry + "?days=30": "e", expiry + "?deny_only=false": "f",
		unique + "?num_historical_passwords=3": "u", unique + "?password_field=pw": "v",
	} {
		got := b.want(200, http.MethodGet, query, nil)
		if got.at("pagination.count") != 1.0 || got.str("results.0.name") != want {
			t.Errorf("%s: %s", query, got.text)
		}
	}
	const negative, large = "Ensure this value is greater than or equal to 0.", "Ensure this value is less than or equal to 2147483647."
	for name, tt := range map[string]struct {
		path string
		body fields
		want any
	}{
		"no name":              {password, fields{}, fields{"name": []any{"This field is required."}}},
		"a name that is taken": {unique, fields{"name": "p"}, fields{"name": []any{"Policy with this name already exists."}}},
		"a negative amount":    {password, fields{"name": "x", "amount_symbols": -1}, fields{"amount_symbols": []any{negative}}},
		"too large an amount":  {password, fields{"name": "x", "length_min": 1 << 31}, fields{"length_min": []any{large}}},
		"no number":            {password, fields{"name": "x", "hibp_allowed_count": "many"}, fields{"hibp_allowed_count": []any{"A valid integer is required."}}},
		"no symbols":           {password, fields{"name": "x", "symbol_charset": ""}, fields{"symbol_charset": []any{"This field may not be blank."}}},
		"no field":             {unique, fields{"name": "x", "password_field": ""}, fields{"password_field": []any{"This field may not be blank."}}},
		"no truth value":       {password, fields{"name": "x", "check_zxcvbn": "perhaps"}, fields{"check_zxcvbn": []any{"Must be a valid boolean."}}},
		"null":                 {password, fields{"name": "x", "error_message": nil}, fields{"error_message": []any{"This field may not be null."}}},
		"no days":              {expiry, fields{"name": "x"}, fields{"days": []any{"This field is required."}}},
		"a negative number":    {unique, fields{"name": "x", "num_historical_passwords": -1}, fields{"num_historical_passwords": []any{negative}}},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			got := b.want(400, http.MethodPost, tt.path, tt.body)
			if diff := cmp.Diff(tt.want, got.json); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}
