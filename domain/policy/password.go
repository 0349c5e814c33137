package policy

import (
	"context"
	"fmt"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_policies_password.passwordpolicy", Path: "password", Name: "Password Policy", Form: "ak-policy-password-form",
		About: "Judges a password that was typed: by rules, by how hard it is to guess, by whether it is known to be stolen.",
		Config: func() Policy {
			return &Password{PasswordField: "password", SymbolCharset: symbols, CheckStaticRules: true, Threshold: 2}
		},
	})
}

// symbols are what counts as a symbol unless told otherwise. The contract's
// default has the backslash twice and ends with a space.
const symbols = "!\\\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "

// Password judges a password that was typed (spec/flows.md 8.9).
type Password struct {
	Named
	PasswordField    string `json:"password_field"`
	AmountDigits     int    `json:"amount_digits" catalog:"min=0,max=2147483647"`
	AmountUppercase  int    `json:"amount_uppercase" catalog:"min=0,max=2147483647"`
	AmountLowercase  int    `json:"amount_lowercase" catalog:"min=0,max=2147483647"`
	AmountSymbols    int    `json:"amount_symbols" catalog:"min=0,max=2147483647"`
	LengthMin        int    `json:"length_min" catalog:"min=0,max=2147483647"`
	SymbolCharset    string `json:"symbol_charset" catalog:"verbatim"`
	ErrorMessage     string `json:"error_message" catalog:"blank"`
	CheckStaticRules bool   `json:"check_static_rules"`
	CheckBreaches    bool   `json:"check_have_i_been_pwned"`
	CheckStrength    bool   `json:"check_zxcvbn"`
	AllowedBreaches  int    `json:"hibp_allowed_count" catalog:"min=0,max=2147483647"`
	Threshold        int    `json:"zxcvbn_score_threshold" catalog:"min=0,max=2147483647"`
}

// Passes implements [Policy]. The evidence names the rule that decided, and
// nothing that tells about a password that somebody may go on to use: not its
// length, not its score, not how many lists it is on.
func (p *Password) Passes(ctx context.Context, q Request) (Verdict, error) {
	typed := typedPassword(q.Context, p.PasswordField)
	if typed.Empty() {
		return missing(), nil
	}
	v := Verdict{Facts: map[string]any{
		"static_checked": p.CheckStaticRules, "hibp_checked": p.CheckBreaches, "zxcvbn_checked": p.CheckStrength,
	}}
	if rule := p.broken(typed.Reveal()); p.CheckStaticRules && rule != "" {
		var messages []string
		if p.ErrorMessage != "" {
			messages = []string{p.ErrorMessage}
		}
		return refused(v, rule, messages...), nil
	}
	if p.CheckBreaches {
		v.Facts["hibp"] = "answered"
		count, err := breaches(ctx, q.Env.Outside, typed)
		switch {
		case err != nil:
			v.Facts["hibp"] = "unavailable"
			v.Reasons = []string{"hibp.unavailable"}
			v.Detail.Lookups = []execution.Lookup{{Call: "breaches", Answer: "no answer"}}
			return v, err
		case count > p.AllowedBreaches:
			v.Detail.Lookups = []execution.Lookup{{Call: "breaches", Answer: "too many"}}
			return refused(v, "hibp", fmt.Sprintf("Password exists on %d online lists.", count)), nil
		}
		v.Detail.Lookups = []execution.Lookup{{Call: "breaches", Answer: "within what is allowed"}}
	}
	if p.CheckStrength {
		score, err := strength(typed.Reveal(), known(q))
		if err != nil {
			return v, err
		}
		if score <= p.Threshold {
			return refused(v, "zxcvbn", "Password is too weak."), nil
		}
	}
	v.Passing = true
	return v, nil
}

// known are the words that make a password easy to guess for whoever knows the
// user and where the user logs in.
func known(q Request) []string {
	var words []string
	if q.User.Username != "" {
		words = append(words, q.User.Username, q.User.Name, q.User.Email)
	}
	if q.HTTP != nil {
		words = append(words, q.HTTP.Brand.Title)
	}
	return words
}

// typedPassword finds the password that is to be judged: among what was typed
// into a prompt, else in the context itself.
func typedPassword(c execution.Context, field string) domain.Secret {
	v, ok := c.Map(execution.KeyPromptData)[field]
	if !ok {
		v = c[field]
	}
	switch v := v.(type) {
	case domain.Secret:
		return v
	case string:
		return domain.NewSecret(v)
	case nil, bool, map[string]any, []any:
		return domain.Secret{}
	}
	return domain.NewSecret(fmt.Sprint(v))
}

// missing is the verdict where there is no password to judge.
func missing() Verdict {
	return refused(Verdict{Facts: map[string]any{}}, "missing", "Password not set in context")
}

// refused is the verdict by a rule that a password breaks.
func refused(v Verdict, rule string, messages ...string) Verdict {
	v.Passing, v.Messages, v.Reasons, v.Facts["rule"] = false, messages, []string{"password." + rule}, rule
	return v
}
