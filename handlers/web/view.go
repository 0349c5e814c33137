package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/flowledger/flowledger/domain/session"
)

// A flowView is a challenge for the templates, with what the page adds.
type flowView struct {
	frame
	challenge
	Action    string // where the form goes: this page, for this execution
	Again     string // where the flow begins anew
	CSRF      string
	Sequence  int
	Execution string
	Notice    string
	Inputs    []input // of a prompt
	Puzzle    *puzzle // nil for none

	typed url.Values
}

func (s *Server) flowView(w http.ResponseWriter, r *http.Request, c session.Caller, ch challenge, st step) flowView {
	v := flowView{
		frame:     s.frame(r, c, ch.Info.Title),
		challenge: ch,
		Action:    flowURL(r, st.answer.Execution),
		Again:     freshURL(r),
		CSRF:      s.Forgery.Token(w, r),
		Sequence:  st.answer.Sequence,
		Execution: st.answer.Execution,
		typed:     st.typed,
	}
	v.decorate(ch.Info)
	if v.typed.Get("component") != ch.Component {
		v.typed = nil // another stage is up: what was typed is not for it
	}
	if st.restarted {
		v.Notice = "That was already over, so we have started again."
	}
	v.soften()
	v.Inputs, v.Puzzle = v.inputs(), v.puzzle()
	return v
}

// soften turns answers that are only formally rejections into notices: a mail
// that was sent again, a code that is on its way.
func (v *flowView) soften() {
	errs := v.Errors["non_field_errors"]
	throttled := slices.DeleteFunc(slices.Clone(errs), func(p problem) bool { return p.Code == "email-sent" })
	switch {
	case len(throttled) > 0 && len(throttled) < len(errs): // it was not sent, and why not is said besides
		v.Errors["non_field_errors"] = throttled
		return
	case slices.ContainsFunc(errs, func(p problem) bool { return p.Code == "email-sent" }):
		v.Notice = "The email is on its way again."
	case v.typed.Get("selected_challenge") != "" && len(v.Errors) == 1 && len(errs) == 1:
		v.Notice = "A code is on its way."
	default:
		return
	}
	v.Errors = nil
}

// Typed returns what was typed into a field of a form that was rejected.
// Passwords and codes are never asked for.
func (v flowView) Typed(field string) string { return v.typed.Get(field) }

// Problems returns what is wrong with a field.
func (v flowView) Problems(field string) []string {
	var texts []string
	for _, p := range v.Errors[field] {
		texts = append(texts, p.String)
	}
	return texts
}

// besides are the fields, by component, that show their problems themselves.
var besides = map[string][]string{
	"ak-stage-identification":         {"uid_field", "password"},
	"ak-stage-password":               {"password"},
	"ak-stage-authenticator-validate": {"code"},
}

// Summary returns the problems that no field of the page shows.
func (v flowView) Summary() []string {
	shown := slices.Clone(besides[v.Component])
	for _, in := range v.Inputs {
		if in.Shows() {
			shown = append(shown, in.Key)
		}
	}
	var texts []string
	for field, problems := range v.Errors {
		if slices.Contains(shown, field) {
			continue
		}
		for _, p := range problems {
			if !slices.Contains(texts, p.String) {
				texts = append(texts, p.String)
			}
		}
	}
	slices.Sort(texts) // the map has no order, and the page should
	return texts
}

// DocumentTitle begins with the bad news, for it is what a screen reader reads
// first.
func (v flowView) DocumentTitle() string {
	if len(v.Errors) > 0 {
		return "Error: " + v.frame.DocumentTitle()
	}
	return v.frame.DocumentTitle()
}

// Identifier is what the identification page fills in for the visitor.
func (v flowView) Identifier() string {
	if typed := v.Typed("uid_field"); typed != "" {
		return typed
	}
	return v.KnownIdentifier
}
