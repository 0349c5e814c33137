package stage

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
)

func init() {
	register(kind{
		Model: "authentik_stages_redirect.redirectstage", Path: "redirect", Name: "Redirect Stage", Form: "ak-stage-redirect-form",
		About:  "Sends the browser to an address or to another flow.",
		Config: func() Stage { return &Redirect{KeepContext: true} },
	})
}

// Redirect sends the browser to an address or to another flow
// (spec/stages.md 3.14).
type Redirect struct {
	Named
	Mode         string  `json:"mode" catalog:"required,enum=static|flow"`
	TargetStatic string  `json:"target_static" catalog:"blank"`
	TargetFlow   *string `json:"target_flow" catalog:"ref=flow"`
	KeepContext  bool    `json:"keep_context"`
}

// Validate implements [catalog.Validator].
func (r *Redirect) Validate() catalog.Problems {
	var p catalog.Problems
	switch {
	case r.Mode == "static" && r.TargetStatic == "":
		p.Add(catalog.NonField, "Target URL should be present when mode is Static.")
	case r.Mode == "flow" && r.TargetFlow == nil:
		p.Add(catalog.NonField, "Target Flow should be present when mode is Flow.")
	}
	return p
}

// RedirectChallenge sends the browser elsewhere. The executor poses it, too,
// for redirects that policies insert.
type RedirectChallenge struct {
	To string `json:"to"`
}

// Component implements [execution.Challenge].
func (RedirectChallenge) Component() string { return "xak-flow-redirect" }

// flowScheme marks a target that is another flow.
const flowScheme = "ak-flow://"

// Enter implements [Stage].
func (r *Redirect) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	override := in.State.Context.Text(execution.KeyRedirectStageTarget)
	if override != "" && !strings.HasPrefix(override, flowScheme) {
		return execution.Ask{Challenge: RedirectChallenge{override}}, nil
	}
	flow, slug, err := r.target(ctx, in, strings.TrimPrefix(override, flowScheme))
	switch {
	case err != nil:
		return nil, err
	case flow != "":
		return r.handover(in, flow, slug), nil
	case r.Mode == "static" && r.TargetStatic != "":
		return execution.Ask{Challenge: RedirectChallenge{r.TargetStatic}}, nil
	}
	return execution.Deny{Message: "No target found for Redirect stage. The stage's target_flow may have been deleted."}, nil
}

// target finds the flow to go to: the one that a policy named, else the
// stage's own in that mode.
func (r *Redirect) target(ctx context.Context, in Input, override string) (id, slug string, err error) {
	if override != "" {
		id, err := in.Env.Policies().FlowBySlug(ctx, override)
		if err != nil || id != "" {
			return id, override, err
		}
	}
	if r.Mode != "flow" || r.TargetFlow == nil {
		return "", "", nil
	}
	o, err := in.Env.Object(ctx, *r.TargetFlow)
	if f, ok := o.Config.(*object.Flow); ok && err == nil {
		return *r.TargetFlow, f.Slug, nil
	}
	return "", "", err
}

func (r *Redirect) handover(in Input, flow, slug string) execution.Ask {
	learned := execution.Context{}
	if r.KeepContext {
		maps.Copy(learned, in.State.Context)
	}
	learned[execution.KeyIsRedirected] = map[string]any{"pk": in.Flow.ID, "slug": in.Flow.Slug, "name": in.Flow.Name}
	query := url.Values{}
	for k, v := range in.State.Query {
		query.Set(k, v)
	}
	return execution.Ask{
		Challenge: RedirectChallenge{flowURL(slug, query.Encode())},
		Handover:  &execution.Handover{Flow: flow, Context: learned},
	}
}

// Respond implements [Stage]. Whoever answers has come back: the flow goes on.
// The other flow was opened when the challenge was posed, so an answer without
// a target only shows it again.
func (r *Redirect) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	_, problems := read(response).text("to", rule{required: true})
	if problems == nil {
		return execution.Pass{}, nil
	}
	o, err := r.Enter(ctx, in)
	if ask, ok := o.(execution.Ask); ok && err == nil {
		return again(ask.Challenge, problems), nil
	}
	return o, err
}
