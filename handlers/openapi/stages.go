package openapi

// typeCreate is a kind of thing that can be made.
type typeCreate struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Component   string `json:"component"`
	Model       string `json:"model_name"`
	Enterprise  bool   `json:"requires_enterprise"`
	Deprecated  bool   `json:"deprecated"`
}

// userSetting is something that people can set up for themselves.
type userSetting struct {
	ID        string `json:"object_uid"`
	Component string `json:"component"`
	Title     string `json:"title"`
	URL       string `json:"configure_url"`
}

// invitationSendEmail is to whom an invitation is mailed.
type invitationSendEmail struct {
	To       []email `json:"email_addresses" api:"required"`
	CC       []email `json:"cc_addresses"`
	BCC      []email `json:"bcc_addresses"`
	Template string  `json:"template"`
}

// stages describes what there is about stages of all kinds.
func stages(s *shapes) []resource {
	return []resource{
		{
			path: "stages/all/", one: "stage of any kind", many: "stages of all kinds", key: key("stage_uuid", uuid("")), name: "Stage",
			fields: s.fieldsOf(anyStage{}), search: true, ordered: true,
			filters: []Parameter{by("name", "", ""), by("stage_uuid", uuid(""), "Primary key.")},
			more: map[string]deed{
				"GET types/":         {summary: "List the kinds of stages", answer: []typeCreate{}},
				"GET user_settings/": {summary: "List what callers can set up for themselves", answer: []userSetting{}},
			},
		},
		{path: "stages/email/", more: map[string]deed{
			"GET templates/": {summary: "List the kinds of mail that stages send", answer: []typeCreate{}},
		}},
		{path: "stages/invitation/invitations/", key: key("invite_uuid", uuid("")), more: map[string]deed{
			"POST {}/send_email/": {summary: "Mail an invitation", body: invitationSendEmail{}},
		}},
		{path: "stages/prompt/prompts/", more: map[string]deed{
			"POST preview/": {
				summary: "Show the challenge that a prompt would make", description: "The prompt need not exist. Its expressions are evaluated.",
				body: ref("PromptRequest"), answer: ref("PromptChallenge"),
			},
		}},
	}
}
