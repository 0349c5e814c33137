package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_source.sourcestage", Path: "source", Name: "Source Stage", Form: "ak-stage-source-form",
		About:  "Sends the browser to another identity provider, and goes on when it has come back.",
		Config: func() Stage { return &SourceStage{ResumeTimeout: "minutes=10", ResumeOn: []string{}} },
	})
}

// SourceStage sends the browser to another identity provider (spec/stages.md
// 3.24). There are no sources in this release, so none can be named: the API
// and blueprints refuse the reference. A stage that is configured all the same
// finds its source gone.
type SourceStage struct {
	Named
	Source        string   `json:"source" catalog:"required,ref=source"`
	ResumeTimeout string   `json:"resume_timeout" catalog:"duration"`
	ResumeOn      []string `json:"resume_on_match_failures" catalog:"enum=missing_property"`
}

// Enter implements [Stage].
func (*SourceStage) Enter(context.Context, Input) (execution.Outcome, error) {
	return execution.Deny{Message: "Source does not exist"}, nil
}

// Respond implements [Stage]. It never asked.
func (s *SourceStage) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	return s.Enter(ctx, in)
}
