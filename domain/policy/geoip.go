package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_policies_geoip.geoippolicy", Path: "geoip", Name: "GeoIP Policy", Form: "ak-policy-geoip-form",
		About: "Judges where a request comes from: by network, by country, by how far it is from earlier logins.",
		Config: func() Policy {
			return &GeoIP{HistoryMax: 100, HistoryTolerance: 50, HistoryCount: 5, TravelTolerance: 100}
		},
	})
}

// GeoIP judges where a request comes from (spec/flows.md 8.11).
type GeoIP struct {
	Named
	ASNs             []int    `json:"asns" catalog:"min=-2147483648,max=2147483647"`
	Countries        []string `json:"countries" catalog:"required"`
	CheckHistory     bool     `json:"check_history_distance"`
	HistoryMax       int64    `json:"history_max_distance_km" catalog:"min=0"`
	HistoryTolerance int      `json:"distance_tolerance_km" catalog:"min=0,max=2147483647"`
	HistoryCount     int      `json:"history_login_count" catalog:"min=0,max=2147483647"`
	CheckTravel      bool     `json:"check_impossible_travel"`
	TravelTolerance  int      `json:"impossible_tolerance_km" catalog:"min=0,max=2147483647"`
}

// Validate implements [catalog.Validator].
func (p *GeoIP) Validate() catalog.Problems {
	var problems catalog.Problems
	for _, code := range p.Countries {
		if CountryName(code) == "" {
			problems.Add("countries", "%q is not a valid choice.", code)
		}
	}
	if most := len(Countries()); len(p.Countries) > most {
		problems.Add("countries", "Ensure this field has no more than %d elements.", most)
	}
	return problems
}

// Derived returns what the contract shows beside the fields: the countries by
// name.
func (p *GeoIP) Derived() map[string]any {
	named := []any{}
	for _, code := range p.Countries {
		named = append(named, map[string]any{"code": code, "name": CountryName(code)})
	}
	return map[string]any{"countries_obj": named}
}

// What is said when an address is in no database.
var (
	//lint:ignore ST1005 the contract's words
	errNoSystem = errors.New("GeoIP: client IP not found in ASN database.")
	//lint:ignore ST1005 the contract's words
	errNoCountry = errors.New("GeoIP: client IP address not found in City database.")
)

// Passes implements [Policy]. One of network and country is enough; how far
// the request is from earlier logins counts besides.
func (p *GeoIP) Passes(ctx context.Context, q Request) (Verdict, error) {
	v := Verdict{Facts: map[string]any{}}
	checks, passed := 0, 0
	if len(p.ASNs) > 0 {
		system := q.told("asn")
		if len(system) == 0 {
			return v, errNoSystem
		}
		asn, known := numeric(system["asn"])
		checks++
		if known && slices.Contains(p.ASNs, int(asn)) {
			passed++
		} else {
			v.complain("asn_not_allowed", "Client IP is not part of an allowed autonomous system.")
		}
	}
	if len(p.Countries) > 0 {
		code, _ := q.told("geoip")["country"].(string)
		if code == "" {
			return v, errNoCountry
		}
		checks++
		if slices.Contains(p.Countries, code) {
			passed++
		} else {
			v.complain("country_not_allowed", "Client IP is not in an allowed country.")
		}
	}
	near := true
	if p.CheckHistory || p.CheckTravel {
		var err error
		if near, err = p.near(ctx, q, &v); err != nil {
			return v, err
		}
	}
	v.Passing = near && (checks == 0 || passed > 0)
	return v, nil
}

// complain says what is wrong, to the client and to machines.
func (v *Verdict) complain(reason, message string) {
	v.Reasons, v.Messages = append(v.Reasons, reason), append(v.Messages, message)
}

// fastest is how far anybody travels in an hour, in kilometres.
const fastest = 1000

// near compares the request with the user's last logins. What has no place
// cannot be compared.
func (p *GeoIP) near(ctx context.Context, q Request, v *Verdict) (bool, error) {
	here, known := placed(q.told("geoip"))
	if !known || q.User.ID == "" || p.HistoryCount == 0 {
		v.Facts["logins_compared"] = 0
		return true, nil
	}
	logins, err := q.Env.History.Logins(ctx, q.User.ID, p.HistoryCount)
	if err != nil {
		return false, err
	}
	var looked []string
	var far *leap
	compared := 0
	for _, l := range logins {
		then, known := l.point()
		if !known {
			looked = append(looked, l.Event+": unknown")
			continue
		}
		compared++
		d := distance(here, then)
		looked = append(looked, fmt.Sprintf("%s: %.0f km", l.Event, d))
		if far = p.far(d, q.Clock().Sub(l.At).Hours()); far != nil {
			far.Event = l.Event
			break
		}
	}
	v.Facts["logins_compared"] = compared
	v.Detail.Lookups = []execution.Lookup{{Call: fmt.Sprintf("logins(%d)", p.HistoryCount), Answer: cut(strings.Join(looked, ", "))}}
	if far == nil {
		return true, nil
	}
	raw, err := json.Marshal(far)
	if err != nil {
		return false, err
	}
	v.Detail.Raw = string(raw)
	v.complain(far.Reason, far.message)
	return false, nil
}

// A leap is why a distance from an earlier login is too great.
type leap struct {
	Reason   string  `json:"reason"`
	Distance float64 `json:"distance_km"` // rounded
	Allowed  float64 `json:"allowed_km"`  // less than that
	Event    string  `json:"previous_event"`
	message  string
}

// far tells whether a distance is too great for the time that has passed.
func (p *GeoIP) far(km, hours float64) *leap {
	if limit := float64(p.HistoryMax) + float64(p.HistoryTolerance); p.CheckHistory && km >= limit {
		return &leap{
			Reason: "history_distance_threshold_exceeded", Distance: math.Round(km), Allowed: limit,
			message: "Distance from previous authentication is larger than threshold.",
		}
	}
	if limit := fastest*max(hours, 1) + float64(p.TravelTolerance); p.CheckTravel && km >= limit {
		return &leap{
			Reason: "impossible_travel_threshold_exceeded", Distance: math.Round(km), Allowed: math.Round(limit),
			message: "Distance is further than possible.",
		}
	}
	return nil
}

// point is where a login came from.
func (l Login) point() (point, bool) {
	if l.Place == nil || l.Place.Lat == nil || l.Place.Long == nil {
		return point{}, false
	}
	p := point{*l.Place.Lat, *l.Place.Long}
	return p, p.valid()
}

// placed is the point that the policies' context names.
func placed(geoip map[string]any) (point, bool) {
	lat, one := numeric(geoip["lat"])
	long, two := numeric(geoip["long"])
	p := point{lat, long}
	return p, one && two && p.valid()
}

// told is what the context says of the request's address under a name. The
// plan's own context counts only where nothing was looked up, as in a trial:
// what people type must not say where they are.
func (q Request) told(name string) map[string]any {
	v, lookedUp := q.Extra[name]
	if !lookedUp {
		v = q.Context[name]
	}
	m, _ := v.(map[string]any)
	return m
}

func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	return 0, false
}
