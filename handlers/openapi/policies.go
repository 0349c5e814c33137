package openapi

import (
	"slices"
	"time"
)

// policyTest is what a policy is tried with.
type policyTest struct {
	User    int            `json:"user" api:"required"`
	Context map[string]any `json:"context"`
}

// policyTestResult is what a policy said on trial.
type policyTestResult struct {
	Passing  bool       `json:"passing"`
	Messages []string   `json:"messages"`
	Logs     []logEvent `json:"log_messages"`
}

// reputation is what an identifier is worth at an address.
type reputation struct {
	PK         uuid           `json:"pk" api:"read"`
	Identifier string         `json:"identifier"`
	IP         string         `json:"ip"`
	Place      map[string]any `json:"ip_geo_data"`
	System     map[string]any `json:"ip_asn_data"`
	Score      int64          `json:"score"`
	Updated    time.Time      `json:"updated" api:"read"`
}

// policies describes what there is about policies of all kinds, and the scores
// that reputation policies ask for.
func policies(s *shapes) []resource {
	return []resource{
		{
			path: "policies/all/", one: "policy of any kind", many: "policies of all kinds", key: key("policy_uuid", uuid("")), name: "Policy",
			fields: s.fieldsOf(anyPolicy{}), search: true, ordered: true,
			filters: append(slices.Clone(unused), by("name", "", ""), by("policy_uuid", uuid(""), "Primary key.")),
			more: map[string]deed{
				"GET types/":        {summary: "List the kinds of policies", answer: []typeCreate{}},
				"GET cache_info/":   {summary: "Tell how many results are cached: none, ever", answer: cache{}},
				"POST cache_clear/": {summary: "Clear the cache of results", description: "There is none to clear."},
				"POST {}/test/": {
					summary: "Try a policy on a user", description: "That it was tried is recorded; nothing else happens.",
					body: policyTest{}, answer: policyTestResult{},
				},
			},
		},
		{path: "policies/geoip_iso3166/", more: map[string]deed{
			"GET ": {summary: "List the countries that policies can choose", answer: []detailedCountry{}},
		}},
		{
			path: "policies/reputation/scores/", one: "reputation score", many: "reputation scores", key: key("reputation_uuid", uuid("")),
			name: "Reputation", fields: s.fieldsOf(reputation{}), search: true, ordered: true, filters: []Parameter{
				by("identifier", "", "What was typed as username."), by("identifier_in", []string{}, "Several of them, with commas between."),
				by("ip", "", "Address of the client."), by("score", 0, ""),
			},
		},
	}
}
