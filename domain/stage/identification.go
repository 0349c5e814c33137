package stage

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
)

func init() {
	register(kind{
		Model: "authentik_stages_identification.identificationstage", Path: "identification", Name: "Identification Stage",
		Form:   "ak-stage-identification-form",
		About:  "Asks who is there.",
		Config: func() Stage { return &Identification{CaseInsensitive: true, ShowMatched: true, Pretend: true} },
	})
}

// Identification asks who is there, and on request for the password at once
// (spec/stages.md 3.1).
type Identification struct {
	Named
	UserFields       []string `json:"user_fields" catalog:"enum=email|username|upn"`
	PasswordStage    *string  `json:"password_stage" catalog:"ref=authentik_stages_password.passwordstage"`
	CaptchaStage     *string  `json:"captcha_stage" catalog:"ref=authentik_stages_captcha.captchastage"`
	WebAuthnStage    *string  `json:"webauthn_stage" catalog:"ref=authentik_stages_authenticator_validate.authenticatorvalidatestage"`
	CaseInsensitive  bool     `json:"case_insensitive_matching"`
	ShowMatched      bool     `json:"show_matched_user"`
	Pretend          bool     `json:"pretend_user_exists"`
	RememberMe       bool     `json:"enable_remember_me"`
	EnrollmentFlow   *string  `json:"enrollment_flow" catalog:"ref=flow"`
	RecoveryFlow     *string  `json:"recovery_flow" catalog:"ref=flow"`
	PasswordlessFlow *string  `json:"passwordless_flow" catalog:"ref=flow"`
	Sources          []string `json:"sources" catalog:"ref=source"`
	ShowSourceLabels bool     `json:"show_source_labels"`
}

// Validate implements [catalog.Validator].
func (i *Identification) Validate() catalog.Problems {
	var p catalog.Problems
	if len(i.UserFields) == 0 && len(i.Sources) == 0 {
		p.Add(catalog.NonField, "When no user fields are selected, at least one source must be selected")
	}
	return p
}

type identificationChallenge struct {
	UserFields       []string `json:"user_fields"`
	Typed            *string  `json:"pending_user_identifier,omitempty"`
	PasswordFields   bool     `json:"password_fields"`
	AllowShow        bool     `json:"allow_show_password"`
	ApplicationPre   string   `json:"application_pre,omitempty"`
	Designation      string   `json:"flow_designation"`
	Captcha          any      `json:"captcha_stage"`
	EnrollURL        string   `json:"enroll_url,omitempty"`
	RecoveryURL      string   `json:"recovery_url,omitempty"`
	PasswordlessURL  string   `json:"passwordless_url,omitempty"`
	PrimaryAction    string   `json:"primary_action"`
	Sources          []any    `json:"sources"`
	ShowSourceLabels bool     `json:"show_source_labels"`
	RememberMe       bool     `json:"enable_remember_me"`
	Passkey          any      `json:"passkey_challenge"`
}

func (identificationChallenge) Component() string { return "ak-stage-identification" }

// failed is the one sentence for whatever went wrong: it tells nobody what.
const failed = "Failed to authenticate."

// Enter implements [Stage]. A login_hint in the query is taken for an answer
// where the stage asks for nothing else and no policy guards it.
func (i *Identification) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	c, err := i.challenge(ctx, in)
	if err != nil {
		return nil, err
	}
	hint := in.State.Query["login_hint"]
	if hint == "" {
		return execution.Ask{Challenge: c}, nil
	}
	if i.PasswordStage == nil && i.CaptchaStage == nil && i.WebAuthnStage == nil && in.Entry.Marker == execution.Static {
		return i.identify(ctx, in, hint)
	}
	c.Typed = &hint
	return execution.Ask{Challenge: c}, nil
}

// identify takes a hint at its word.
func (i *Identification) identify(ctx context.Context, in Input, hint string) (execution.Outcome, error) {
	who, err := in.Env.FindUser(ctx, i.UserFields, hint, i.CaseInsensitive)
	if err != nil {
		return nil, err
	}
	if !who.Exists() {
		return i.pretend(hint), nil
	}
	return i.found(in, who, hint, captchaProof{}, nil), nil
}

func (i *Identification) challenge(ctx context.Context, in Input) (identificationChallenge, error) {
	c := identificationChallenge{
		UserFields: i.UserFields, PasswordFields: i.PasswordStage != nil, Designation: in.Flow.Designation,
		PrimaryAction: "Continue", Sources: []any{}, ShowSourceLabels: i.ShowSourceLabels, RememberMe: i.RememberMe,
	}
	if c.UserFields == nil {
		c.UserFields = []string{}
	}
	if in.Flow.Designation == "authentication" {
		c.PrimaryAction = "Log in"
	}
	if app, ok := in.State.Context.Map(execution.KeyApplication)["name"].(string); ok {
		c.ApplicationPre = app
	}
	for _, link := range []struct {
		flow *string
		url  *string
	}{{i.EnrollmentFlow, &c.EnrollURL}, {i.RecoveryFlow, &c.RecoveryURL}, {i.PasswordlessFlow, &c.PasswordlessURL}} {
		url, err := linkTo(ctx, in, link.flow)
		if err != nil {
			return c, err
		}
		*link.url = url
	}
	if i.PasswordStage != nil {
		p, err := i.password(ctx, in)
		if err != nil {
			return c, err
		}
		c.AllowShow = p.AllowShow
	}
	captcha, _, err := i.captcha(ctx, in)
	if captcha != nil {
		c.Captcha = captcha.embedded()
	}
	return c, err
}

// linkTo is the page of another flow, with the query of this visit.
func linkTo(ctx context.Context, in Input, flow *string) (string, error) {
	if flow == nil {
		return "", nil
	}
	o, err := in.Env.Object(ctx, *flow)
	if err != nil {
		return "", err
	}
	f, ok := o.Config.(*object.Flow)
	if !ok {
		return "", nil
	}
	query := url.Values{}
	for k, v := range in.State.Query {
		query.Set(k, v)
	}
	return flowURL(f.Slug, query.Encode()), nil
}

// password is the stage whose rules an embedded password follows. One that is
// gone knows nobody.
func (i *Identification) password(ctx context.Context, in Input) (*Password, error) {
	o, err := in.Env.Object(ctx, *i.PasswordStage)
	if err != nil {
		return nil, err
	}
	if p, ok := o.Config.(*Password); ok {
		return p, nil
	}
	return &Password{}, nil
}

// Respond implements [Stage]. Whether a name is unknown or a password wrong
// cannot be told from words or time.
func (i *Identification) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	c, err := i.challenge(ctx, in)
	if err != nil {
		return nil, err
	}
	r := read(response)
	typed, problems := r.text("uid_field", optional)
	password, more := r.text("password", optional)
	token, evenMore := r.text("captcha_token", optional)
	if problems = append(append(problems, more...), evenMore...); problems != nil {
		return again(c, problems), nil
	}
	if typed == "" {
		return again(c, problem(nonField, "invalid", "No identification data provided.")), nil
	}
	who, err := in.Env.FindUser(ctx, i.UserFields, typed, i.CaseInsensitive)
	if err != nil {
		return nil, err
	}
	if !who.Exists() && i.Pretend && i.PasswordStage == nil {
		return i.pretend(typed), nil
	}
	proof, err := i.human(ctx, in, token)
	switch {
	case err != nil:
		return nil, err
	case !who.Exists():
		return i.notFound(ctx, in, typed, c, proof)
	case proof.problem != "":
		o := again(c, problem(nonField, "invalid", failed))
		o.Grounds = proof.grounds()
		return o, nil
	case i.PasswordStage == nil:
		return i.found(in, who, typed, proof, nil), nil
	}
	return i.withPassword(ctx, in, who, credentials{typed, password}, c, proof)
}

// credentials are what was typed.
type credentials struct{ name, password string }

// notFound answers for a name that nobody has. It costs what a name with an
// owner costs: a question to the provider of captchas where there is one, a
// password hash where a password came along, and else none.
func (i *Identification) notFound(
	ctx context.Context, in Input, typed string, c identificationChallenge, proof captchaProof,
) (execution.Outcome, error) {
	if i.PasswordStage != nil && proof.problem == "" {
		if _, err := in.Env.CheckPassword(ctx, user.Person{}, typed); err != nil {
			return nil, err
		}
	}
	o := again(c, problem(nonField, "invalid", failed))
	o.Facts = []execution.Event{execution.IdentificationFailed{Fields: i.UserFields, Identifier: typed}}
	o.Grounds = proof.grounds()
	o.Learned = i.pretended(typed)
	return o, nil
}

// pretend goes on with somebody who does not exist, so that the next stage
// fails as it would for anybody.
func (i *Identification) pretend(typed string) execution.Pass {
	return execution.Pass{
		Learned: i.pretended(typed),
		Facts: []execution.Event{
			execution.IdentificationFailed{Fields: i.UserFields, Pretended: true, Identifier: typed},
			execution.SubjectIdentified{By: "identification", Identifier: typed},
		},
	}
}

func (i *Identification) pretended(typed string) execution.Context {
	learned := execution.Context{execution.KeyPendingUser: map[string]any{"username": typed, "email": typed}}
	if !i.ShowMatched {
		learned[execution.KeyPendingUserIdentifier] = typed
	}
	return learned
}

// found goes on with the user who matched.
func (i *Identification) found(in Input, who user.Person, typed string, human captchaProof, proved []execution.Event) execution.Pass {
	learned := execution.Context{}
	if !i.ShowMatched {
		learned[execution.KeyPendingUserIdentifier] = typed
	}
	facts := []execution.Event{execution.SubjectIdentified{
		User: who.ID, By: "identification", MatchedOn: i.matchedOn(who, typed), Previous: in.State.Subject.User,
		Shown: i.ShowMatched, Identifier: typed,
	}}
	return execution.Pass{Learned: learned, Facts: append(facts, proved...), Grounds: human.grounds()}
}

// withPassword judges a name and a password that came together.
func (i *Identification) withPassword(
	ctx context.Context, in Input, who user.Person, typed credentials, c identificationChallenge, proof captchaProof,
) (execution.Outcome, error) {
	p, err := i.password(ctx, in)
	if err != nil {
		return nil, err
	}
	check, err := p.check(ctx, in, who, typed.password)
	if err != nil {
		return nil, err
	}
	if !check.OK {
		o := again(c, problem(nonField, "invalid", failed))
		o.Facts, o.Grounds = []execution.Event{loginFailed(in, who, "password")}, proof.grounds()
		return o, nil
	}
	pass := i.found(in, who, typed.name, proof, check.facts())
	maps.Copy(pass.Learned, check.learned(in))
	pass.Effects = check.effects(who)
	return pass, nil
}

// matchedOn tells which field it was.
func (i *Identification) matchedOn(who user.Person, typed string) string {
	upn, _ := who.Attributes["upn"].(string)
	values := map[string]string{"username": who.Username, "email": who.Email, "upn": upn}
	for _, f := range i.UserFields {
		if v := values[f]; v == typed || i.CaseInsensitive && foldEqual(v, typed) {
			return f
		}
	}
	return ""
}
