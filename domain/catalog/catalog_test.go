package catalog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/catalog"
)

type sample struct {
	Name     string         `json:"name" catalog:"required,max=5"`
	Slug     string         `json:"slug" catalog:"slug,blank"`
	Text     string         `json:"text" catalog:"blank,verbatim"`
	On       bool           `json:"on"`
	Count    int            `json:"count" catalog:"min=1,max=9"`
	Weight   float64        `json:"weight"`
	Lasts    string         `json:"lasts" catalog:"duration"`
	Until    string         `json:"until" catalog:"time"`
	Mode     string         `json:"mode" catalog:"enum=one|2"`
	Settings map[string]any `json:"settings"`
	Flow     *string        `json:"flow" catalog:"ref=flow"`
	Users    []int          `json:"users" catalog:"ref=user"`
	Modes    []string       `json:"modes" catalog:"enum=one|2"`
	Key      *string        `json:"key" catalog:"secret"`
}

func init() {
	catalog.Register(catalog.Kind{
		Model: "authentik_sample.sample", Category: catalog.Setting, Name: "Sample",
		New: func() any { return &sample{Count: 3, Settings: map[string]any{}} },
	})
}

func kind(t *testing.T) catalog.Kind {
	t.Helper()
	k, ok := catalog.Lookup("authentik_sample.SAMPLE")
	if !ok {
		t.Fatal("the sample kind is not there")
	}
	return k
}

func TestCleanCoerces(t *testing.T) {
	const id = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"
	tests := map[string]struct {
		field    string
		in, want any
	}{
		"text is trimmed":             {"name", "  a ", "a"},
		"verbatim text is not":        {"text", " a\n", " a\n"},
		"a number as text":            {"name", 30, "30"},
		"a choice from a number":      {"mode", 2, "2"},
		"a boolean from a word":       {"on", "Yes", true},
		"a boolean from a number":     {"on", 0, false},
		"an integer from text":        {"count", " 7 ", int64(7)},
		"an integer from a float":     {"count", 7.0, int64(7)},
		"a float from an integer":     {"weight", 2, 2.0},
		"a duration":                  {"lasts", "hours=1;minutes=30", "hours=1;minutes=30"},
		"a time from a time":          {"until", time.Date(2028, 12, 31, 0, 0, 0, 0, time.UTC), "2028-12-31T00:00:00Z"},
		"a time from a date":          {"until", "2028-12-31", "2028-12-31T00:00:00Z"},
		"a reference in capitals":     {"flow", "3F0C6E0A-7F0E-4C55-9A44-2D1F9F6B9F10", id},
		"a reference from a mapping":  {"flow", map[string]any{"pk": id}, id},
		"a reference to nothing":      {"flow", nil, nil},
		"references to users":         {"users", []any{"5", 6.0}, []any{int64(5), int64(6)}},
		"a list of choices":           {"modes", []any{"one", 2}, []any{"one", "2"}},
		"a secret that is taken back": {"key", nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, problems := kind(t).Clean(map[string]any{tt.field: tt.in, "unknown": 1}, true)
			if problems != nil {
				t.Fatalf("problems: %v", problems)
			}
			if diff := cmp.Diff(map[string]any{tt.field: tt.want}, got); diff != "" {
				t.Errorf("cleaned (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCleanRefuses(t *testing.T) {
	tests := map[string]struct {
		field string
		in    any
		want  string
	}{
		"null":                   {"name", nil, "This field may not be null."},
		"blank":                  {"name", " ", "This field may not be blank."},
		"too long":               {"name", "abcdef", "Ensure this field has no more than 5 characters."},
		"a boolean as text":      {"name", true, "Not a valid string."},
		"a list as text":         {"name", []any{}, "Not a valid string."},
		"a time as text":         {"name", time.Time{}, "Not a valid string."},
		"a slug with a space":    {"slug", "a b", "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."},
		"a word as a boolean":    {"on", "maybe", "Must be a valid boolean."},
		"text as an integer":     {"count", "x", "A valid integer is required."},
		"a boolean as integer":   {"count", true, "A valid integer is required."},
		"a fraction as integer":  {"count", 1.5, "A valid integer is required."},
		"too small":              {"count", 0, "Ensure this value is greater than or equal to 1."},
		"too large":              {"count", 10, "Ensure this value is less than or equal to 9."},
		"a duration of nothing":  {"lasts", "soon", "soon is not in the correct format of 'hours=3;minutes=1'."},
		"no choice":              {"mode", "three", `"three" is not a valid choice.`},
		"no mapping":             {"settings", []any{}, "Value must be valid JSON."},
		"no reference":           {"flow", "x", "“x” is not a valid UUID."},
		"no user":                {"users", []any{"x"}, "Incorrect type. Expected pk value, received str."},
		"no list":                {"users", 5, `Expected a list of items but got type "int".`},
		"null in a list":         {"users", []any{5, nil}, "This field may not be null."},
		"no choice in a list":    {"modes", []any{"one", "x"}, `"x" is not a valid choice.`},
		"no time":                {"until", "soon", "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."},
		"no number":              {"weight", "x", "A valid number is required."},
		"a reference as boolean": {"flow", true, "“true” is not a valid UUID."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := kind(t).Clean(map[string]any{tt.field: tt.in}, true)
			if diff := cmp.Diff(catalog.Problems{tt.field: {tt.want}}, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCleanDemandsWhatIsRequired(t *testing.T) {
	_, problems := kind(t).Clean(nil, false)
	if diff := cmp.Diff(catalog.Problems{"name": {"This field is required."}}, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if _, problems := kind(t).Clean(nil, true); problems != nil {
		t.Errorf("problems of a partial input: %v", problems)
	}
}

func TestDefaults(t *testing.T) {
	got := kind(t).Defaults()
	for name, want := range map[string]any{"count": 3.0, "users": []any{}, "flow": nil, "settings": map[string]any{}} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("default of %s (-want +got):\n%s", name, diff)
		}
	}
}
