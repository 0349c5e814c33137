package openapi

import (
	"github.com/flowledger/flowledger/domain/catalog"
)

// target is the second identifier of what policies can be bound to.
type target struct {
	Target uuid `json:"policybindingmodel_ptr_id" api:"read"`
}

type flowAdds struct {
	target
	BackgroundURL  string      `json:"background_url" api:"read"`
	BackgroundURLs *themedUrls `json:"background_themed_urls" api:"read"`
	Stages         []uuid      `json:"stages" api:"read"`
	Policies       []uuid      `json:"policies" api:"read"`
	CacheCount     int         `json:"cache_count" api:"read"`
	ExportURL      string      `json:"export_url" api:"read"`
}

// themedUrls are the addresses of a picture that differs by theme.
type themedUrls struct {
	Light string `json:"light"`
	Dark  string `json:"dark"`
}

// form is what the contract says about the kind of a stage or a policy.
type form struct {
	Component  string `json:"component" api:"read"`
	Name       string `json:"verbose_name" api:"read"`
	NamePlural string `json:"verbose_name_plural" api:"read"`
	Model      string `json:"meta_model_name" api:"read"`
}

type stageAdds struct {
	form
	Flows []flowSet `json:"flow_set" api:"read"`
}

// flowSet is a flow as stages show it.
type flowSet struct {
	PK uuid `json:"pk" api:"read"`
	target
	Name          string `json:"name"`
	Slug          string `json:"slug"`
	Title         string `json:"title"`
	Designation   string `json:"designation"`
	BackgroundURL string `json:"background_url" api:"read"`
	Mode          string `json:"policy_engine_mode"`
	Compatibility bool   `json:"compatibility_mode"`
	ExportURL     string `json:"export_url" api:"read"`
	Layout        string `json:"layout"`
	DeniedAction  string `json:"denied_action"`
}

// anyStage is a stage of any kind by what all have in common.
type anyStage struct {
	PK   uuid   `json:"pk" api:"read"`
	Name string `json:"name"`
	stageAdds
}

type policyAdds struct {
	form
	BoundTo int `json:"bound_to" api:"read"`
}

// anyPolicy is a policy with what all have in common. It has the fields of its
// kind, too.
type anyPolicy struct {
	PK      uuid   `json:"pk" api:"read"`
	Name    string `json:"name"`
	Logging bool   `json:"execution_logging"`
	policyAdds
}

type stageBindingAdds struct {
	target
	Stage anyStage `json:"stage_obj" api:"read"`
}

type policyBindingAdds struct {
	Policy   *anyPolicy    `json:"policy_obj" api:"read"`
	Group    *partialGroup `json:"group_obj" api:"read"`
	User     *partialUser  `json:"user_obj" api:"read"`
	Expires  *string       `json:"expires" api:"read"`
	Expiring bool          `json:"expiring" api:"read"`
}

type ruleAdds struct {
	Group *group `json:"destination_group_obj" api:"read"`
}

type transportAdds struct {
	Mode string `json:"mode_verbose" api:"read"`
}

type promptAdds struct {
	Stages []any `json:"prompt_stages_obj" api:"read,ref=PromptStage"`
}

type invitationAdds struct {
	CreatedBy partialUser `json:"created_by" api:"read"`
	Flow      any         `json:"flow_obj" api:"read,ref=Flow"`
}

// extras are what single kinds show beside the others of their category.
func (s *shapes) extras(k catalog.Kind) []field {
	read := func(name string, schema *Schema) []field { return []field{{name: name, schema: schema, read: true}} }
	if _, has := k.Field("webauthn_allowed_device_types"); has {
		return read("webauthn_allowed_device_types_obj", list(s.example(webAuthnDeviceType{})))
	}
	if _, has := k.Field("countries"); has {
		return read("countries_obj", list(s.example(detailedCountry{})))
	}
	return nil
}

// webAuthnDeviceType is a make of security keys; no list of them is kept.
type webAuthnDeviceType struct {
	ID          uuid   `json:"aaguid"`
	Description string `json:"description"`
}

// detailedCountry is a country that policies can choose.
type detailedCountry struct {
	Code string `json:"code"`
	Name string `json:"name"`
}
