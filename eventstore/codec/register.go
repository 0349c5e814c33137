package codec

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/flowledger/flowledger/domain"
)

// classes is the order in which an event's sealed parts stand.
var classes = []domain.Sealed{domain.Profile, domain.Trace, domain.Network, domain.Credential, domain.Transient}

// unsealed stands for the payload, where a class stands for a sealed part.
const unsealed domain.Sealed = 0

// An eventType is what is known of a registered type.
type eventType struct {
	name      string
	schema    int
	goType    reflect.Type
	payload   *shape
	sealed    map[domain.Sealed]*shape // only the classes that have fields
	upcasters []Upcaster
}

var (
	registering sync.RWMutex
	// registering guards the two maps.
	byName = map[string]*eventType{}
	byType = map[reflect.Type]*eventType{}
)

// Register makes E known, whose fields have the given schema. Field tags:
//
//	json:"name"   the key, snake_case; "-" leaves the field out
//	seal:"T"      the class under which the field is sealed; none: it is clear
//	cleanse:"-"   a clear field that is no secret whatever its keys are called
//
// A [domain.Secret] must be sealed as C or X, and only there it is stored with
// its text. Upcasters lead from each older schema to the next, from 1 on.
// Register panics about an event type that it cannot serve.
func Register[E Event](schema int, upcasters ...Upcaster) {
	var zero E
	goType := reflect.TypeFor[E]()
	if goType.Kind() != reflect.Struct {
		panic(fmt.Sprintf("codec: event type %v is not a struct", goType))
	}
	if len(upcasters) != schema-1 {
		panic(fmt.Sprintf("codec: %v of schema %d needs %d upcasters", goType, schema, schema-1))
	}
	typ := &eventType{name: zero.EventType(), schema: schema, goType: goType, upcasters: upcasters}
	typ.payload, typ.sealed = shapesOf(goType)

	registering.Lock()
	defer registering.Unlock()
	if byName[typ.name] != nil || byType[goType] != nil {
		panic(fmt.Sprintf("codec: %s is registered twice", typ.name))
	}
	byName[typ.name], byType[goType] = typ, typ
}

// Types returns the registered types and their schemas.
func Types() map[string]int {
	registering.RLock()
	defer registering.RUnlock()
	types := make(map[string]int, len(byName))
	for name, typ := range byName {
		types[name] = typ.schema
	}
	return types
}

// Known tells whether events of this type and schema can be decoded.
func Known(name string, schema int) bool { return lookup(name, schema) != nil }

func lookup(name string, schema int) *eventType {
	registering.RLock()
	defer registering.RUnlock()
	if typ := byName[name]; typ != nil && schema >= 1 && schema <= typ.schema {
		return typ
	}
	return nil
}

func typeOf(e Event) *eventType {
	registering.RLock()
	defer registering.RUnlock()
	return byType[reflect.TypeOf(e)]
}

// shapesOf sorts the fields of an event type by where they go.
func shapesOf(goType reflect.Type) (payload *shape, sealed map[domain.Sealed]*shape) {
	byClass := map[domain.Sealed][]field{}
	names := map[string]bool{}
	for _, f := range fieldsOf(goType) {
		where := fmt.Sprintf("codec: %v, field %s", goType, f.goName)
		if !snakeCase.MatchString(f.name) {
			panic(where + " needs a json tag with a snake_case name")
		}
		if names[f.name] {
			panic(where + " has the json name of another")
		}
		names[f.name] = true
		if sealsInside(f.typ) {
			panic(where + " has a seal tag inside, where it means nothing: embed the struct, or seal the field")
		}
		class := classOf(f.tag.Get("seal"), where)
		f.form = formOf(f, class, where)
		f.watch = f.form != revealed && contentOf(f.typ).anything
		f.omit = f.omit || class != unsealed
		byClass[class] = append(byClass[class], f)
	}
	sealed = map[domain.Sealed]*shape{}
	for class, fields := range byClass {
		if class != unsealed {
			sealed[class] = newShape(fields)
		}
	}
	return newShape(byClass[unsealed]), sealed
}

// sealsInside tells whether a struct inside t wants some of its fields sealed.
func sealsInside(t reflect.Type) (found bool) {
	walkType(t, func(t reflect.Type) {
		if t.Kind() != reflect.Struct || marshalsItself(t) {
			return
		}
		for _, f := range fieldsOf(t) {
			found = found || f.tag.Get("seal") != ""
		}
	}, map[reflect.Type]bool{})
	return found
}

func classOf(tag, where string) domain.Sealed {
	switch {
	case tag == "":
		return unsealed
	case len(tag) == 1 && strings.Contains("PTNCX", tag):
		return domain.Sealed(tag[0])
	default:
		panic(fmt.Sprintf("%s: seal tag %q is no class", where, tag))
	}
}

// formOf judges the type of a field for the place it goes to.
func formOf(f field, class domain.Sealed, where string) form {
	content := contentOf(f.typ)
	if class == domain.Credential || class == domain.Transient {
		if content.secret || content.anything {
			return revealed
		}
		return plain
	}
	switch {
	case content.secret:
		panic(where + ` holds a domain.Secret and needs the tag seal:"X" or seal:"C"`)
	case class == domain.Network && f.name == networkKey:
		panic(where + " has the name of the append's network")
	case class != unsealed || f.tag.Get("cleanse") == "-":
		return plain
	}
	if name := suspect(f); name != "" {
		panic(fmt.Sprintf(`%s: key %q is like that of a secret: seal it, or tag the field cleanse:"-"`, where, name))
	}
	if content.anything || content.keys {
		return cleansed
	}
	return plain
}
