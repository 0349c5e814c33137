package policy_test

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

// A library is a service that knows of stolen passwords, and nothing else.
type library struct {
	policy.Outside
	asked *[]string
	found map[string]int
	fault error
}

// Breaches implements [policy.Outside].
func (l library) Breaches(_ context.Context, prefix string) (map[string]int, error) {
	if l.asked != nil {
		*l.asked = append(*l.asked, prefix)
	}
	return l.found, l.fault
}

// stolen knows "password", 5 times, by its SHA-1.
var stolen = library{found: map[string]int{"1E4C9B93F3F0682250B6CF8331B7EE68FD8": 5}}

// fields makes a policy of a kind as the catalog loads it.
func fields(t *testing.T, model string, set map[string]any) policy.Policy {
	t.Helper()
	p, err := policy.Load(model, set)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const passwordModel = "authentik_policies_password.passwordpolicy"

func TestPasswordDefaults(t *testing.T) {
	k, _ := catalog.Lookup(passwordModel)
	got := k.Defaults()
	want := map[string]any{
		"name": "", "execution_logging": false, "password_field": "password", "amount_digits": 0.0, "amount_uppercase": 0.0,
		"amount_lowercase": 0.0, "amount_symbols": 0.0, "length_min": 0.0, "error_message": "", "check_static_rules": true,
		"check_have_i_been_pwned": false, "check_zxcvbn": false, "hibp_allowed_count": 0.0, "zxcvbn_score_threshold": 2.0,
		"symbol_charset": `!\"#$%&'()*+,-./:;<=>?@[\]^_` + "`{|}~ ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if n := len(got["symbol_charset"].(string)); n != 34 {
		t.Errorf("%d symbols", n)
	}
}

// typed is a password in a prompt.
func typed(v any) execution.Context {
	return execution.Context{"prompt_data": map[string]any{"password": v}}
}

func TestPassword(t *testing.T) {
	type set = map[string]any
	static := set{"amount_digits": 1, "amount_uppercase": 1, "amount_lowercase": 2, "amount_symbols": 3, "length_min": 24, "error_message": "no"}
	const good = "1ttttttttttttttttTTTT!!!"
	tests := map[string]struct {
		set     set
		context execution.Context
		rule    string // that decides; empty for one that passes
		says    string
	}{
		"no password":                               {set{}, nil, "missing", "Password not set in context"},
		"an empty one":                              {set{}, typed(""), "missing", "Password not set in context"},
		"a password that is no text":                {set{}, typed([]any{"x"}), "missing", "Password not set in context"},
		"an empty one in the prompt hides another":  {set{}, execution.Context{"prompt_data": set{"password": ""}, "password": "x"}, "missing", "Password not set in context"},
		"another field":                             {set{"password_field": "pw"}, typed("x"), "missing", "Password not set in context"},
		"a number":                                  {set{"length_min": 3}, typed(123.0), "", ""},
		"from the context itself":                   {set{}, execution.Context{"password": "x"}, "", ""},
		"a secret":                                  {set{"length_min": 3, "error_message": "no"}, typed(domain.NewSecret("xx")), "length_min", "no"},
		"the prompt comes first":                    {set{"length_min": 2}, execution.Context{"prompt_data": set{"password": "xx"}, "password": "x"}, "", ""},
		"no rules":                                  {set{}, typed("x"), "", ""},
		"all rules kept":                            {static, typed(good), "", ""},
		"one too short":                             {static, typed(good[1:]), "length_min", "no"},
		"code points count, not bytes":              {set{"length_min": 4, "error_message": "no"}, typed("äöü"), "length_min", "no"},
		"too few digits":                            {static, typed(strings.Replace(good, "1", "t", 1)), "amount_digits", "no"},
		"digits of other scripts do not count":      {set{"amount_digits": 1, "error_message": "no"}, typed("٣"), "amount_digits", "no"},
		"too few small letters":                     {static, typed("1TTTTTTTTTTTTTTTTTTTTTTe!!!"), "amount_lowercase", "no"},
		"umlauts do not count":                      {set{"amount_lowercase": 1, "error_message": "no"}, typed("ä"), "amount_lowercase", "no"},
		"too few capitals":                          {static, typed(strings.ToLower(good)), "amount_uppercase", "no"},
		"capitals have an amount of their own":      {set{"amount_uppercase": 3, "amount_lowercase": 1, "error_message": "no"}, typed("aTT"), "amount_uppercase", "no"},
		"capitals without a rule for small letters": {set{"amount_uppercase": 2, "error_message": "no"}, typed("T"), "amount_uppercase", "no"},
		"too few symbols":                           {static, typed(strings.ReplaceAll(good, "!", "t")), "amount_symbols", "no"},
		"a space is a symbol":                       {set{"amount_symbols": 1}, typed("a b"), "", ""},
		"a backslash counts twice":                  {set{"amount_symbols": 2}, typed(`\`), "", ""},
		"symbols of one's own":                      {set{"amount_symbols": 1, "symbol_charset": "#", "error_message": "no"}, typed("!!!"), "amount_symbols", "no"},
		"a refusal without words":                   {set{"length_min": 2}, typed("x"), "length_min", ""},
		"rules that are off":                        {set{"length_min": 2, "check_static_rules": false}, typed("x"), "", ""},
		"a stolen one":                              {set{"check_have_i_been_pwned": true}, typed("password"), "hibp", "Password exists on 5 online lists."},
		"one stolen less often than allowed":        {set{"check_have_i_been_pwned": true, "hibp_allowed_count": 5}, typed("password"), "", ""},
		"one that was not stolen":                   {set{"check_have_i_been_pwned": true}, typed("passwort"), "", ""},
		"rules come before the lists":               {set{"check_have_i_been_pwned": true, "length_min": 9, "error_message": "no"}, typed("password"), "length_min", "no"},
		"a weak one":                                {set{"check_zxcvbn": true}, typed("password"), "zxcvbn", "Password is too weak."},
		"the lists come before the strength":        {set{"check_zxcvbn": true, "check_have_i_been_pwned": true}, typed("password"), "hibp", "Password exists on 5 online lists."},
		"a strong one":                              {set{"check_zxcvbn": true}, typed("gamma-Trellis-941-quantum-Wharf"), "", ""},
		"none is strong enough":                     {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 4}, typed("gamma-Trellis-941-quantum-Wharf"), "zxcvbn", "Password is too weak."},
		"one's own name and address":                {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("ada@example.org"), "zxcvbn", "Password is too weak."},
		"the brand":                                 {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("Kwyjibo Xanthic Heliopause"), "zxcvbn", "Password is too weak."},
		"letters in disguise":                       {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("P@ssw0rd"), "zxcvbn", "Password is too weak."},
		"a day":                                     {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("21.7.2015"), "zxcvbn", "Password is too weak."},
		"a day, the year first":                     {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("1966-12-23"), "zxcvbn", "Password is too weak."},
		"a day in one":                              {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("23121966"), "zxcvbn", "Password is too weak."},
		"the alphabet":                              {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("abcdefghijk"), "zxcvbn", "Password is too weak."},
		"digits backwards":                          {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("987654321"), "zxcvbn", "Password is too weak."},
		"one letter":                                {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("xxxxxxxxxxxx"), "zxcvbn", "Password is too weak."},
		"neighbours on a keyboard":                  {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("asdfghjkl"), "zxcvbn", "Password is too weak."},
		"a word in capitals":                        {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("PASSWORD"), "zxcvbn", "Password is too weak."},
		"a word among lists":                        {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed("dragon"), "zxcvbn", "Password is too weak."},
		"the same over and over":                    {set{"check_zxcvbn": true, "zxcvbn_score_threshold": 0}, typed(strings.Repeat("ab", 40)), "zxcvbn", "Password is too weak."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := asked(ada)
			r.Context, r.Env.Outside = tt.context, stolen
			r.HTTP.Brand.Title = "Kwyjibo Xanthic Heliopause"
			v, err := fields(t, passwordModel, tt.set).Passes(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			rule, _ := v.Facts["rule"].(string)
			if v.Passing != (tt.rule == "") || rule != tt.rule || strings.Join(v.Messages, "|") != tt.says {
				t.Errorf("passing %t by %q: %q", v.Passing, rule, v.Messages)
			}
			if tt.rule != "" && !cmp.Equal(v.Reasons, []string{"password." + tt.rule}) {
				t.Errorf("reasons %q", v.Reasons)
			}
		})
	}
}

// Nobody knows whether a password was stolen when nobody answers. That is no
// verdict, and says nothing of the password but that.
func TestPasswordUnanswered(t *testing.T) {
	p := fields(t, passwordModel, map[string]any{"check_have_i_been_pwned": true})
	tests := map[string]struct {
		outside policy.Outside
		outcome string
	}{
		"nobody to ask":              {nil, "exception"},
		"a service that is down":     {library{fault: errors.New("GET /range/5BAA6: connection refused")}, "exception"},
		"a service that is too slow": {library{fault: fmt.Errorf("GET: %w", context.DeadlineExceeded)}, "timeout"},
	}
	for name, tt := range tests {
		for _, keep := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " keep ", keep), func(t *testing.T) {
				r := asked(ada)
				r.Context, r.Env.Outside = typed("password"), tt.outside
				q := policy.Question{Mode: "all", Bound: []policy.Bound{bound(0, p, nil)}, KeepOnError: keep}
				q.Bound[0].Binding.Enabled = true
				e := policy.Evaluate(t.Context(), q, r)
				got := e.Results[0]
				if e.Passing != keep || e.Kept != keep || got.Outcome != tt.outcome || !cmp.Equal(got.Reasons, []string{"hibp.unavailable"}) ||
					got.Facts["hibp"] != "unavailable" {
					t.Errorf("got %+v of %+v", got, e)
				}
				want := []string{"The password could not be checked against online lists. Please try again later."}
				if diff := cmp.Diff(want, e.Messages); diff != "" {
					t.Errorf("messages (-want +got):\n%s", diff)
				}
				if text := e.Details[0].Error; text == "" || strings.Contains(text, "5BAA6") {
					t.Errorf("the error says %q", text)
				}
			})
		}
	}
}

// What is recorded does not tell the password, nor how good one is that may be
// in use by now.
func TestPasswordKeepsQuiet(t *testing.T) {
	all := map[string]any{"check_have_i_been_pwned": true, "check_zxcvbn": true, "hibp_allowed_count": 9, "zxcvbn_score_threshold": 0}
	for _, password := range []string{"gamma-Trellis-941-quantum-Wharf", "dragon77"} {
		var prefixes []string
		r := asked(ada)
		sum := fmt.Sprintf("%X", sha1.Sum([]byte(password)))
		r.Context, r.Env.Outside = typed(password), library{asked: &prefixes, found: map[string]int{sum[5:]: 7}}
		v, err := fields(t, passwordModel, all).Passes(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(prefixes, []string{sum[:5]}) {
			t.Fatalf("asked for %q", prefixes)
		}
		for _, part := range []string{password, password[:4], sum[:5], "7", fmt.Sprint(len(password))} {
			if strings.Contains(string(text), part) {
				t.Errorf("%q is in %s", part, text)
			}
		}
	}
}

// Passwords that are made to keep the estimator busy do not.
func TestPasswordIsQuick(t *testing.T) {
	p := fields(t, passwordModel, map[string]any{"check_zxcvbn": true})
	for _, unit := range []string{"4@8({[<369!|71|+20$5%2", "a", "qwertyuiop", "1.1.19", "ä\xff𝔘", "password1"} {
		r := asked(ada)
		r.Context = typed(strings.Repeat(unit, 100_000/len(unit)) + "end")
		start := time.Now()
		if _, err := p.Passes(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%q took %s", unit, took)
		}
	}
}
