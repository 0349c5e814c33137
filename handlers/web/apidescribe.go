package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/handlers/openapi"
)

// A describedField is a field or a parameter in words.
type describedField struct {
	Name     string
	Type     string
	Shape    string // name of the schema that the page shows further down; empty for none
	Required bool
	Notes    []string
}

// A describedAnswer is what is answered with a status.
type describedAnswer struct {
	Status string
	Says   string
	Media  string
	Type   string
	Shape  string
	Fields []describedField

	Headers []describedField
}

// A describedShape is a schema that others refer to.
type describedShape struct {
	Name   string
	Choice []string // schemas of which it is one
	Fields []describedField
}

// maxShapes bounds how many schemas a page shows.
const maxShapes = 40

// A describer reads a document aloud.
type describer struct {
	d     *openapi.Document
	seen  map[string]bool
	queue []string // schemas to show
}

// describe fills what the page says about an operation.
func describe(v *operationView, d *openapi.Document, op *openapi.Operation, base string) {
	by := &describer{d: d, seen: map[string]bool{}}
	v.Description = strings.Split(op.Description, "\n\n")
	for _, p := range op.Parameters {
		f := by.field(p.Name, p.Schema, p.Required)
		f.Notes = append([]string{map[string]string{"path": "in the path", "query": "in the query", "header": "header"}[p.In]}, f.Notes...)
		if p.Description != "" {
			f.Notes = append(f.Notes, p.Description)
		}
		v.Parameters = append(v.Parameters, f)
	}
	var body *openapi.Schema
	if op.Body != nil {
		for media, content := range op.Body.Content {
			body, v.BodyMedia = content.Schema, media
			v.Body = by.fields(content.Schema)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		v.Answers = append(v.Answers, by.answer(status, op.Responses[status]))
	}
	v.Shapes = by.shapes()
	v.Curl = by.curl(v.operationRow, v.BodyMedia, body, base)
}

// answer describes what is answered with a status.
func (by *describer) answer(status string, r openapi.Response) describedAnswer {
	if name := lastPart(r.Ref); name != "" {
		r = by.d.Components.Responses[name]
	}
	if status == "default" {
		status = "other"
	}
	out := describedAnswer{Status: status, Says: r.Description}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		out.Headers = append(out.Headers, describedField{Name: name, Notes: []string{r.Headers[name].Description}})
	}
	for _, media := range slices.Sorted(maps.Keys(r.Content)) {
		out.Media = media
		f := by.field("", r.Content[media].Schema, true)
		out.Type, out.Shape = f.Type, f.Shape
		if fields := by.fields(r.Content[media].Schema); status[0] == '2' && len(fields) > 0 {
			out.Fields, out.Shape = answered(fields), ""
		}
	}
	return out
}

// answered says of fields of an answer which may be missing, for most never are.
func answered(fields []describedField) []describedField {
	for i, f := range fields {
		if !f.Required {
			fields[i].Notes = append(f.Notes, "may be missing")
		}
		fields[i].Required = false
	}
	slices.SortFunc(fields, func(a, b describedField) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// fields describes the properties of an object, those that must be there
// first.
func (by *describer) fields(s *openapi.Schema) (out []describedField) {
	s = by.resolve(s)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		out = append(out, by.field(name, s.Properties[name], slices.Contains(s.Required, name)))
	}
	slices.SortStableFunc(out, func(a, b describedField) int {
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		}
		return 1
	})
	return out
}

// resolve follows a reference.
func (by *describer) resolve(s *openapi.Schema) *openapi.Schema {
	if s.Ref != "" {
		return by.d.Components.Schemas[lastPart(s.Ref)]
	}
	return s
}

// field describes one value.
func (by *describer) field(name string, s *openapi.Schema, required bool) describedField {
	f := describedField{Name: name, Required: required}
	null := s.Nullable
	if len(s.AllOf) == 1 {
		s = s.AllOf[0]
	}
	f.Type, f.Shape = by.typeOf(s)
	if null {
		f.Notes = append(f.Notes, "may be null")
	}
	if s.ReadOnly {
		f.Notes = append(f.Notes, "read only")
	}
	if s.WriteOnly {
		f.Notes = append(f.Notes, "write only: it is never shown")
	}
	choices := s.Enum
	if s.Items != nil {
		choices = s.Items.Enum
	}
	if len(choices) > 0 && len(choices) <= 24 {
		f.Notes = append(f.Notes, "one of "+strings.ReplaceAll(strings.Join(choices, ", "), ", ,", ", "))
	}
	for _, bound := range []struct {
		words string
		at    *int
	}{{"at least %d", s.Minimum}, {"at most %d", s.Maximum}, {"at least %d characters", s.MinLength}, {"at most %d characters", s.MaxLength}} {
		if bound.at != nil {
			f.Notes = append(f.Notes, fmt.Sprintf(bound.words, *bound.at))
		}
	}
	if s.Description != "" {
		f.Notes = append(f.Notes, s.Description)
	}
	return f
}

// typeOf names the type of a value, and the schema to look up for it.
func (by *describer) typeOf(s *openapi.Schema) (text, shape string) {
	switch {
	case s.Ref != "":
		name := lastPart(s.Ref)
		if !by.seen[name] {
			by.seen[name] = true
			by.queue = append(by.queue, name)
		}
		return name, name
	case s.Type == "array":
		text, shape = by.typeOf(s.Items)
		return "list of " + text, shape
	case s.Type == "" && len(s.Properties) == 0:
		return "any", ""
	case s.Format != "":
		return s.Format, ""
	}
	return map[string]string{"string": "text", "boolean": "true or false"}[s.Type] + map[string]string{
		"integer": "integer", "number": "number", "object": "object",
	}[s.Type], ""
}

// shapes describes the schemas that were mentioned, and those that they
// mention.
func (by *describer) shapes() (out []describedShape) {
	for i := 0; i < len(by.queue) && i < maxShapes; i++ {
		name := by.queue[i]
		s := by.d.Components.Schemas[name]
		shape := describedShape{Name: name, Fields: by.fields(s)}
		for _, choice := range s.OneOf {
			text, _ := by.typeOf(choice)
			shape.Choice = append(shape.Choice, text)
		}
		out = append(out, shape)
	}
	return out
}

// lastPart is the name that a reference ends with.
func lastPart(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// curl is a command that calls the operation.
func (by *describer) curl(o operationRow, media string, body *openapi.Schema, base string) string {
	lines := []string{"curl"}
	if o.Method != "GET" {
		lines[0] += " -X " + o.Method
	}
	if o.Access != "anybody" {
		lines = append(lines, "-H 'Authorization: Bearer TOKEN'")
	}
	switch {
	case media == "multipart/form-data":
		lines = append(lines, "-F 'file=@FILE'")
	case body != nil:
		text, err := json.Marshal(by.example(body))
		if err != nil {
			panic(err) // it is made of plain values
		}
		lines = append(lines, "-H 'Content-Type: application/json'", "-d '"+string(text)+"'")
	}
	address := strings.NewReplacer("{", "", "}", "").Replace(upper(o.Path))
	return strings.Join(append(lines, "'"+strings.TrimSuffix(base, "/")+"/api/v3"+address+"'"), " \\\n  ")
}

// upper writes the parameters of a path in capitals, as TOKEN is.
func upper(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = strings.ToUpper(part)
		}
	}
	return strings.Join(parts, "/")
}

// example has what a body must have, or else one thing that it may have.
func (by *describer) example(s *openapi.Schema) map[string]any {
	s = by.resolve(s)
	out := map[string]any{}
	names := s.Required
	if all := slices.Sorted(maps.Keys(s.Properties)); len(names) == 0 && len(all) > 0 {
		names = []string{all[0]}
		if slices.Contains(all, "name") {
			names = []string{"name"}
		}
	}
	for _, name := range names {
		out[name] = exampleOf(name, s.Properties[name])
	}
	return out
}

// exampleOf is a value of a type.
func exampleOf(name string, s *openapi.Schema) any {
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	switch {
	case s.Type == "boolean":
		return true
	case s.Type == "integer" || s.Type == "number":
		return 1
	case s.Type == "array":
		return []any{}
	case s.Type == "object":
		return map[string]any{}
	case s.Format == "uuid":
		return "UUID"
	}
	return strings.ToUpper(name)
}
