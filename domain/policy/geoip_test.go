package policy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// logins are what is recorded of ada's logins, the newest first.
type logins []policy.Login

// Score implements [policy.History].
func (logins) Score(context.Context, string, string) (int64, error) { return 0, nil }

// Reused implements [policy.History].
func (logins) Reused(context.Context, string, domain.Secret, int) (bool, error) { return false, nil }

// Logins implements [policy.History].
func (l logins) Logins(_ context.Context, userID string, limit int) ([]policy.Login, error) {
	if l == nil {
		return nil, errors.New("the ledger does not answer")
	}
	if userID != ada.ID {
		return nil, nil
	}
	return l[:min(limit, len(l))], nil
}

// login is one that long ago, in a city.
func login(event string, ago time.Duration, coordinates ...float64) policy.Login {
	l := policy.Login{Event: event, At: now.Add(-ago)}
	if len(coordinates) == 2 {
		l.Place = &session.Place{Lat: &coordinates[0], Long: &coordinates[1]}
	}
	return l
}

// berlin and new york are 6402 kilometres apart, Berlin and Potsdam 27.
var (
	berlin  = []float64{52.52, 13.405}
	potsdam = []float64{52.3906, 13.0645}
	newYork = []float64{40.7128, -74.006}
)

// here is the context of a request from Berlin.
func here() map[string]any {
	return map[string]any{
		"geoip": map[string]any{"continent": "EU", "country": "DE", "lat": berlin[0], "long": berlin[1], "city": "Berlin"},
		"asn":   map[string]any{"asn": 64500, "as_org": "Example", "network": "192.0.2.0/24"},
	}
}

const (
	badSystem  = "Client IP is not part of an allowed autonomous system."
	badCountry = "Client IP is not in an allowed country."
	tooFar     = "Distance from previous authentication is larger than threshold."
	tooFast    = "Distance is further than possible."
)

func TestGeoIP(t *testing.T) {
	unknown := map[string]any{"geoip": nil, "asn": nil}
	tests := map[string]struct {
		fields  map[string]any
		extra   map[string]any // here unless given
		logins  logins
		who     user.Person // ada unless given
		passing bool
		says    []string
		reasons []string
		err     string
	}{
		"nothing is configured":               {passing: true},
		"nothing is configured, or known":     {extra: unknown, passing: true},
		"the system is allowed":               {fields: map[string]any{"asns": []int{1, 64500}}, passing: true},
		"the system is not":                   {fields: map[string]any{"asns": []int{1}}, says: []string{badSystem}, reasons: []string{"asn_not_allowed"}},
		"the system is unknown":               {fields: map[string]any{"asns": []int{1}}, extra: unknown, err: "GeoIP: client IP not found in ASN database."},
		"the country is allowed":              {fields: map[string]any{"countries": []string{"FR", "DE"}}, passing: true},
		"the country is not":                  {fields: map[string]any{"countries": []string{"FR"}}, says: []string{badCountry}, reasons: []string{"country_not_allowed"}},
		"the place is unknown":                {fields: map[string]any{"countries": []string{"FR"}}, extra: unknown, err: "GeoIP: client IP address not found in City database."},
		"the country of the place is unknown": {fields: map[string]any{"countries": []string{"FR"}}, extra: map[string]any{"geoip": map[string]any{"country": nil}}, err: "GeoIP: client IP address not found in City database."},
		"one of two is enough": {
			fields: map[string]any{"asns": []int{1}, "countries": []string{"DE"}}, passing: true,
			says: []string{badSystem}, reasons: []string{"asn_not_allowed"},
		},
		"neither of two": {
			fields: map[string]any{"asns": []int{1}, "countries": []string{"FR"}},
			says:   []string{badSystem, badCountry}, reasons: []string{"asn_not_allowed", "country_not_allowed"},
		},
		"of two, one is unknown": {
			fields: map[string]any{"asns": []int{64500}, "countries": []string{"DE"}}, extra: map[string]any{"asn": here()["asn"]},
			err: "GeoIP: client IP address not found in City database.",
		},
		"far from the last login": {
			fields: map[string]any{"check_history_distance": true}, logins: logins{login("e", 1000*time.Hour, newYork...)},
			says: []string{tooFar}, reasons: []string{"history_distance_threshold_exceeded"},
		},
		"near to it":                                {fields: map[string]any{"check_history_distance": true}, logins: logins{login("e", time.Hour, potsdam...)}, passing: true},
		"at the limit is too far":                   {fields: map[string]any{"check_history_distance": true, "history_max_distance_km": 0, "distance_tolerance_km": 0}, logins: logins{login("e", time.Hour, berlin...)}, says: []string{tooFar}, reasons: []string{"history_distance_threshold_exceeded"}},
		"beyond the limit, within what is added":    {fields: map[string]any{"check_history_distance": true, "history_max_distance_km": 6000, "distance_tolerance_km": 500}, logins: logins{login("e", time.Hour, newYork...)}, passing: true},
		"far from one login before the last":        {fields: map[string]any{"check_history_distance": true}, logins: logins{login("e", time.Hour, berlin...), login("f", 2*time.Hour, newYork...)}, says: []string{tooFar}, reasons: []string{"history_distance_threshold_exceeded"}},
		"far from one too long ago":                 {fields: map[string]any{"check_history_distance": true, "history_login_count": 1}, logins: logins{login("e", time.Hour, berlin...), login("f", 2*time.Hour, newYork...)}, passing: true},
		"no login is looked at":                     {fields: map[string]any{"check_history_distance": true, "history_login_count": 0}, logins: logins{login("f", 2*time.Hour, newYork...)}, passing: true},
		"no login yet":                              {fields: map[string]any{"check_history_distance": true, "check_impossible_travel": true}, logins: logins{}, passing: true},
		"a login from an unknown place":             {fields: map[string]any{"check_history_distance": true}, logins: logins{login("e", time.Hour)}, passing: true},
		"a login from where no place is":            {fields: map[string]any{"check_history_distance": true}, logins: logins{login("e", time.Hour, 95, 13)}, passing: true},
		"a request from an unknown place":           {fields: map[string]any{"check_history_distance": true, "check_impossible_travel": true}, extra: unknown, logins: logins{login("e", time.Hour, newYork...)}, passing: true},
		"nobody":                                    {fields: map[string]any{"check_history_distance": true}, who: user.Person{Username: "ghost"}, logins: logins{login("e", time.Hour, newYork...)}, passing: true},
		"an ocean in an hour":                       {fields: map[string]any{"check_impossible_travel": true}, logins: logins{login("e", time.Hour, newYork...)}, says: []string{tooFast}, reasons: []string{"impossible_travel_threshold_exceeded"}},
		"an ocean in half a night":                  {fields: map[string]any{"check_impossible_travel": true}, logins: logins{login("e", 7*time.Hour, newYork...)}, passing: true},
		"an ocean in a little too little":           {fields: map[string]any{"check_impossible_travel": true}, logins: logins{login("e", 6*time.Hour+15*time.Minute, newYork...)}, says: []string{tooFast}, reasons: []string{"impossible_travel_threshold_exceeded"}},
		"an ocean in just enough, with what is due": {fields: map[string]any{"check_impossible_travel": true}, logins: logins{login("e", 6*time.Hour+20*time.Minute, newYork...)}, passing: true},
		"a neighbour in a minute":                   {fields: map[string]any{"check_impossible_travel": true, "impossible_tolerance_km": 0}, logins: logins{login("e", time.Minute, potsdam...)}, passing: true},
		"the history comes before the travel":       {fields: map[string]any{"check_impossible_travel": true, "check_history_distance": true}, logins: logins{login("e", time.Minute, newYork...)}, says: []string{tooFar}, reasons: []string{"history_distance_threshold_exceeded"}},
		"allowed but too fast": {
			fields: map[string]any{"asns": []int{64500}, "check_impossible_travel": true}, logins: logins{login("e", time.Minute, newYork...)},
			says: []string{tooFast}, reasons: []string{"impossible_travel_threshold_exceeded"},
		},
		"near but not allowed": {
			fields: map[string]any{"asns": []int{1}, "check_impossible_travel": true}, logins: logins{login("e", time.Minute, potsdam...)},
			says: []string{badSystem}, reasons: []string{"asn_not_allowed"},
		},
		"the ledger does not answer": {fields: map[string]any{"check_history_distance": true}, err: "the ledger does not answer"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := policy.Load("authentik_policies_geoip.geoippolicy", test.fields)
			if err != nil {
				t.Fatal(err)
			}
			r := asked(ada)
			if test.who.Username != "" {
				r.User = test.who
			}
			if r.Extra = test.extra; test.extra == nil {
				r.Extra = here()
			}
			r.Env.History = test.logins
			v, err := p.Passes(t.Context(), r)
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("got %v, want the error %q", err, test.err)
				}
				return
			}
			if err != nil || v.Passing != test.passing {
				t.Errorf("passing %t, %v; want %t", v.Passing, err, test.passing)
			}
			if diff := cmp.Diff(test.says, v.Messages, alike); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.reasons, v.Reasons, alike); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

// In a trial the place is what the tester makes up; in an execution, what
// somebody typed is no place.
func TestGeoIPContext(t *testing.T) {
	p := &policy.GeoIP{Countries: []string{"US"}}
	r := asked(ada)
	r.Context = map[string]any{"geoip": map[string]any{"country": "US"}}
	if v, err := p.Passes(t.Context(), r); err != nil || !v.Passing {
		t.Errorf("in a trial: %+v, %v", v, err)
	}
	r.Extra = here()
	if v, err := p.Passes(t.Context(), r); err != nil || v.Passing {
		t.Errorf("in an execution: %+v, %v", v, err)
	}
	r.Extra = map[string]any{"geoip": nil, "asn": nil}
	if v, err := p.Passes(t.Context(), r); err == nil {
		t.Errorf("in an execution from nowhere: %+v", v)
	}
}

// How far somebody went is sealed, and in kilometres only.
func TestGeoIPEvidence(t *testing.T) {
	p := &policy.GeoIP{CheckTravel: true, HistoryCount: 5, TravelTolerance: 100}
	r := asked(ada)
	r.Extra = here()
	r.Env.History = logins{login("e0", time.Minute), login("e1", 90*time.Minute, potsdam...), login("e2", 2*time.Hour, newYork...)}
	v, err := p.Passes(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"logins_compared": 2}, v.Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	want := `{"reason":"impossible_travel_threshold_exceeded","distance_km":6402,"allowed_km":2100,"previous_event":"e2"}`
	if v.Detail.Raw != want {
		t.Errorf("raw %s, want %s", v.Detail.Raw, want)
	}
	if len(v.Detail.Lookups) != 1 || v.Detail.Lookups[0].Answer != "e0: unknown, e1: 27 km, e2: 6402 km" {
		t.Errorf("lookups %+v", v.Detail.Lookups)
	}
}

func TestGeoIPFields(t *testing.T) {
	k, _ := catalog.Lookup("authentik_policies_geoip.geoippolicy")
	for name, test := range map[string]struct {
		fields map[string]any
		want   catalog.Problems
	}{
		"countries":       {map[string]any{"countries": []any{"DE", "US"}}, nil},
		"no such country": {map[string]any{"countries": []any{"DE", "XX"}}, catalog.Problems{"countries": {`"XX" is not a valid choice.`}}},
		"too many":        {map[string]any{"countries": many("DE", 250)}, catalog.Problems{"countries": {"Ensure this field has no more than 249 elements."}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, k.Validate(test.fields)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	set, problems := k.Clean(map[string]any{"name": "p", "asns": []any{"64500", 1.5}}, false)
	if problems["countries"] == nil || problems["asns"] == nil {
		t.Errorf("cleaned to %v: %v", set, problems)
	}
	want := map[string]any{"countries_obj": []any{map[string]any{"code": "DE", "name": "Germany"}}}
	if diff := cmp.Diff(want, (&policy.GeoIP{Countries: []string{"DE"}}).Derived()); diff != "" {
		t.Errorf("derived (-want +got):\n%s", diff)
	}
	for field, want := range map[string]any{
		"asns": []any{}, "countries": []any{}, "check_history_distance": false, "history_max_distance_km": 100.0, "distance_tolerance_km": 50.0,
		"history_login_count": 5.0, "check_impossible_travel": false, "impossible_tolerance_km": 100.0,
	} {
		if diff := cmp.Diff(want, k.Defaults()[field]); diff != "" {
			t.Errorf("default of %s (-want +got):\n%s", field, diff)
		}
	}
}

func many(code string, n int) (out []any) {
	for range n {
		out = append(out, code)
	}
	return out
}
