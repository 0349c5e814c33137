package openapi

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sampleInner struct {
	Name string `json:"name"`
}

type sampleShape struct {
	sampleInner
	PK     uuid           `json:"pk" api:"read"`
	Word   string         `json:"word" api:"required,min=1,max=9"`
	Mode   string         `json:"mode" api:"enum=a|b"`
	Count  int            `json:"count" api:"min=2,max=8"`
	Secret string         `json:"secret" api:"write"`
	When   *time.Time     `json:"when"`
	Some   []sampleInner  `json:"some"`
	Maybe  *sampleInner   `json:"maybe,omitempty"`
	Null   *sampleInner   `json:"null"`
	Other  any            `json:"other" api:"ref=Elsewhere"`
	Others []any          `json:"others" api:"ref=Elsewhere"`
	Any    map[string]any `json:"any"`
	hidden string
}

func TestShapes(t *testing.T) {
	s := &shapes{named: map[string]*Schema{}}
	if got := s.example(sampleShape{hidden: ""}); got.Ref != "#/components/schemas/SampleShape" {
		t.Errorf("refers to %q", got.Ref)
	}
	one, two, eight, nine := 1, 2, 8, 9
	inner := ref("SampleInner")
	common := map[string]*Schema{
		"name": {Type: "string"}, "word": {Type: "string", MinLength: &one, MaxLength: &nine}, "mode": {Type: "string", Enum: []string{"a", "b"}},
		"count": {Type: "integer", Minimum: &two, Maximum: &eight}, "when": {Type: "string", Format: "date-time", Nullable: true},
		"some": list(inner), "maybe": inner, "null": {AllOf: []*Schema{inner}, Nullable: true}, "other": ref("Elsewhere"),
		"others": list(ref("Elsewhere")), "any": {Type: "object", Additional: &Schema{Nullable: true}},
	}
	with := func(name string, schema *Schema) map[string]*Schema {
		out := map[string]*Schema{name: schema}
		for other, of := range common {
			out[other] = of
		}
		return out
	}
	want := &Schema{
		Type: "object", Properties: with("pk", &Schema{Type: "string", Format: "uuid", ReadOnly: true}),
		Required: []string{"any", "count", "mode", "name", "null", "other", "others", "pk", "some", "when", "word"},
	}
	if diff := cmp.Diff(want, s.named["SampleShape"]); diff != "" {
		t.Errorf("in answers (-want +got):\n%s", diff)
	}
	want = &Schema{Type: "object", Properties: with("secret", &Schema{Type: "string", WriteOnly: true}), Required: []string{"word"}}
	if diff := cmp.Diff(want, asked(s.fields(reflect.TypeFor[sampleShape]()), false)); diff != "" {
		t.Errorf("in requests (-want +got):\n%s", diff)
	}
	if got := asked(s.fields(reflect.TypeFor[sampleShape]()), true).Required; len(got) > 0 {
		t.Errorf("a partial request needs %q", got)
	}
}

// What nobody described, and what nobody serves, is told.
func TestProblems(t *testing.T) {
	d, problems := Build([]Route{Itself, {Method: "GET", Path: "no/such/{key}/"}}, "1")
	found := strings.Join(problems, "\n")
	for _, want := range []string{"GET no/such/{key}/ is served and not described", "core/users/ GET me/ is described and not served"} {
		if !strings.Contains(found, want) {
			t.Errorf("the problems do not tell that %s:\n%s", want, found)
		}
	}
	if d.Paths["/no/such/{key}/"]["get"] == nil || d.Paths["/core/users/me/"] != nil {
		t.Error("the document has something else than what is served")
	}
}

func TestAccess(t *testing.T) {
	tests := map[string]Route{
		"anybody: Anybody may call this.":                {Open: true},
		"members: Whoever is logged in may call this.":   {Own: true},
		"permission: One needs the permission a.view_b.": {Needs: "a.view_b"},
		"superusers: Superusers only.":                   {},
		"own: Whoever is logged in may call this for what is their own; for all of it one needs a.view_b.": {Own: true, Needs: "a.view_b"},
	}
	for want, r := range tests {
		if got := accessOf(r) + ": " + sentence(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]string{
		"": "application/json", "*/*": "application/json", "text/html": "application/json", "Application/YAML": "application/yaml",
		"text/html, application/vnd.oai.openapi;q=0.5, application/json": "application/vnd.oai.openapi",
	} {
		if got := accepted(header); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}

// The members of a resource's operations are made of its name.
func TestSentences(t *testing.T) {
	for name, want := range map[string]string{
		"Dummy Stage": "dummy stage", "GeoIP Policy": "GeoIP policy", "Flow": "flow",
	} {
		if got := sentenceCase(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if article("event") != "an event" || article("user write stage") != "a user write stage" || article("GeoIP policy") != "a GeoIP policy" {
		t.Error("articles:", article("event"), article("user write stage"), article("GeoIP policy"))
	}
}
