// Package catalog knows which kinds of configured things exist: for each a
// model name, an address below the admin API, and a value with defaults whose
// fields say what may be set. The importer, the admin API and the executor
// read this one table; it holds no configured thing itself.
package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// A Category groups kinds that can stand in for each other in a reference.
type Category string

// The categories.
const (
	Flow          Category = "flow"
	Stage         Category = "stage"
	StageBinding  Category = "stage binding"
	Policy        Category = "policy"
	PolicyBinding Category = "policy binding"
	Prompt        Category = "prompt"
	Brand         Category = "brand"
	User          Category = "user"
	Group         Category = "group"
	Role          Category = "role"
	Invitation    Category = "invitation"
	Token         Category = "token"
	Setting       Category = "setting" // what fits nowhere else

	NotificationRule      Category = "notification rule"
	NotificationTransport Category = "notification transport"

	Sink Category = "sink"
)

// A Kind is a sort of configured thing.
type Kind struct {
	Model       string     // as blueprints name it: authentik_stages_password.passwordstage
	Category    Category   //
	Path        string     // below /api/v3/, no slashes at the ends: stages/password
	Form        string     // component on the wire: ak-stage-password-form
	Name        string     // for people: Password Stage
	Plural      string     // Password Stages
	Description string     // one sentence, for the list of types
	Key         string     // the field that addresses one in a path, when it is not pk: slug
	Natural     [][]string // sets of fields each of which is unique: {{"name"}}
	New         func() any // a pointer to a configuration with its defaults

	fields []Field
}

// kinds is filled by the init functions of the packages that own the kinds,
// and never written afterwards, so it needs no lock.
var kinds = map[string]Kind{}

// Register adds a kind. It panics on a duplicate and on an incomplete or
// malformed kind: that is a fault of ours which the first start shows.
func Register(k Kind) {
	model := strings.ToLower(k.Model)
	if _, dup := kinds[model]; dup {
		panic("catalog: duplicate kind " + k.Model)
	}
	if k.Model == "" || k.Category == "" || k.New == nil || k.Name == "" {
		panic("catalog: incomplete kind " + k.Model)
	}
	if k.Plural == "" {
		k.Plural = k.Name + "s"
	}
	k.fields = fieldsOf(k.Model, k.New())
	kinds[model] = k
}

// Lookup finds a kind by its model name. The part after the dot may be in any
// case (spec/blueprints.md 1.5).
func Lookup(model string) (Kind, bool) {
	app, name, _ := strings.Cut(model, ".")
	k, ok := kinds[app+"."+strings.ToLower(name)]
	return k, ok
}

// All returns every kind, by model name.
func All() []Kind {
	return slices.SortedFunc(maps.Values(kinds), func(a, b Kind) int { return strings.Compare(a.Model, b.Model) })
}

// Fields returns what can be set on things of this kind, in the order of the
// configuration. The slice must not be changed.
func (k Kind) Fields() []Field { return k.fields }

// Field returns the field with the given name on the wire.
func (k Kind) Field(name string) (Field, bool) {
	for _, f := range k.fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// App returns the part of the model before the dot.
func (k Kind) App() string {
	app, _, _ := strings.Cut(k.Model, ".")
	return app
}

// Base returns the part of the model after the dot.
func (k Kind) Base() string {
	_, base, _ := strings.Cut(k.Model, ".")
	return base
}

// IntegerKey tells whether the primary keys of this kind are integers, which
// the contract demands of users.
func (k Kind) IntegerKey() bool { return k.Category == User }

// targetSpace is the name space of policy-binding-target ids.
var targetSpace = uuid.MustParse("6f0c3a52-6a0e-5c1d-9d3c-2f7f9f6b9f10")

// TargetID returns the second identifier that the contract gives to whatever
// policies can be bound to (policybindingmodel_ptr_id, spec/flows.md 2.1). It
// is derived from the primary key, so it needs no place of its own.
func TargetID(pk string) string {
	return uuid.NewSHA1(targetSpace, []byte(strings.ToLower(pk))).String()
}

// Match tells whether ref, as a field's tag has it, admits this kind: a model
// name, a category, or target for what policies can be bound to.
func (k Kind) Match(ref string) bool {
	if ref == "target" {
		return k.Category == Flow || k.Category == StageBinding || k.Category == NotificationRule
	}
	return k.Model == ref || string(k.Category) == ref
}

// String implements [fmt.Stringer].
func (k Kind) String() string { return fmt.Sprintf("%s (%s)", k.Name, k.Model) }
