package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
)

func init() {
	register(kind{
		Model: "authentik_stages_password.passwordstage", Path: "password", Name: "Password Stage", Form: "ak-stage-password-form",
		About:  "Asks the pending user for a password.",
		Config: func() Stage { return &Password{FailedAttempts: 5} },
	})
}

// The backends that the contract knows. Only the first two can be asked here:
// the others stand for directories elsewhere, and match nobody.
const (
	InbuiltBackend = "authentik.core.auth.InbuiltBackend"
	TokenBackend   = "authentik.core.auth.TokenBackend"
)

// Password asks the pending user for a password (spec/stages.md 3.2).
type Password struct {
	Named
	Backends       []string `json:"backends" catalog:"required,enum=authentik.core.auth.InbuiltBackend|authentik.core.auth.TokenBackend|authentik.sources.ldap.auth.LDAPBackend|authentik.sources.kerberos.auth.KerberosBackend"`
	ConfigureFlow  *string  `json:"configure_flow" catalog:"ref=flow"`
	FailedAttempts int      `json:"failed_attempts_before_cancel" catalog:"min=-2147483648,max=2147483647"`
	AllowShow      bool     `json:"allow_show_password"`
}

type passwordChallenge struct {
	pendingUser
	RecoveryURL string `json:"recovery_url,omitempty"`
	AllowShow   bool   `json:"allow_show_password"`
}

func (passwordChallenge) Component() string { return "ak-stage-password" }

// Enter implements [Stage].
func (p *Password) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	return execution.Ask{Challenge: p.challenge(in)}, nil
}

func (p *Password) challenge(in Input) passwordChallenge {
	c := passwordChallenge{pendingUser: shown(in), AllowShow: p.AllowShow}
	if in.Recovery != "" {
		c.RecoveryURL = in.Caller.BaseURL + flowURL(in.Recovery, "")
	}
	return c
}

// Respond implements [Stage]. No user and a wrong password look the same to
// the client, in words and in time.
func (p *Password) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	if in.Subject.Username == "" {
		return execution.Deny{}, nil
	}
	typed, problems := read(response).text("password", rule{required: true, verbatim: true})
	if problems != nil {
		return p.refuse(in, problems, nil), nil
	}
	check, err := p.check(ctx, in, in.Subject, typed)
	if err != nil {
		return nil, err
	}
	if !check.OK {
		failed := loginFailed(in, in.Subject, "password")
		return p.refuse(in, problem("password", "invalid", "Invalid password"), []execution.Event{failed}), nil
	}
	learned := check.learned(in)
	learned[execution.KeyUserBackend] = check.backend
	return execution.Pass{Learned: learned, Facts: check.facts(), Effects: check.effects(in.Subject)}, nil
}

// refuse counts an attempt and gives up at the limit.
func (p *Password) refuse(in Input, problems []execution.Problem, facts []execution.Event) execution.Invalid {
	o := again(p.challenge(in), problems)
	o.Facts = facts
	if in.State.Current != nil && in.State.Current.Attempt+1 >= p.FailedAttempts {
		o.Refuse = "Invalid password"
	}
	return o
}

// check asks the backends in their order. Whoever fails has cost one password
// hash, whatever there was to fail at.
func (p *Password) check(ctx context.Context, in Input, who user.Person, typed string) (match, error) {
	hashed := false
	for _, backend := range p.Backends {
		switch backend {
		case InbuiltBackend:
			hashed = true
			v, err := in.Env.CheckPassword(ctx, who, typed)
			if err != nil || v.OK {
				return match{Verified: v, backend: backend}, err
			}
		case TokenBackend:
			token, err := in.Records.AppPassword(ctx, who.ID, typed)
			if err != nil || token.ID != "" {
				return match{Verified: Verified{OK: true}, backend: backend, token: token}, err
			}
		}
	}
	if hashed {
		return match{}, nil
	}
	_, err := in.Env.CheckPassword(ctx, user.Person{}, typed)
	return match{}, err
}

// loginFailed is the evidence of a wrong credential.
func loginFailed(in Input, who user.Person, method string) execution.LoginFailed {
	cause := "bad_credential"
	switch {
	case !who.Exists():
		cause = "no_such_user"
	case !who.Active:
		cause = "inactive"
	}
	return execution.LoginFailed{
		User: who.ID, Stage: in.Entry.Stage, Method: method, Cause: cause, Backend: InbuiltBackend,
		Failures: in.State.Failures + 1, Identifier: who.Username,
	}
}
