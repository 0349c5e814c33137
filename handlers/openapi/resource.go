package openapi

import (
	"net/http"
	"reflect"
)

// A Route is one method of one path that is served, and who may call it beside
// superusers.
type Route struct {
	Method string
	Path   string // below /api/v3/; a key in it stands in braces
	Needs  string // the permission, app.codename; empty for none that would do
	Own    bool   // whoever is logged in may, for what is their own
	Open   bool   // strangers may
	// Revised tells that what is there has a revision: readers are told it, and
	// writers may say which one they saw.
	Revised bool
}

// A resource describes what is served below a path. The operations that all
// resources have are described by what they are about; the others one by one.
type resource struct {
	path      string // below /api/v3/
	one, many string // for sentences
	key       Parameter
	name      string  // among the components
	fields    []field // of one
	filters   []Parameter
	search    bool            // the list can be searched
	ordered   bool            // the list can be ordered
	more      map[string]deed // by method and path below path
}

// A deed describes an operation of its own.
type deed struct {
	summary     string
	description string
	id          string // of the operation, where the rule gives another
	query       []Parameter
	body        any      // a shape; nil for none
	bare        bool     // the body need not be there
	answer      any      // a shape; nil for none
	page        bool     // the answer is a page of a list of the shape
	media       []string // of the answer; JSON unless given
	status      int      // 200, or 204 without an answer
}

// key makes the parameter that addresses one of a resource.
func key(name string, example any) Parameter {
	s := &shapes{}
	return Parameter{Name: name, In: "path", Required: true, Schema: s.of(reflect.TypeOf(example))}
}

// by makes a filter of a list. Several values of a list are alternatives.
func by(name string, example any, says string) Parameter {
	s := &shapes{}
	return parameter(name, s.of(reflect.TypeOf(example)), says)
}

// parameter makes a parameter of a query.
func parameter(name string, schema *Schema, says string) Parameter {
	p := Parameter{Name: name, In: "query", Description: says, Schema: schema}
	if schema.Type == "array" {
		explode := true
		p.Style, p.Explode = "form", &explode
	}
	return p
}

// paging are the parameters that all lists have.
var paging = []Parameter{
	by("page", 0, "Number of the page, from 1."),
	by("page_size", 0, "How many are on a page; 20 unless given, 100 at most."),
}

// usedBy is what refers to something, on the wire.
type usedBy struct {
	App       string `json:"app"`
	ModelName string `json:"model_name"`
	PK        string `json:"pk"`
	Name      string `json:"name"`
	Action    string `json:"action" api:"enum=cascade|cascade_many|set_null|set_default|left_dangling"`
}

// standard describes the operations that all resources have, by method and
// path below the resource's.
func (r resource) standard(method, below string) (deed, bool) {
	switch method + " " + below {
	case "GET ":
		return deed{summary: "List " + r.many + ", page by page", query: r.listed(), answer: r.fields, page: true}, true
	case "POST ":
		return deed{summary: "Create " + article(r.one), body: r.fields, answer: r.fields, status: http.StatusCreated}, true
	case "GET {}/":
		return deed{summary: "Read " + article(r.one), answer: r.fields}, true
	case "PUT {}/":
		return deed{summary: "Replace what is said of " + article(r.one), description: "Fields that are not named stay as they are.",
			body: r.fields, answer: r.fields}, true
	case "PATCH {}/":
		return deed{summary: "Change fields of " + article(r.one), body: r.fields, bare: true, answer: r.fields}, true
	case "DELETE {}/":
		return deed{summary: "Delete " + article(r.one)}, true
	case "GET {}/used_by/":
		return deed{summary: "List what refers to " + article(r.one), description: "Each entry says what becomes of it when this is deleted.",
			answer: []usedBy{}}, true
	}
	return deed{}, false
}

// listed are the parameters of the list.
func (r resource) listed() []Parameter {
	out := append([]Parameter{}, r.filters...)
	if r.ordered {
		out = append(out, by("ordering", "", "Fields to order by, with commas between; - in front of one for descending."))
	}
	if r.search {
		out = append(out, by("search", "", "Words that all must occur."))
	}
	return append(out, paging...)
}

// article puts a or an before a word.
func article(word string) string {
	switch word[0] {
	case 'a', 'e', 'i', 'o': // no name here begins with a u that asks for an
		return "an " + word
	}
	return "a " + word
}
