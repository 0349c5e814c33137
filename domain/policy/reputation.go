package policy

import (
	"context"

	"github.com/flowledger/flowledger/domain/catalog"
)

func init() {
	register(kind{
		Model: "authentik_policies_reputation.reputationpolicy", Path: "reputation", Name: "Reputation Policy",
		Form:   "ak-policy-reputation-form",
		About:  "Passes for a bad reputation: when the scores of the client's address and of the user's name are low.",
		Config: func() Policy { return &Reputation{CheckIP: true, CheckUsername: true, Threshold: -5} },
	})
}

// Reputation passes for a bad reputation (spec/flows.md 8.10). It is bound to
// what only suspects shall see, such as a captcha, or negated.
type Reputation struct {
	Named
	CheckIP       bool `json:"check_ip"`
	CheckUsername bool `json:"check_username"`
	Threshold     int  `json:"threshold" catalog:"min=-2147483648,max=2147483647"`
}

// neither is the contract's sentence for a policy that checks nothing.
const neither = "Either IP or Username must be checked"

// Validate implements [catalog.Validator].
func (p *Reputation) Validate() catalog.Problems {
	var problems catalog.Problems
	if !p.CheckIP && !p.CheckUsername {
		problems.Add(catalog.NonField, neither)
	}
	return problems
}

// ValidateNew implements [catalog.NewValidator]: the contract wants a new
// policy to say what it checks, whatever the defaults are.
func (p *Reputation) ValidateNew(given map[string]any) catalog.Problems {
	var problems catalog.Problems
	if given["check_ip"] != true && given["check_username"] != true {
		problems.Add(catalog.NonField, neither)
	}
	return problems
}

// Passes implements [Policy].
func (p *Reputation) Passes(ctx context.Context, q Request) (Verdict, error) {
	var ip, username string
	if p.CheckIP && q.HTTP != nil {
		ip = q.HTTP.Caller.Network.IP
	}
	if p.CheckUsername {
		username = q.User.Username
	}
	score, err := p.score(ctx, q, ip, username)
	return Verdict{Passing: score <= int64(p.Threshold), Facts: map[string]any{
		"score": score, "threshold": p.Threshold, "check_ip": p.CheckIP, "check_username": p.CheckUsername,
	}}, err
}

// score asks the records. Where nobody is identified yet, and no address is
// to be checked, nothing matches: that must not be taken for a question about
// everybody, which only a policy without any check asks.
func (p *Reputation) score(ctx context.Context, q Request, ip, username string) (int64, error) {
	if ip == "" && username == "" && (p.CheckIP || p.CheckUsername) {
		return 0, nil
	}
	return q.Env.History.Score(ctx, ip, username)
}
