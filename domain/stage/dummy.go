package stage

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_dummy.dummystage", Path: "dummy", Name: "Dummy Stage", Form: "ak-stage-dummy-form",
		About:  "Shows its name and is content with any answer; for trying flows out.",
		Config: func() Stage { return &Dummy{} },
	})
}

// Dummy shows its name and is content with any answer (spec/stages.md 3.12).
type Dummy struct {
	Named
	ThrowError bool `json:"throw_error"`
}

type dummyChallenge struct {
	Name string `json:"name"`
}

func (dummyChallenge) Component() string { return "ak-stage-dummy" }

// errDummy is the fault that a dummy stage is there to produce.
var errDummy = errors.New("the dummy stage was told to fail")

// Enter implements [Stage].
func (d *Dummy) Enter(context.Context, Input) (execution.Outcome, error) {
	if d.ThrowError {
		return nil, errDummy
	}
	return execution.Ask{Challenge: dummyChallenge{Name: d.Name}}, nil
}

// Respond implements [Stage].
func (d *Dummy) Respond(context.Context, Input, json.RawMessage) (execution.Outcome, error) {
	return execution.Pass{}, nil
}
