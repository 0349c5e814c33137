package stage

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// What prompts take, in bytes: a file as its data URI, and everything together
// that an execution has learned from prompts. Both go into one event.
const (
	maxFile  = 96 << 10
	maxTyped = 128 << 10
)

// judge checks one field of a response and returns the value to remember
// (spec/stages.md 3.7, the table of types).
func (f promptField) judge(ctx context.Context, in Input, r fields) (any, []execution.Problem, error) {
	if f.fixed() {
		return f.server(), nil, nil
	}
	v, given := r[f.Key]
	switch {
	case !given && truthy(f.value):
		return f.value, nil, nil
	case !given && f.Type == "checkbox":
		return false, nil, nil
	case !given && f.Required && f.Type != "separator":
		return nil, problem(f.Key, "required", "This field is required."), nil
	case !given:
		return nil, nil, nil
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
	case truthy(f.value):
		return f.value
	case f.Type == "text_read_only" || f.Type == "text_area_read_only" || f.hint == nil:
		return ""
	}
	return f.hint
}

// typed reads a value by the field's type.
func (f promptField) typed(v any, r fields) (any, []execution.Problem) {
	switch f.Type {
	case "checkbox":
		return r.truth(f.Key)
	case "number":
		return f.integer(v)
	case "radio-button-group", "dropdown":
		i := slices.IndexFunc(f.Choices, func(c choice) bool { return c.Value == display(v) })
		if i < 0 {
			return nil, problem(f.Key, "invalid_choice", `"`+cut(display(v))+`" is not a valid choice.`)
		}
		return f.Choices[i].value, nil
	}
	if text, ok := v.(string); ok && f.Type == "file" && len(text) > maxFile {
		return nil, problem(f.Key, "max_length", fmt.Sprintf("Ensure this file has no more than %d bytes.", maxFile/4*3))
	}
	text, faults := r.text(f.Key, f.rule())
	if faults != nil || text == "" && f.Type != "date" && f.Type != "date-time" {
		return text, faults
	}
	return f.shaped(text)
}

// integer reads a number, or the text of one. Zeros behind the point do no
// harm.
func (f promptField) integer(v any) (any, []execution.Problem) {
	text, ok := asText(v)
	text = strings.TrimSpace(text)
	if whole, fraction, point := strings.Cut(text, "."); point && whole != "" && strings.Trim(fraction, "0") == "" {
		text = whole
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return nil, problem(f.Key, "invalid", "A valid integer is required.")
	}
	return n, nil
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
	case "date", "date-time":
		r.blank, r.verbatim = true, false // and then it has the wrong format
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

// timeLayouts are the forms of ISO 8601 that a time may have; a fraction of
// the second may be in any of them.
var timeLayouts = []string{
	"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
	"2006-01-02T15:04", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04Z07",
}

func isTime(text string) bool {
	if len(text) > len(time.DateOnly) && text[len(time.DateOnly)] == ' ' {
		text = strings.Replace(text, " ", "T", 1)
	}
	return slices.ContainsFunc(timeLayouts, func(layout string) bool {
		_, err := time.Parse(layout, text)
		return err == nil
	})
}

// file checks a data URI: a type, the word for the encoding, and what is
// encoded.
func (f promptField) file(text string) []execution.Problem {
	scheme, rest, _ := strings.Cut(text, ":")
	header, content, comma := strings.Cut(rest, ",")
	_, encoding, _ := strings.Cut(header, ";")
	if !strings.EqualFold(scheme, "data") {
		return problem(f.Key, "invalid", "Invalid scheme")
	}
	_, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(content, "="))
	if !comma || encoding != "base64" || err != nil {
		return problem(f.Key, "invalid", "Invalid encoding")
	}
	return nil
}

// free tells whether nobody else has a user name: else than the pending user,
// or whoever is logged in where there is none.
func (f promptField) free(ctx context.Context, in Input, value any) (any, []execution.Problem, error) {
	name, _ := value.(string)
	who, err := in.Env.FindUser(ctx, []string{"username"}, name, false)
	if err != nil {
		return nil, nil, err
	}
	own := in.Subject
	if !own.Exists() && in.State.Context[execution.KeyPendingUser] == nil {
		own = in.Visitor
	}
	if who.Exists() && who.ID != own.ID {
		return nil, problem(f.Key, "invalid", "Username is already taken."), nil
	}
	return name, nil, nil
}
