package object

import "github.com/flowledger/flowledger/domain/catalog"

// InvitationModel is the kind of invitations.
const InvitationModel = "authentik_stages_invitation.invitation"

func init() {
	catalog.Register(catalog.Kind{
		Model: InvitationModel, Category: catalog.Invitation, Path: "stages/invitation/invitations", Name: "Invitation",
		New: func() any { return &Invitation{FixedData: map[string]any{}} },
	})
}

// Invitation is an invitation as blueprints and the admin API write it.
// Invitations are an aggregate of their own (package invitation); this is only
// the shape.
type Invitation struct {
	Name      string         `json:"name" catalog:"required,slug"`
	Expires   *string        `json:"expires" catalog:"time"`
	FixedData map[string]any `json:"fixed_data"`
	SingleUse bool           `json:"single_use"`
	Flow      *string        `json:"flow" catalog:"ref=flow"`
}
