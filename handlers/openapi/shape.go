package openapi

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A uuid is a text that is an identifier, in a shape.
type uuid string

// An email is a text that is an address of mail, in a shape.
type email string

// A file is an upload, in a shape.
type file string

// formats are the texts of shapes that OpenAPI has a word for.
var formats = map[reflect.Type]string{
	reflect.TypeFor[uuid](): "uuid", reflect.TypeFor[email](): "email", reflect.TypeFor[file](): "binary",
	reflect.TypeFor[time.Time](): "date-time",
}

// A field is a property of an object, in requests or in answers or in both.
type field struct {
	name     string
	schema   *Schema
	read     bool // in answers only
	write    bool // in requests only
	optional bool // answers may lack it
	required bool // requests must have it
}

// shapes turns Go types into schemas, and collects the named ones. The tag
// json gives a property its name, omitempty lets answers lack it, a pointer
// may be null; the tag api says the rest:
//
//	read      in answers only
//	write     in requests only
//	required  requests must have it
//	enum=A|B  one of these
//	ref=NAME  the schema of that name, in place of any
//	min=N max=N bounds of a number, or of a text's length
type shapes struct {
	named map[string]*Schema
}

// titles are the contract's names of types of ours that are called otherwise.
var titles = map[string]string{
	"promptField": "StagePrompt", "choice": "PromptChoice", "permission": "ConsentPermission", "AccessDenied": "AccessDeniedChallenge",
	"validateChallenge": "AuthenticatorValidationChallenge", "anyStage": "Stage", "permissionShape": "Permission", "blueprintMetadata": "Metadata", "anyPolicy": "Policy", "serverConfig": "Config", "agent": "AuthenticatedSessionUserAgent",
}

// nulls are the lists of stages' challenges that may be null, which their types
// do not tell.
var nulls = map[string]bool{"StagePrompt.choices": true}

// title is what a type is called among the components.
func title(t reflect.Type) string {
	if name, renamed := titles[t.Name()]; renamed {
		return name
	}
	return strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
}

// of returns the schema of a type's values in answers.
func (s *shapes) of(t reflect.Type) *Schema {
	if format, ok := formats[t]; ok {
		return &Schema{Type: "string", Format: format}
	}
	switch t.Kind() {
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &Schema{Type: "integer"}
	case reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.Interface:
		return &Schema{Nullable: true}
	case reflect.Slice:
		return list(s.of(t.Elem()))
	case reflect.Map:
		return &Schema{Type: "object", Additional: s.of(t.Elem())}
	case reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case reflect.Struct:
		return s.structure(t)
	}
	panic(fmt.Sprintf("openapi: a shape with a %s", t))
}

// nullable is a schema whose value may be null. A reference stands alone, so
// it is wrapped.
func nullable(s *Schema) *Schema {
	if s.Ref != "" {
		return &Schema{AllOf: []*Schema{s}, Nullable: true}
	}
	s.Nullable = true
	return s
}

// structure names the schema of a struct, and refers to it.
func (s *shapes) structure(t reflect.Type) *Schema {
	name := title(t)
	if s.named[name] == nil {
		s.named[name] = &Schema{} // for a shape that holds itself
		*s.named[name] = *shown(s.fields(t))
		if name == "Policy" {
			s.named[name].Additional = &Schema{Nullable: true} // the fields of its kind
		}
	}
	return ref(name)
}

// fieldsOf lists the properties of a value's type, whose schema it names.
func (s *shapes) fieldsOf(v any) []field {
	s.example(v)
	return s.fields(reflect.TypeOf(v))
}

// fields lists the properties of a struct.
func (s *shapes) fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous {
			out = append(out, s.fields(sf.Type)...)
			continue
		}
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		f := field{name: name, optional: strings.Contains(options, "omitempty")}
		if t := sf.Type; f.optional && t.Kind() == reflect.Pointer {
			f.schema = s.of(t.Elem()) // it is left out where it would be null
		} else {
			f.schema = s.of(t)
		}
		if nulls[title(t)+"."+name] {
			f.schema.Nullable = true
		}
		for option := range strings.SplitSeq(sf.Tag.Get("api"), ",") {
			f.option(option)
		}
		out = append(out, f)
	}
	return out
}

// option takes one word of the tag.
func (f *field) option(option string) {
	word, value, _ := strings.Cut(option, "=")
	switch word {
	case "":
	case "read":
		f.read = true
	case "write":
		f.write = true
	case "required":
		f.required = true
	case "ref":
		if f.schema.Type == "array" {
			f.schema.Items = ref(value)
			return
		}
		f.schema = ref(value)
	case "enum":
		f.schema.Enum = strings.Split(value, "|")
	case "min", "max":
		n, err := strconv.Atoi(value)
		if err != nil {
			panic("openapi: " + f.name + ": " + err.Error())
		}
		f.bound(word, n)
	default:
		panic("openapi: " + f.name + ": unknown option " + option)
	}
}

// bound limits a number, or the length of a text.
func (f *field) bound(word string, n int) {
	text := f.schema.Type == "string"
	switch {
	case word == "min" && text:
		f.schema.MinLength = &n
	case word == "min":
		f.schema.Minimum = &n
	case text:
		f.schema.MaxLength = &n
	default:
		f.schema.Maximum = &n
	}
}

// shown is the schema of an object in answers: all that is not optional is
// there.
func shown(fields []field) *Schema {
	out := &Schema{Type: "object", Properties: map[string]*Schema{}}
	for _, f := range fields {
		if f.write {
			continue
		}
		schema := f.schema
		if f.read && schema.Ref == "" {
			copied := *schema
			copied.ReadOnly = true
			schema = &copied
		}
		out.Properties[f.name] = schema
		if !f.optional {
			out.Required = append(out.Required, f.name)
		}
	}
	slices.Sort(out.Required)
	return out
}

// asked is the schema of an object in requests. A partial one lacks what does
// not change.
func asked(fields []field, partial bool) *Schema {
	out := &Schema{Type: "object", Properties: map[string]*Schema{}}
	for _, f := range fields {
		if f.read {
			continue
		}
		schema := f.schema
		if f.write && schema.Ref == "" {
			copied := *schema
			copied.WriteOnly = true
			schema = &copied
		}
		out.Properties[f.name] = schema
		if f.required && !partial {
			out.Required = append(out.Required, f.name)
		}
	}
	slices.Sort(out.Required)
	return out
}

// example is of, for the type of a value.
func (s *shapes) example(v any) *Schema { return s.of(reflect.TypeOf(v)) }
