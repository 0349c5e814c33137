package catalog

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
)

// Problems are the faults of an input: field to sentences. Faults of the whole
// stand under non_field_errors.
type Problems map[string][]string

// NonField is the key of faults that belong to no single field.
const NonField = "non_field_errors"

// Add notes a fault.
func (p *Problems) Add(field, format string, args ...any) {
	if *p == nil {
		*p = Problems{}
	}
	(*p)[field] = append((*p)[field], fmt.Sprintf(format, args...))
}

// Err returns p as an error that a client may read, or nil.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return &domain.Error{Code: domain.Invalid, Message: "The input is not valid.", Fields: p}
}

// A Validator is a configuration with rules that concern several fields. It
// is asked with everything set.
type Validator interface {
	Validate() Problems
}

// A NewValidator is a configuration with rules about what has to be said when
// a thing of its kind is made, whatever the defaults are.
type NewValidator interface {
	ValidateNew(given map[string]any) Problems
}

// Clean coerces and checks input for a thing of this kind, by the rules of
// spec/blueprints.md 3.6. It ignores names that the kind does not know, and
// returns JSON values: text, bool, int64, float64, map, list, nil. Unless
// partial, required fields must be there. References are checked for their
// form only: whether they lead somewhere is for whoever knows what exists.
func (k Kind) Clean(input map[string]any, partial bool) (map[string]any, Problems) {
	out := map[string]any{}
	var problems Problems
	for _, f := range k.fields {
		v, given := input[f.Name]
		if !given {
			if f.Required && !partial {
				problems.Add(f.Name, "This field is required.")
			}
			continue
		}
		cleaned, fault := f.Clean(v)
		if fault != "" {
			problems.Add(f.Name, "%s", fault)
			continue
		}
		out[f.Name] = cleaned
	}
	return out, problems
}

// Load makes a configuration of stored fields: the kind's defaults, with the
// fields set over them. Names that the kind does not know are ignored.
func (k Kind) Load(fields map[string]any) (any, error) {
	config := k.New()
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", k.Model, err)
	}
	if err := json.Unmarshal(text, config); err != nil {
		return nil, fmt.Errorf("load %s: %w", k.Model, err)
	}
	return config, nil
}

// Validate loads fields and asks the configuration's own rules.
func (k Kind) Validate(fields map[string]any) Problems {
	config, err := k.Load(fields)
	if err != nil {
		return Problems{NonField: {err.Error()}}
	}
	if v, ok := config.(Validator); ok {
		return v.Validate()
	}
	return nil
}

// ValidateNew asks the configuration's own rules about what has to be said of
// a new thing. Given are the cleaned fields that the client gives.
func (k Kind) ValidateNew(given map[string]any) Problems {
	if v, ok := k.New().(NewValidator); ok {
		return v.ValidateNew(given)
	}
	return nil
}

// Defaults returns the fields of a new thing as JSON values. Fields without a
// default of their own have the zero value of their type.
func (k Kind) Defaults() map[string]any {
	text, err := json.Marshal(k.New())
	if err != nil {
		panic("catalog: " + k.Model + ": " + err.Error())
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		panic("catalog: " + k.Model + ": " + err.Error())
	}
	out := map[string]any{}
	for _, f := range k.fields {
		if v := all[f.Name]; v != nil || !f.Many {
			out[f.Name] = v
		} else {
			out[f.Name] = []any{}
		}
	}
	return out
}

// Clean coerces one value of the field by the rules of [Kind.Clean], or says
// what is wrong with it.
func (f Field) Clean(v any) (any, string) {
	if v == nil {
		if f.Nullable {
			return nil, ""
		}
		return nil, "This field may not be null."
	}
	if !f.Many {
		return f.one(v)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Sprintf("Expected a list of items but got type %q.", typeName(v))
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		if item == nil {
			return nil, "This field may not be null."
		}
		cleaned, fault := f.one(item)
		if fault != "" {
			return nil, fault
		}
		out = append(out, cleaned)
	}
	return out, ""
}

func (f Field) one(v any) (any, string) {
	switch f.Type {
	case Bool:
		return cleanBool(v)
	case Int:
		return f.cleanInt(v)
	case Float:
		if n, ok := number(v); ok {
			return n, ""
		}
		return nil, "A valid number is required."
	case Map:
		if m, ok := v.(map[string]any); ok {
			return m, ""
		}
		return nil, "Value must be valid JSON."
	case Reference:
		return f.cleanReference(v)
	case Time:
		return cleanTime(v)
	default:
		return f.cleanText(v)
	}
}

func cleanBool(v any) (any, string) {
	switch v := v.(type) {
	case bool:
		return v, ""
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "t", "yes", "y", "on", "1":
			return true, ""
		case "false", "f", "no", "n", "off", "0":
			return false, ""
		}
	default:
		if n, ok := number(v); ok && (n == 0 || n == 1) {
			return n == 1, ""
		}
	}
	return nil, "Must be a valid boolean."
}

func (f Field) cleanInt(v any) (any, string) {
	n, ok := number(v)
	if text, isText := v.(string); isText {
		parsed, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		n, ok = float64(parsed), err == nil
	}
	if !ok || n != math.Trunc(n) || math.Abs(n) > 1<<53 {
		return nil, "A valid integer is required."
	}
	if f.Min != nil && n < float64(*f.Min) {
		return nil, fmt.Sprintf("Ensure this value is greater than or equal to %d.", *f.Min)
	}
	if f.Max != nil && n > float64(*f.Max) {
		return nil, fmt.Sprintf("Ensure this value is less than or equal to %d.", *f.Max)
	}
	return int64(n), ""
}

func (f Field) cleanReference(v any) (any, string) {
	if m, ok := v.(map[string]any); ok && m["pk"] != nil {
		v = m["pk"]
	}
	if f.Ref == string(User) {
		id, fault := Field{Type: Int}.cleanInt(v)
		if fault != "" {
			return nil, fmt.Sprintf("Incorrect type. Expected pk value, received %s.", typeName(v))
		}
		return id, ""
	}
	id, err := uuid.Parse(fmt.Sprint(v))
	if err != nil {
		return nil, fmt.Sprintf("“%v” is not a valid UUID.", v)
	}
	return id.String(), ""
}

func cleanTime(v any) (any, string) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), ""
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
			if t, err := time.Parse(layout, strings.TrimSpace(v)); err == nil {
				return t.UTC().Format(time.RFC3339Nano), ""
			}
		}
	}
	return nil, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
}

// slugRule is the contract's: letters, digits, dash and underscore.
func slugRule(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !(r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
}

func (f Field) cleanText(v any) (any, string) {
	text, ok := v.(string)
	if n, isNumber := number(v); isNumber {
		text, ok = strconv.FormatFloat(n, 'f', -1, 64), true
	}
	if !ok {
		return nil, "Not a valid string."
	}
	if !f.Verbatim {
		text = strings.TrimSpace(text)
	}
	switch {
	case text == "" && !f.Blank:
		return nil, "This field may not be blank."
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, text) && !(text == "" && f.Blank):
		return nil, fmt.Sprintf("%q is not a valid choice.", text)
	case f.Max != nil && len([]rune(text)) > *f.Max:
		return nil, fmt.Sprintf("Ensure this field has no more than %d characters.", *f.Max)
	case f.Slug && !slugRule(text):
		return nil, "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."
	case f.Type == Duration && text != "":
		if _, err := ParseDuration(text); err != nil {
			return nil, err.Error()
		}
	}
	return text, ""
}

// number reads any of Go's numbers, but no boolean.
func number(v any) (float64, bool) {
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		return f, err == nil
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.CanInt():
		return float64(rv.Int()), true
	case rv.CanUint():
		return float64(rv.Uint()), true
	case rv.CanFloat():
		return rv.Float(), true
	}
	return 0, false
}

// typeName names the type of a JSON value as the contract's texts do.
func typeName(v any) string {
	switch v.(type) {
	case string:
		return "str"
	case bool:
		return "bool"
	case map[string]any:
		return "dict"
	case []any:
		return "list"
	}
	if n, ok := number(v); ok && n == math.Trunc(n) {
		return "int"
	}
	return "float"
}
