package stage

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/flowledger/flowledger/domain/execution"
)

// SessionEndKind is what stands in plans for a [SessionEnd], which nobody
// configures.
const SessionEndKind = "in_memory.session_end"

// SessionEnd is the end of an application's invalidation flow: whoever left
// the application is told that they are still logged in here (spec/stages.md
// 4.4).
type SessionEnd struct {
	Brand        string // its title
	Invalidation string // slug of its invalidation flow; empty for none
}

type sessionEndChallenge struct {
	pendingUser
	Application  string `json:"application_name,omitempty"`
	LaunchURL    string `json:"application_launch_url,omitempty"`
	Invalidation string `json:"invalidation_flow_url,omitempty"`
	Overview     string `json:"overview_url,omitempty"`
	Brand        string `json:"brand_name"`
}

// Component implements [execution.Challenge].
func (sessionEndChallenge) Component() string { return "ak-stage-session-end" }

// Enter implements [Stage]. Who is logged out by now has nothing left to
// choose.
func (s SessionEnd) Enter(_ context.Context, in Input) (execution.Outcome, error) {
	if !in.Visitor.Exists() {
		return execution.Ask{Challenge: RedirectChallenge{"/"}}, nil
	}
	app := in.State.Context.Map(execution.KeyApplication)
	c := sessionEndChallenge{pendingUser: shown(in), Brand: s.Brand, Overview: "/if/user/"}
	c.Application, _ = app["name"].(string)
	for _, field := range []string{"launch_url", "meta_launch_url"} {
		url, _ := app[field].(string)
		if c.LaunchURL == "" && (strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")) {
			c.LaunchURL = url
		}
	}
	if s.Invalidation != "" {
		c.Invalidation = flowURL(s.Invalidation, "")
	}
	return execution.Ask{Challenge: c}, nil
}

// Respond implements [Stage]. There is nothing to answer.
func (s SessionEnd) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	return s.Enter(ctx, in)
}
