package openapi

import "net/http"

// accessOf says in one word who may call a route.
func accessOf(r Route) string {
	switch {
	case r.Open:
		return "anybody"
	case r.Own && r.Needs == "":
		return "members"
	case r.Own:
		return "own"
	case r.Needs != "":
		return "permission"
	}
	return "superusers"
}

// sentence says who may call a route. Superusers may call all.
func sentence(r Route) string {
	switch accessOf(r) {
	case "anybody":
		return "Anybody may call this."
	case "members":
		return "Whoever is logged in may call this."
	case "own":
		return "Whoever is logged in may call this for what is their own; for all of it one needs " + r.Needs + "."
	case "permission":
		return "One needs the permission " + r.Needs + "."
	}
	return "Superusers only."
}

// schemes are the ways to prove who calls.
var schemes = map[string]Scheme{
	"authentik": {Type: "http", Scheme: "bearer", Description: "The key of a token with the intent api."},
	"session": {
		Type: "apiKey", In: "cookie", Name: "authentik_session",
		Description: "The cookie of a browser in which somebody is logged in. What changes something needs the header X-authentik-CSRF, too, " +
			"with the value of the cookie authentik_csrf.",
	},
}

// validationError is how faults of an input are told: under the name of each
// field its sentences.
type validationError struct {
	NonField []string `json:"non_field_errors,omitempty"`
	Detail   string   `json:"detail,omitempty"`
	Code     string   `json:"code,omitempty"`
}

// genericError is how everything else is refused.
type genericError struct {
	Detail string `json:"detail"`
	Code   string `json:"code,omitempty"`
}

// failures are the answers that many operations share.
func failures(s *shapes) map[string]Response {
	describe := func(says string, example any) Response {
		return Response{Description: says, Content: map[string]Media{"application/json": {Schema: s.example(example)}}}
	}
	out := map[string]Response{
		"ValidationErrorResponse": describe("The input is wrong; field by field, it says why.", validationError{}),
		"GenericErrorResponse":    describe("It is refused; a sentence says why.", genericError{}),
	}
	fields := *s.named["ValidationError"]
	fields.Additional = &Schema{}
	s.named["ValidationError"] = &fields
	return out
}

// guard adds what protects writers from each other: readers are told the
// revision, and writers may say which one they saw.
func (b *builder) guard(op *Operation, r Route) {
	if ok, shows := op.Responses["200"]; shows {
		ok.Headers = map[string]Header{"ETag": {Description: "The revision, to be given back in If-Match.", Schema: &Schema{Type: "string"}}}
		op.Responses["200"] = ok
	}
	if r.Method == http.MethodGet {
		return
	}
	op.Parameters = append(op.Parameters, Parameter{
		Name: "If-Match", In: "header", Schema: &Schema{Type: "string"},
		Description: "The ETag that was read. If somebody else wrote since, nothing is changed.",
	})
	op.Responses["412"] = Response{
		Description: "Somebody else wrote since; nothing was changed.",
		Content:     map[string]Media{"application/json": {Schema: ref("GenericError")}},
	}
}
