package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_consent.consentstage", Path: "consent", Name: "Consent Stage", Form: "ak-stage-consent-form",
		About:  "Asks whether an application may see what it wants to.",
		Config: func() Stage { return &ConsentStage{Mode: "permanent", ExpireIn: "weeks=4"} },
	})
}

// ConsentStage asks whether an application may see what it wants to
// (spec/stages.md 3.10).
type ConsentStage struct {
	Named
	Mode     string `json:"mode" catalog:"enum=always_require|permanent|expiring"`
	ExpireIn string `json:"consent_expire_in" catalog:"duration"`
}

type permission struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

type consentChallenge struct {
	pendingUser
	Header      string       `json:"header_text,omitempty"`
	Permissions []permission `json:"permissions"`
	Additional  []permission `json:"additional_permissions"`
	Token       string       `json:"token"`
}

func (consentChallenge) Component() string { return "ak-stage-consent" }

// Enter implements [Stage].
func (c *ConsentStage) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	asked := in.State.Sequence + 1
	if in.State.Current != nil && in.State.Current.Asked {
		asked = in.State.Current.Sequence // the same challenge, shown again
	}
	challenge, needed, err := c.challenge(ctx, in, asked)
	if err != nil || needed {
		return execution.Ask{Challenge: challenge}, err
	}
	return execution.Pass{Skipped: "consent was given before"}, nil
}

// challenge asks for what was not consented to before. Nothing is needed where
// just that was.
func (c *ConsentStage) challenge(ctx context.Context, in Input, asked int) (consentChallenge, bool, error) {
	out := consentChallenge{
		pendingUser: shown(in), Header: in.State.Context.Text("consent_header"), Permissions: []permission{},
		Additional: permissions(in, "consent_additional_permissions"), Token: consentToken(in, asked),
	}
	wanted := permissions(in, "consent_permissions")
	app := application(in)
	if c.Mode == "always_require" || app.ID == "" {
		out.Permissions = wanted
		return out, true, nil
	}
	who := in.Subject
	if !who.Exists() {
		who = in.Visitor
	}
	before, err := in.Records.Consent(ctx, who.ID, app.ID)
	if err != nil {
		return out, false, err
	}
	if !before.Stands(in.Caller.Now) {
		out.Permissions = wanted
		return out, true, nil
	}
	out.Additional = []permission{}
	for _, p := range wanted {
		if slices.Contains(before.Permissions, p.ID) {
			out.Permissions = append(out.Permissions, p)
		} else {
			out.Additional = append(out.Additional, p)
		}
	}
	return out, len(out.Additional) > 0 || len(wanted) != len(before.Permissions), nil
}

// Respond implements [Stage]. Consent is that of who is logged in, and to all
// that was shown.
func (c *ConsentStage) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	typed, problems := read(response).text("token", rule{required: true})
	if problems == nil && typed != consentToken(in, in.State.Current.Sequence) {
		problems = problem("token", "invalid", "Invalid consent token, re-showing prompt")
	}
	challenge, _, err := c.challenge(ctx, in, in.State.Current.Sequence+1)
	if err != nil {
		return nil, err
	}
	if problems != nil {
		return again(challenge, problems), nil
	}
	app := application(in)
	if c.Mode == "always_require" || app.ID == "" || !in.Visitor.Exists() {
		return execution.Pass{}, nil
	}
	grant := execution.GrantConsent{User: in.Visitor.ID, Application: app, Permissions: []string{}, Mode: c.Mode}
	for _, p := range slices.Concat(challenge.Permissions, challenge.Additional) {
		grant.Permissions = append(grant.Permissions, p.ID)
	}
	if c.Mode == "expiring" {
		lasts, err := catalog.ParseDuration(c.ExpireIn)
		if err != nil {
			lasts = 28 * 24 * time.Hour // it was checked when it was saved
		}
		grant.Expires = in.Caller.Now.Add(lasts)
	}
	return execution.Pass{Effects: []execution.Effect{{GrantConsent: &grant}}}, nil
}

// application is what the flow leads to, if it leads to one.
func application(in Input) consent.Application {
	m := in.State.Context.Map(execution.KeyApplication)
	text := func(key string) string {
		s, _ := m[key].(string)
		return s
	}
	app := consent.Application{ID: text("pk"), Name: text("name"), Slug: text("slug")}
	if app.ID == "" {
		app.ID = text("id")
	}
	return app
}

// permissions reads a list of them out of the context, each once.
func permissions(in Input, key string) []permission {
	out := []permission{}
	list, _ := in.State.Context[key].([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		id, _ := m["id"].(string)
		name, _ := m["name"].(string)
		if id != "" && !slices.ContainsFunc(out, func(p permission) bool { return p.ID == id }) {
			out = append(out, permission{Name: name, ID: id})
		}
	}
	return out
}

// consentToken says which asking an answer is for. It is no secret: that the
// answer comes from the page itself is proved elsewhere.
func consentToken(in Input, asked int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "consent/%s/%s/%d", in.Execution, in.Entry.Binding.ID, asked))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // a UUID of version 8 (RFC 9562, 5.8)
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
