package adminapi

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// shelf is a kind with a field of each type.
type shelf struct {
	Name  string         `json:"name" catalog:"required"`
	Size  int            `json:"size"`
	Load  float64        `json:"load"`
	Open  bool           `json:"open"`
	Note  *string        `json:"note"`
	Sorts []string       `json:"sorts" catalog:"enum=red|green"`
	Flow  *string        `json:"flow" catalog:"ref=flow"`
	Owner *int           `json:"owner" catalog:"ref=user"`
	More  map[string]any `json:"more"`
}

func init() {
	catalog.Register(catalog.Kind{
		Model: "authentik_sample.shelf", Category: catalog.Setting, Name: "Shelf", New: func() any { return &shelf{} },
	})
}

const someFlow = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shelves are three things, one of which lacks most.
func shelves() []object.Thing {
	return []object.Thing{
		{ID: "1", Kind: "authentik_sample.shelf", Created: noon, Updated: noon.Add(time.Hour), Fields: map[string]any{
			"name": "beta", "size": 10.0, "load": 1.5, "open": true, "note": "x", "sorts": []any{"red"}, "flow": someFlow, "owner": 7.0,
		}},
		{ID: "2", Kind: "authentik_sample.shelf", Fields: map[string]any{
			"name": "alpha", "size": int64(9), "load": 0.5, "open": false, "note": nil, "sorts": []any{"red", "green"}, "owner": int64(8),
		}},
		{ID: "3", Kind: "authentik_sample.shelf", Fields: map[string]any{"name": "Alpha", "size": 9.0, "sorts": []any{}}},
	}
}

func TestSelect(t *testing.T) {
	k, _ := catalog.Lookup("authentik_sample.shelf")
	p := peculiarity{
		order: []string{"name"}, search: []string{"name", "note"},
		derived: map[string]func(*view, object.Thing) any{
			"key_in": primaryKey, "created": createdAt, "last_updated": updatedAt, "policy_uuid": func(*view, object.Thing) any { return someFlow },
		},
	}
	tests := map[string]string{ // to the ids, in order
		"":                     "321",
		"ordering=size":        "321",
		"ordering=-size":       "132",
		"ordering=-size,-name": "123",
		"ordering=load":        "321",
		"ordering=pk":          "123",
		"ordering=-pk":         "321",
		"ordering=password":    "321",
		"ordering=note":        "321",
		"name=alpha":           "2",
		"name=alpha&name=beta": "21",
		"name=":                "321",
		"size=9":               "32",
		"size=9.0":             "32",
		"load=1.5":             "1",
		"open=true":            "1",
		"open=False":           "32",
		"open=perhaps":         "321",
		"note__isnull=true":    "32",
		"note__isnull=false":   "1",
		"note__isnull=x":       "321",
		"sorts=red":            "21",
		"sorts=green":          "2",
		"sorts__isnull=true":   "3",
		"flow=" + someFlow:     "1",
		"flow=3F0C6E0A-7F0E-4C55-9A44-2D1F9F6B9F10":        "1",
		"created=2026-11-22T12:00:00%2B00:00":              "1",
		"created=2026-11-22T13:00:00Z":                     "",
		"last_updated=2026-11-22T14:00:00%2B01:00":         "1",
		"policy_uuid=" + someFlow:                          "321",
		"policy_uuid=00000000-0000-0000-0000-000000000000": "",
		"owner=8":             "2",
		"more=x":              "321",
		"key_in=1,3":          "31",
		"key_in=1&key_in=2":   "21",
		"search=ALPHA":        "32",
		"search=beta%20x":     "1",
		"search=beta%20alpha": "",
		"size=9&open=true":    "",
		"nonsense=1":          "321",
		"page=2&page_size=5":  "321",
	}
	v := &view{defaults: map[string]map[string]any{}}
	for text, want := range tests {
		q, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		found, err := v.selectThings(q, p, k.Fields(), shelves())
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		got := ""
		for _, thing := range found {
			got += thing.ID
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	k, _ := catalog.Lookup("authentik_sample.shelf")
	tests := map[string]catalog.Problems{
		"size=many":                    {"size": {"Enter a number."}},
		"owner=jane":                   {"owner": {"Enter a number."}},
		"flow=f":                       {"flow": {"“f” is not a valid UUID."}},
		"policy_uuid=x":                {"policy_uuid": {"“x” is not a valid UUID."}},
		"created=yesterday":            {"created": {"Enter a valid date/time."}},
		"target_in=" + someFlow + ",x": {"target_in": {"“x” is not a valid UUID."}},
		"sorts=blue":                   {"sorts": {"Select a valid choice. blue is not one of the available choices."}},
		"sorts=red&sorts=no":           {"sorts": {"Select a valid choice. no is not one of the available choices."}},
	}
	v := &view{defaults: map[string]map[string]any{}}
	for text, want := range tests {
		q, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		p := peculiarity{derived: map[string]func(*view, object.Thing) any{"created": createdAt, "policy_uuid": primaryKey, "target_in": primaryKey}}
		_, err = v.selectThings(q, p, k.Fields(), shelves())
		if diff := cmp.Diff(want.Err(), err); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// A list is not changed by whoever asks for a part of it.
func TestSelectLeavesTheListAlone(t *testing.T) {
	k, _ := catalog.Lookup("authentik_sample.shelf")
	all := shelves()
	v := &view{defaults: map[string]map[string]any{}}
	if _, err := v.selectThings(url.Values{"ordering": {"-pk"}, "size": {"9"}}, peculiarity{}, k.Fields(), all); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shelves(), all); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
}

func TestWithout(t *testing.T) {
	many := use{field: catalog.Field{Name: "f", Many: true}, thing: object.Thing{Fields: map[string]any{"f": []any{"a", "b", "a"}}}}
	if diff := cmp.Diff([]any{"b"}, many.without("a")); diff != "" {
		t.Errorf("a list (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{}, use{field: many.field, thing: object.Thing{Fields: map[string]any{"f": []any{"a"}}}}.without("a")); diff != "" {
		t.Errorf("the last one (-want +got):\n%s", diff)
	}
	one := use{field: catalog.Field{Name: "f", Nullable: true}, thing: object.Thing{Fields: map[string]any{"f": 5.0}}}
	if got := one.without(5.0); got != nil {
		t.Errorf("one: %v", got)
	}
}

func TestNumeric(t *testing.T) {
	for id, want := range map[string]int{
		"00000000-0000-0000-0000-000000000007": 7, "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10": 83805, "x": 0,
	} {
		if got := numeric(id); got != want {
			t.Errorf("%s: got %d, want %d", id, got, want)
		}
	}
}
