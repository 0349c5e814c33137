package openapi

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Build describes the routes. It also lists what is wrong with that: routes
// that nobody described, which the document has without details, and
// descriptions of what is not served, which it lacks.
func Build(routes []Route, version string) (*Document, []string) {
	b := &builder{
		shapes: &shapes{named: map[string]*Schema{}}, done: map[string]bool{},
		out: &Document{
			OpenAPI: "3.0.3", Servers: []Address{{URL: "/api/v3"}}, Paths: map[string]Path{},
			Info: Info{Title: "flowledger", Version: version, Description: about},
		},
	}
	b.resources = resources(b.shapes)
	// The longest path describes best.
	slices.SortStableFunc(b.resources, func(a, c resource) int { return cmp.Compare(len(c.path), len(a.path)) })
	for _, r := range routes {
		b.route(r)
	}
	for _, r := range b.resources {
		for name := range r.more {
			if !b.done[r.path+" "+name] {
				b.problems = append(b.problems, fmt.Sprintf("%s %s is described and not served", r.path, name))
			}
		}
	}
	b.out.Components = Components{Schemas: b.shapes.named, Responses: failures(b.shapes), Security: schemes}
	b.tags()
	slices.Sort(b.problems)
	return b.out, b.problems
}

// about introduces the document.
const about = "The API of flowledger, as this server serves it. It keeps to the paths, names and shapes of authentik's " +
	"API for what it serves, so that clients made for that one work."

// A builder puts a document together.
type builder struct {
	shapes    *shapes
	resources []resource
	done      map[string]bool // descriptions that were used
	out       *Document
	problems  []string
}

var braces = regexp.MustCompile(`\{[^}]*\}`)

// route adds an operation.
func (b *builder) route(r Route) {
	plain := braces.ReplaceAllString(r.Path, "{}")
	of, d, ok := b.describe(r.Method, plain)
	if !ok {
		b.problems = append(b.problems, r.Method+" "+r.Path+" is served and not described")
		of, d = resource{key: key("key", "")}, deed{summary: r.Method + " " + r.Path, answer: map[string]any{}}
	}
	path := "/" + strings.ReplaceAll(plain, "{}", "{"+of.key.Name+"}")
	op := &Operation{
		ID: cmp.Or(d.id, b.id(r.Method, plain, d)), Summary: d.summary, Tags: []string{strings.Split(r.Path, "/")[0]},
		Description: strings.TrimSpace(d.description + "\n\n" + sentence(r)), Permission: r.Needs, Access: accessOf(r),
		Security: []map[string][]string{{"authentik": {}}, {"session": {}}},
	}
	if r.Open {
		op.Security = append(op.Security, map[string][]string{})
	}
	if strings.Contains(plain, "{}") {
		op.Parameters = append(op.Parameters, of.key)
	}
	op.Parameters = append(op.Parameters, d.query...)
	b.body(op, of, d, r.Method)
	b.answers(op, of, d, r)
	if b.out.Paths[path] == nil {
		b.out.Paths[path] = Path{}
	}
	b.out.Paths[path][strings.ToLower(r.Method)] = op
}

// describe finds what is said about a route.
func (b *builder) describe(method, plain string) (resource, deed, bool) {
	for _, r := range b.resources {
		below, ok := strings.CutPrefix(plain, r.path)
		if !ok {
			continue
		}
		if d, ok := r.more[method+" "+below]; ok {
			b.done[r.path+" "+method+" "+below] = true
			return r, d, true
		}
		if d, ok := r.standard(method, below); ok && r.one != "" {
			return r, d, true
		}
	}
	return resource{}, deed{}, false
}

// id is what the contract calls an operation: the words of its path, and what
// the method does.
func (b *builder) id(method, plain string, d deed) string {
	words := slices.DeleteFunc(strings.Split(plain, "/"), func(word string) bool { return word == "" || word == "{}" })
	verb := map[string]string{
		http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "partial_update", http.MethodDelete: "destroy",
		http.MethodGet: "retrieve",
	}[method]
	many := d.answer != nil && reflect.TypeOf(d.answer).Kind() == reflect.Slice && reflect.TypeOf(d.answer) != reflect.TypeFor[[]field]()
	if method == http.MethodGet && (d.page || many) {
		verb = "list"
	}
	return strings.Join(append(words, verb), "_")
}

// body adds what the operation takes.
func (b *builder) body(op *Operation, of resource, d deed, method string) {
	if d.body == nil {
		return
	}
	media := "application/json"
	if s, is := d.body.(*Schema); is {
		op.Body = &Body{Required: true, Content: map[string]Media{media: {Schema: s}}}
		return
	}
	name, fields := of.name+"Request", of.fields
	if t := reflect.TypeOf(d.body); t != reflect.TypeFor[[]field]() {
		name, fields = title(t)+"Request", b.shapes.fields(t)
	}
	if method == http.MethodPatch {
		name = "Patched" + name
	}
	schema := ref(name)
	if b.shapes.named[name] == nil {
		b.shapes.named[name] = asked(fields, method == http.MethodPatch)
	}
	if slices.ContainsFunc(fields, func(f field) bool { return f.schema.Format == "binary" }) {
		media = "multipart/form-data"
	}
	op.Body = &Body{Required: !d.bare, Content: map[string]Media{media: {Schema: schema}}}
}

// answers adds what the operation answers.
func (b *builder) answers(op *Operation, of resource, d deed, r Route) {
	op.Responses = map[string]Response{"default": {Ref: "#/components/responses/GenericErrorResponse"}}
	status := cmp.Or(d.status, http.StatusOK)
	if d.answer == nil {
		status = cmp.Or(d.status, http.StatusNoContent)
		op.Responses[strconv.Itoa(status)] = Response{Description: "Done; there is nothing to show."}
	} else {
		content, kinds := map[string]Media{}, d.media
		if kinds == nil {
			kinds = []string{"application/json"}
		}
		for _, kind := range kinds {
			content[kind] = Media{Schema: b.answer(of, d)}
		}
		op.Responses[strconv.Itoa(status)] = Response{Description: "What was asked for.", Content: content}
	}
	if len(op.Parameters) > 0 || op.Body != nil {
		op.Responses["400"] = Response{Ref: "#/components/responses/ValidationErrorResponse"}
	}
	if !r.Open {
		op.Responses["403"] = Response{Ref: "#/components/responses/GenericErrorResponse"}
	}
	if strings.Contains(r.Path, "{") || d.page {
		op.Responses["404"] = Response{Ref: "#/components/responses/GenericErrorResponse"}
	}
	if r.Revised {
		b.guard(op, r)
	}
}

// answer is the schema of what an operation shows.
func (b *builder) answer(of resource, d deed) *Schema {
	one, name := (*Schema)(nil), of.name
	if s, is := d.answer.(*Schema); is {
		return s
	}
	if t := reflect.TypeOf(d.answer); t == reflect.TypeFor[[]field]() {
		if b.shapes.named[name] == nil {
			b.shapes.named[name] = shown(of.fields)
		}
		one = ref(name)
	} else {
		one = b.shapes.of(t)
		name = strings.TrimPrefix(one.Ref, "#/components/schemas/")
	}
	if !d.page {
		return one
	}
	page := "Paginated" + name + "List"
	if b.shapes.named[page] == nil {
		b.shapes.named[page] = &Schema{
			Type: "object", Required: []string{"autocomplete", "pagination", "results"},
			Properties: map[string]*Schema{
				"pagination": b.shapes.of(reflect.TypeFor[pagination]()), "results": list(one), "autocomplete": b.shapes.example(autocomplete{}),
			},
		}
	}
	return ref(page)
}

// pagination tells a client where in a list it is, and where it can go.
type pagination struct {
	Next       int `json:"next"`
	Previous   int `json:"previous"`
	Count      int `json:"count"`
	Current    int `json:"current"`
	TotalPages int `json:"total_pages"`
	StartIndex int `json:"start_index"`
	EndIndex   int `json:"end_index"`
}

// autocomplete is always empty: the contract's search language is not spoken.
type autocomplete struct{}

// tags lists the groups of operations.
func (b *builder) tags() {
	names := map[string]bool{}
	for _, path := range b.out.Paths {
		for _, op := range path {
			names[op.Tags[0]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b.out.Tags = append(b.out.Tags, Tag{Name: name, Description: tags[name]})
	}
}

// tags say what the groups of operations are about.
var tags = map[string]string{
	"core":     "Users, groups, tokens, sessions, brands",
	"events":   "What happened, and who is told of it",
	"flows":    "Flows, the stages in them, and going through them",
	"ledger":   "The ledger itself",
	"managed":  "Blueprints",
	"policies": "Policies, what they guard, and reputation",
	"rbac":     "Roles and permissions",
	"reports":  "Files of exported events",
	"root":     "What clients ask first",
	"schema":   "This document",
	"stages":   "Stages of all kinds, invitations and prompts",
}
