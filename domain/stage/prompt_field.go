package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// maxFile bounds a file that is typed into a prompt, as its data URI.
const maxFile = 128 << 10

// judge checks one field of a response and returns the value to remember
// (spec/stages.md 3.7, the table of types).
func (f promptField) judge(ctx context.Context, in Input, r fields) (any, []execution.Problem, error) {
	if f.fixed() {
		return f.server(), nil, nil
	}
	v, given := r[f.Key]
	truthy := f.value != nil && f.value != "" && f.value != false
	switch {
	case !given && truthy:
		return f.value, nil, nil
	case !given && f.Type == "checkbox":
		return false, nil, nil
	case !given && f.Required && f.Type != "separator":
		return nil, problem(f.Key, "required", "This field is required."), nil
	case !given:
		return "", nil, nil
	case v == nil:
		return nil, problem(f.Key, "null", "This field may not be null."), nil
	}
	value, faults := f.typed(v, r)
	if faults == nil && f.Type == "username" {
		return f.free(ctx, in, value)
	}
	return value, faults, nil
}

// fixed tells whether the server's value stands, whatever the client sends.
func (f promptField) fixed() bool {
	switch f.Type {
	case "hidden", "static", "text_read_only", "text_area_read_only", "alert_info", "alert_warning", "alert_danger":
		return true
	}
	return false
}

// server is the value of a field that clients cannot write.
func (f promptField) server() any {
	switch {
	case f.value != nil && f.value != "":
		return f.value
	case f.Type == "hidden" || f.Type == "static":
		return f.Placeholder
	}
	return ""
}

// typed reads a value by the field's type.
func (f promptField) typed(v any, r fields) (any, []execution.Problem) {
	switch f.Type {
	case "checkbox":
		return r.truth(f.Key)
	case "number":
		n, err := json.Number(strings.TrimSpace(fmt.Sprint(v))).Int64()
		if err != nil {
			return nil, problem(f.Key, "invalid", "A valid integer is required.")
		}
		return n, nil
	case "radio-button-group", "dropdown":
		i := slices.IndexFunc(f.Choices, func(c choice) bool { return c.Value == display(v) })
		if i < 0 {
			return nil, problem(f.Key, "invalid_choice", `"`+cut(display(v))+`" is not a valid choice.`)
		}
		return f.Choices[i].value, nil
	}
	text, faults := r.text(f.Key, f.rule())
	if faults != nil || text == "" {
		return text, faults
	}
	return f.shaped(text)
}

// rule is what a text of the field's type must be.
func (f promptField) rule() rule {
	r := rule{verbatim: true}
	switch f.Type {
	case "text", "text_area":
		r.blank = !f.Required
	case "file":
		r.limit = maxFile
	case "email":
		r.blank, r.verbatim = !f.Required, false
	default:
		r.blank, r.verbatim = f.Type == "ak-locale", false
	}
	return r
}

// shaped checks the form of a text.
func (f promptField) shaped(text string) (any, []execution.Problem) {
	switch f.Type {
	case "email":
		if a, err := mail.ParseAddress(text); err != nil || a.Address != text || !strings.Contains(text[strings.LastIndex(text, "@"):], ".") {
			return nil, problem(f.Key, "invalid", "Enter a valid email address.")
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return nil, problem(f.Key, "invalid", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
		}
	case "date-time":
		if !isTime(text) {
			return nil, problem(f.Key, "invalid", "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
		}
	case "file":
		return text, f.file(text)
	case "password":
		return domain.NewSecret(text), nil
	}
	return text, nil
}

func isTime(text string) bool {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02T15:04", "2006-01-02T15:04Z07:00"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

func (f promptField) file(text string) []execution.Problem {
	rest, isData := strings.CutPrefix(text, "data:")
	header, _, _ := strings.Cut(rest, ",")
	switch {
	case !isData:
		return problem(f.Key, "invalid", "Invalid scheme")
	case !strings.HasSuffix(header, ";base64"):
		return problem(f.Key, "invalid", "Invalid encoding")
	}
	return nil
}

// free tells whether nobody else has a user name.
func (f promptField) free(ctx context.Context, in Input, value any) (any, []execution.Problem, error) {
	name, _ := value.(string)
	who, err := in.Env.FindUser(ctx, []string{"username"}, name, false)
	if err != nil {
		return nil, nil, err
	}
	if who.Exists() && who.ID != in.Subject.ID {
		return nil, problem(f.Key, "invalid", "Username is already taken."), nil
	}
	return name, nil, nil
}
