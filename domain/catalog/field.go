package catalog

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// A Type is the shape of a field's value.
type Type string

// The types. References are texts that hold a primary key, but for users,
// whose keys are integers.
const (
	Text      Type = "text"
	Bool      Type = "bool"
	Int       Type = "int"
	Float     Type = "float"
	Duration  Type = "duration" // hours=1;minutes=30
	Time      Type = "time"     // RFC 3339
	Map       Type = "map"
	Reference Type = "reference"
)

// A Field is one thing that can be set on a kind. The configuration's struct
// says it: the json tag gives the name, the Go type the shape (a pointer may
// be null, a slice is a list), the catalog tag the rest:
//
//	required    must be given on create
//	blank       may be the empty text
//	verbatim    white space at the ends is kept
//	secret      is written and never read back
//	duration    a duration text
//	time        a point in time
//	slug        letters, digits, - and _
//	ref=X       refers to a model, a category, or to a target of policies
//	enum=A|B    one of these
//	min=N max=N bounds of a number, or of a text's length
type Field struct {
	Name     string
	Type     Type
	Many     bool // a list of Type
	Nullable bool
	Required bool
	Blank    bool
	Verbatim bool
	Secret   bool
	Slug     bool
	Ref      string
	Enum     []string
	Min, Max *int
}

// A Chooser is a configuration with fields whose choices are too many for a
// tag. It tells them by the fields' names.
type Chooser interface {
	Choices() map[string][]string
}

// fieldsOf reads the fields off a configuration.
func fieldsOf(model string, config any) []Field {
	t := reflect.TypeOf(config)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("catalog: %s: New returns a %s, not a pointer to a struct", model, t))
	}
	fields := structFields(model, t.Elem())
	if c, ok := config.(Chooser); ok {
		for i, f := range fields {
			if choices := c.Choices()[f.Name]; choices != nil {
				fields[i].Enum = choices
			}
		}
	}
	return fields
}

func structFields(model string, t reflect.Type) []Field {
	var fields []Field
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous {
			fields = append(fields, structFields(model, sf.Type)...)
			continue
		}
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		f := Field{Name: name}
		f.shape(model, sf.Type)
		for option := range strings.SplitSeq(sf.Tag.Get("catalog"), ",") {
			f.option(model, option)
		}
		fields = append(fields, f)
	}
	return fields
}

// shape takes from the Go type what it says.
func (f *Field) shape(model string, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		f.Nullable, t = true, t.Elem()
	}
	if t.Kind() == reflect.Slice {
		f.Many, t = true, t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		f.Type = Text
	case reflect.Bool:
		f.Type = Bool
	case reflect.Int, reflect.Int64, reflect.Int32:
		f.Type = Int
	case reflect.Float64:
		f.Type = Float
	case reflect.Map:
		f.Type = Map
	case reflect.Struct: // domain.Secret, the only struct a configuration holds
		f.Type, f.Secret = Text, true
	default:
		panic(fmt.Sprintf("catalog: %s: field %s has type %s", model, f.Name, t))
	}
}

// option takes one word of the catalog tag.
func (f *Field) option(model, option string) {
	word, value, _ := strings.Cut(option, "=")
	switch word {
	case "":
	case "required":
		f.Required = true
	case "blank":
		f.Blank = true
	case "verbatim":
		f.Verbatim = true
	case "secret":
		f.Secret = true
	case "slug":
		f.Slug = true
	case "duration":
		f.Type = Duration
	case "time":
		f.Type = Time
	case "ref":
		f.Type, f.Ref = Reference, value
	case "enum":
		f.Enum = strings.Split(value, "|")
	case "min", "max":
		n, err := strconv.Atoi(value)
		if err != nil {
			panic(fmt.Sprintf("catalog: %s: field %s: %v", model, f.Name, err))
		}
		if word == "min" {
			f.Min = &n
		} else {
			f.Max = &n
		}
	default:
		panic(fmt.Sprintf("catalog: %s: field %s has the unknown option %q", model, f.Name, word))
	}
}
