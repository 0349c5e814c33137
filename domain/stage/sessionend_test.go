package stage_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

func TestSessionEnd(t *testing.T) {
	branded := stage.SessionEnd{Brand: "Example Inc.", Invalidation: "default-invalidation-flow"}
	app := func(fields map[string]any) execution.Context {
		return execution.Context{execution.KeyApplication: fields}
	}
	tests := map[string]struct {
		stage stage.SessionEnd
		known execution.Context
		want  map[string]any
	}{
		"of an application": {
			branded, app(map[string]any{"name": "Grafana", "meta_launch_url": "https://grafana.example.org"}),
			map[string]any{
				"application_name": "Grafana", "application_launch_url": "https://grafana.example.org",
				"invalidation_flow_url": "/if/flow/default-invalidation-flow/", "overview_url": "/if/user/", "brand_name": "Example Inc.",
			},
		},
		"of one that no browser opens": {
			branded, app(map[string]any{"name": "Grafana", "launch_url": "javascript:alert(1)"}),
			map[string]any{
				"application_name": "Grafana", "invalidation_flow_url": "/if/flow/default-invalidation-flow/",
				"overview_url": "/if/user/", "brand_name": "Example Inc.",
			},
		},
		"of nothing that has a name, without a flow to log out": {
			stage.SessionEnd{Brand: "Example Inc."}, app(map[string]any{"name": 5}),
			map[string]any{"overview_url": "/if/user/", "brand_name": "Example Inc."},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), ada)
			in.Visitor, in.State.Context = ada, tt.known
			tt.want["pending_user"], tt.want["pending_user_avatar"] = stage.Shown(in), stage.Avatar
			for _, answer := range []func() (execution.Outcome, error){
				func() (execution.Outcome, error) { return tt.stage.Enter(t.Context(), in) },
				func() (execution.Outcome, error) { return tt.stage.Respond(t.Context(), in, nil) },
			} {
				o, err := answer()
				compare(t, told{Ask: "ak-stage-session-end"}, o, err)
				text, err := json.Marshal(o.(execution.Ask).Challenge)
				if err != nil {
					t.Fatal(err)
				}
				var got map[string]any
				if err := json.Unmarshal(text, &got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
			}
		})
	}
	in := at(world(), ada)
	in.Visitor = user.Person{}
	o, err := branded.Enter(t.Context(), in)
	compare(t, told{Ask: "xak-flow-redirect"}, o, err)
	if to := o.(execution.Ask).Challenge.(stage.RedirectChallenge).To; to != "/" {
		t.Errorf("who is logged out is sent to %q", to)
	}
}
