package codec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"github.com/flowledger/flowledger/domain"
)

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// A form is how the value of a field becomes JSON.
type form int

const (
	plain    form = iota // as encoding/json has it
	cleansed             // so, too, but its keys are data and are looked at
	revealed             // so, too, but secrets show their text
)

// A field is one field of a struct as JSON sees it.
type field struct {
	name   string
	goName string
	index  []int
	typ    reflect.Type
	tag    reflect.StructTag
	omit   bool // when empty
	quoted bool // option string
	form   form
	watch  bool // a secret could hide in it, though not by its type
}

// fieldsOf lists the fields that JSON has. Those of embedded structs stand
// among the others.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, field{
			name:   name,
			goName: f.Name,
			index:  f.Index,
			typ:    f.Type,
			tag:    f.Tag,
			omit:   strings.Contains(options, "omit"),
			quoted: strings.Contains(options, "string"),
		})
	}
	return fields
}

// A shape is those fields of an event type that go to one place. Its mirror is
// a struct of them alone, so that encoding/json does the work, and caches how.
type shape struct {
	fields []field
	mirror reflect.Type
}

var rawType = reflect.TypeFor[json.RawMessage]()

func newShape(fields []field) *shape {
	mirror := make([]reflect.StructField, len(fields))
	for i, f := range fields {
		tag := f.name
		if f.omit {
			tag += ",omitempty,omitzero"
		}
		if f.quoted && f.form == plain {
			tag += ",string"
		}
		mirror[i] = reflect.StructField{
			Name: fmt.Sprintf("F%d", i),
			Type: f.typ,
			Tag:  reflect.StructTag(fmt.Sprintf("json:%q", tag)),
		}
		if f.form != plain {
			mirror[i].Type = rawType
		}
	}
	return &shape{fields: fields, mirror: reflect.StructOf(mirror)}
}

// marshal returns the fields of event as a JSON object. It tells leak of what
// it masked.
func (s *shape) marshal(event reflect.Value, leak func(key string)) ([]byte, error) {
	mirror := reflect.New(s.mirror)
	for i, f := range s.fields {
		from, to := event.FieldByIndex(f.index), mirror.Elem().Field(i)
		if f.watch && hidesSecret(from) {
			return nil, fmt.Errorf("%s holds a secret and is not sealed as one", f.name)
		}
		if f.form == plain {
			to.Set(from)
			continue
		}
		if f.omit && isEmpty(from) {
			continue
		}
		raw, err := f.marshal(from, leak)
		if err != nil {
			return nil, err
		}
		to.SetBytes(raw)
	}
	return json.Marshal(mirror.Interface())
}

func (f field) marshal(v reflect.Value, leak func(key string)) ([]byte, error) {
	if f.form == cleansed {
		raw, err := json.Marshal(v.Interface())
		if err != nil {
			return nil, err
		}
		return cleanse(raw, leak)
	}
	tree, err := reveal(v, false)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// unmarshal sets the fields of event, which is addressable, from data.
func (s *shape) unmarshal(data []byte, event reflect.Value) error {
	mirror := reflect.New(s.mirror)
	if err := json.Unmarshal(data, mirror.Interface()); err != nil {
		return err
	}
	for i, f := range s.fields {
		from, to := mirror.Elem().Field(i), event.FieldByIndex(f.index)
		if f.form == plain {
			to.Set(from)
			continue
		}
		raw := from.Bytes()
		if len(raw) == 0 {
			continue
		}
		var err error
		if f.form == cleansed {
			err = json.Unmarshal(raw, to.Addr().Interface())
		} else {
			err = conceal(raw, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isEmpty(v reflect.Value) bool {
	if v.Kind() == reflect.Map || v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}

// A content says what can be met inside a type.
type content struct {
	secret   bool // a domain.Secret
	anything bool // an interface or raw JSON
	keys     bool // a map, whose keys are data
}

// contents remembers what contentOf found: reflect.Type to content.
var contents sync.Map

func contentOf(t reflect.Type) content {
	if known, ok := contents.Load(t); ok {
		return known.(content)
	}
	var c content
	walkType(t, func(t reflect.Type) {
		switch {
		case t == secretType:
			c.secret = true
		case t == rawType || t.Kind() == reflect.Interface:
			c.anything = true
		case t.Kind() == reflect.Map:
			c.keys = true
		}
	}, map[reflect.Type]bool{})
	contents.Store(t, c)
	return c
}

// walkType calls visit for t and every type inside it that encoding/json
// looks into.
func walkType(t reflect.Type, visit func(reflect.Type), seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	if visit(t); t.Kind() != reflect.Pointer && marshalsItself(t) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		walkType(t.Elem(), visit, seen)
	case reflect.Struct:
		for _, f := range fieldsOf(t) {
			walkType(f.typ, visit, seen)
		}
	}
}

var (
	secretType = reflect.TypeFor[domain.Secret]()
	marshalers = []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()}
)

func marshalsItself(t reflect.Type) bool {
	for _, m := range marshalers {
		if t.Implements(m) || (t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(m)) {
			return true
		}
	}
	return false
}
