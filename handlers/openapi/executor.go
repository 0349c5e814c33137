package openapi

import (
	"reflect"
	"slices"

	"github.com/flowledger/flowledger/domain/stage"
)

// contextualFlowInfo is what a challenge says about its flow.
type contextualFlowInfo struct {
	Title          string      `json:"title"`
	Background     string      `json:"background"`
	BackgroundURLs *themedUrls `json:"background_themed_urls"`
	CancelURL      string      `json:"cancel_url"`
	Layout         string      `json:"layout" api:"enum=stacked|content_left|content_right|sidebar_left|sidebar_right|sidebar_left_frame_background|sidebar_right_frame_background"`
}

// errorDetail is what is wrong with an answer.
type errorDetail struct {
	String string `json:"string"`
	Code   string `json:"code"`
}

// envelope is what all challenges have.
type envelope struct {
	Component string                   `json:"component"`
	FlowInfo  *contextualFlowInfo      `json:"flow_info,omitempty"`
	Errors    map[string][]errorDetail `json:"response_errors,omitempty"`
}

// flowErrorChallenge is a fault of the server, or of what is configured.
type flowErrorChallenge struct {
	Request   string `json:"request_id"`
	Error     string `json:"error,omitempty"`
	Traceback string `json:"traceback,omitempty"`
}

// A spoken is a challenge on the wire.
type spoken struct {
	component string
	of        reflect.Type
}

// challenges describes what the executor answers: the challenges of the stages,
// taken from the stages themselves, and how a flow can end.
func (s *shapes) challenges() *Schema {
	all := []spoken{{"ak-stage-flow-error", reflect.TypeFor[flowErrorChallenge]()}}
	for _, c := range stage.Challenges() {
		all = append(all, spoken{c.Component(), reflect.TypeOf(c)})
	}
	slices.SortFunc(all, func(a, b spoken) int { return slices.Compare([]string{title(a.of)}, []string{title(b.of)}) })
	out := &Schema{Discriminator: &Discriminator{Property: "component", Mapping: map[string]string{}}}
	for _, c := range all {
		name := title(c.of)
		fields := append(s.fields(reflect.TypeFor[envelope]()), s.fields(c.of)...)
		fields[0].schema.Enum = []string{c.component}
		if c.component == "xak-flow-redirect" {
			fields = append(fields, field{name: "final_redirect", schema: &Schema{Type: "boolean"}, optional: true})
		}
		s.named[name] = shown(fields)
		out.OneOf = append(out.OneOf, ref(name))
		out.Discriminator.Mapping[c.component] = ref(name).Ref
	}
	s.named["ChallengeTypes"] = out
	return ref("ChallengeTypes")
}

// flowChallengeResponse is an answer to a challenge: the fields that its stage
// asks for, of which these are the most common. A prompt stage asks for fields
// that its prompts name.
type flowChallengeResponse struct {
	Component string `json:"component"`
	UID       string `json:"uid_field"`
	Password  string `json:"password" api:"write"`
	Remember  bool   `json:"remember_me"`
	Token     string `json:"token"`
	Captcha   string `json:"captcha_token"`
}
