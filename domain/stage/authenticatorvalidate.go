package stage

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_authenticator_validate.authenticatorvalidatestage", Path: "authenticator/validate",
		Name: "Authenticator Validation Stage", Form: "ak-stage-authenticator-validate-form",
		About: "Asks for a second factor.",
		Config: func() Stage {
			return &AuthenticatorValidate{
				NotConfigured: "skip", DeviceClasses: []string{"static", "totp", "webauthn", "duo", "sms", "email"},
				LastAuth: "seconds=0", UserVerification: "preferred",
				EmailFactor: 1, SMSFactor: 1, TOTPFactor: 1, StaticFactor: 1,
			}
		},
	})
}

// AuthenticatorValidate asks for a second factor (spec/stages.md 3.22). There
// are no devices in this release, so it settles for what is to happen to users
// who have none.
type AuthenticatorValidate struct {
	Named
	NotConfigured       string   `json:"not_configured_action" catalog:"enum=skip|deny|configure"`
	DeviceClasses       []string `json:"device_classes" catalog:"enum=static|totp|webauthn|duo|sms|email"`
	ConfigurationStages []string `json:"configuration_stages" catalog:"ref=stage"`
	LastAuth            string   `json:"last_auth_threshold" catalog:"duration"`
	UserVerification    string   `json:"webauthn_user_verification" catalog:"enum=required|preferred|discouraged"`
	Hints               []string `json:"webauthn_hints" catalog:"enum=security-key|client-device|hybrid"`
	DeviceTypes         []string `json:"webauthn_allowed_device_types" catalog:"ref=devicetype"`
	EmailFactor         float64  `json:"email_otp_throttling_factor"`
	SMSFactor           float64  `json:"sms_otp_throttling_factor"`
	TOTPFactor          float64  `json:"totp_otp_throttling_factor"`
	StaticFactor        float64  `json:"static_otp_throttling_factor"`
}

// Validate implements [catalog.Validator].
func (a *AuthenticatorValidate) Validate() catalog.Problems {
	var p catalog.Problems
	if a.NotConfigured == "configure" && len(a.ConfigurationStages) == 0 {
		p.Add("not_configured_action", "%s", `When "Not configured action" is set to "Configure", you must set a configuration stage.`)
	}
	return p
}

type validateChallenge struct {
	pendingUser
	Devices []any             `json:"device_challenges"`
	Stages  []selectableStage `json:"configuration_stages"`
}

func (validateChallenge) Component() string { return "ak-stage-authenticator-validate" }

// A selectableStage is a stage that sets a device up.
type selectableStage struct {
	PK          string `json:"pk"`
	Name        string `json:"name"`
	VerboseName string `json:"verbose_name"`
	Model       string `json:"meta_model_name"`
	object      Object
}

// Enter implements [Stage]. Outside of a login, nobody is asked for nobody's
// factor.
func (a *AuthenticatorValidate) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	nobody := in.Subject.Username == "" && !in.Visitor.Exists()
	if nobody && in.Flow.Designation != "authentication" {
		return execution.Pass{Skipped: "There is nobody whom the stage could ask."}, nil
	}
	switch a.NotConfigured {
	case "configure":
		stages, err := a.selectable(ctx, in)
		if err != nil {
			return nil, err
		}
		return a.configure(in, stages), nil
	case "deny":
		return execution.Deny{Message: "No (allowed) MFA authenticator configured."}, nil
	}
	return execution.Pass{Skipped: "The user has no authenticator."}, nil
}

// configure sends the user to the one stage that there is, or asks which.
func (a *AuthenticatorValidate) configure(in Input, stages []selectableStage) execution.Outcome {
	switch len(stages) {
	case 0:
		return execution.Deny{}
	case 1:
		return insert(in, stages[0].object)
	}
	return execution.Ask{Challenge: validateChallenge{pendingUser: shown(in), Devices: []any{}, Stages: stages}}
}

// insert puts a stage right behind this one.
func insert(in Input, o Object) execution.Pass {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte(in.Execution))
	binding := uuid.NewSHA1(space, []byte(in.Entry.Binding.ID+o.ID)).String()
	return execution.Pass{Insert: []execution.Insertion{{
		Index: 0, By: in.Entry.Binding.ID,
		Entry: execution.Entry{
			Binding: domain.Ref{ID: binding}, Stage: o.Ref, Marker: execution.Static, OnInvalid: "retry", InMemory: true,
		},
	}}}
}

// selectable lists the stages that set a device up. Those that are gone are
// left out.
func (a *AuthenticatorValidate) selectable(ctx context.Context, in Input) ([]selectableStage, error) {
	var stages []selectableStage
	for _, id := range a.ConfigurationStages {
		o, err := in.Env.Object(ctx, id)
		if err != nil {
			return nil, err
		}
		k, ok := catalog.Lookup(o.Kind)
		if o.Config == nil || !ok {
			continue
		}
		name := strings.TrimSpace(strings.ReplaceAll(k.Name, "Setup Stage", ""))
		stages = append(stages, selectableStage{PK: o.ID, Name: o.Name, VerboseName: name, Model: o.Kind, object: o})
	}
	return stages, nil
}

// Respond implements [Stage].
func (a *AuthenticatorValidate) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	if a.NotConfigured != "configure" {
		return a.Enter(ctx, in)
	}
	stages, err := a.selectable(ctx, in)
	if err != nil {
		return nil, err
	}
	c := validateChallenge{pendingUser: shown(in), Devices: []any{}, Stages: stages}
	selected, problems := read(response).text("selected_stage", rule{nullable: true})
	switch {
	case problems != nil:
		return again(c, problems), nil
	case selected == "":
		return again(c, problem(nonField, "invalid", "Empty response")), nil
	}
	for _, s := range stages {
		if s.PK == selected {
			return insert(in, s.object), nil
		}
	}
	return again(c, problem("selected_stage", "invalid", "Selected stage is invalid")), nil
}
