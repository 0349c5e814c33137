package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// nonField is where problems stand that belong to no single field.
const nonField = "non_field_errors"

func unknown(model string) error {
	return domain.Errorf(domain.Invalid, "There is no kind of stage %q.", model)
}

// fields are the values of a response by name.
type fields map[string]any

// read parses a response. Whoever calls has checked that it is an object.
func read(response json.RawMessage) fields {
	f := fields{}
	d := json.NewDecoder(bytes.NewReader(response))
	d.UseNumber()
	if err := d.Decode(&f); err != nil {
		return fields{}
	}
	return f
}

// A rule says what a text field of a response must be (spec/stages.md 1.5).
type rule struct {
	required bool
	nullable bool
	blank    bool
	verbatim bool // white space at the ends counts
	limit    int  // in bytes, where it is more than maxText
}

// maxText bounds a text of a response: all texts of a stage have to fit into
// one event.
const maxText = 16 << 10

// cut bounds what a problem repeats of a response.
func cut(text string) string {
	const limit = 200
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// optional admits anything that is a text, and nothing.
var optional = rule{nullable: true, blank: true}

// text takes a text field out of a response.
func (f fields) text(name string, r rule) (string, []execution.Problem) {
	v, given := f[name]
	switch {
	case !given && r.required:
		return "", problem(name, "required", "This field is required.")
	case !given:
		return "", nil
	case v == nil && !r.nullable:
		return "", problem(name, "null", "This field may not be null.")
	case v == nil:
		return "", nil
	}
	text, ok := asText(v)
	switch {
	case !ok:
		return "", problem(name, "invalid", "Not a valid string.")
	case strings.ContainsRune(text, 0):
		return "", problem(name, "null_characters_not_allowed", "Null characters are not allowed.")
	case len(text) > max(r.limit, maxText):
		return "", problem(name, "max_length", fmt.Sprintf("Ensure this field has no more than %d characters.", max(r.limit, maxText)))
	}
	if !r.verbatim {
		text = strings.TrimSpace(text)
	}
	if text == "" && !r.blank {
		return "", problem(name, "blank", "This field may not be blank.")
	}
	return text, nil
}

func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

// truth takes a field that is true or false out of a response.
func (f fields) truth(name string) (bool, []execution.Problem) {
	v, given := f[name]
	switch {
	case !given:
		return false, problem(name, "required", "This field is required.")
	case v == nil:
		return false, problem(name, "null", "This field may not be null.")
	}
	switch strings.ToLower(fmt.Sprint(v)) {
	case "true", "t", "yes", "y", "on", "1":
		return true, nil
	case "false", "f", "no", "n", "off", "0":
		return false, nil
	}
	return false, problem(name, "invalid", "Must be a valid boolean.")
}

// problem makes a list of one.
func problem(field, code, text string) []execution.Problem {
	return []execution.Problem{{Field: field, Code: code, Text: text}}
}

// pendingUser is the part of a challenge that shows whom it is about.
type pendingUser struct {
	PendingUser string `json:"pending_user"`
	Avatar      string `json:"pending_user_avatar"`
}

// Avatar is the picture of everybody; flowledger asks no third party for one.
const Avatar = "/static/dist/assets/images/user_default.svg"

// Shown is the name under which the execution's subject is shown: what was
// typed, where the stage that asked does not want to tell that it matched.
func Shown(in Input) string {
	if typed := in.State.Context.Text(execution.KeyPendingUserIdentifier); typed != "" {
		return typed
	}
	if name := in.Subject.Username; name != "" {
		return name
	}
	return in.Visitor.Username
}

func shown(in Input) pendingUser { return pendingUser{PendingUser: Shown(in), Avatar: Avatar} }

// again asks anew after a wrong answer.
func again(c execution.Challenge, problems []execution.Problem) execution.Invalid {
	return execution.Invalid{Problems: problems, Again: execution.Ask{Challenge: c}}
}

// flowURL is the page of a flow, with the query of the visit that is under way.
func flowURL(slug, query string) string {
	url := "/if/flow/" + slug + "/"
	if query != "" {
		url += "?" + query
	}
	return url
}
