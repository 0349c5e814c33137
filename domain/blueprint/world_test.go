package blueprint_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	_ "github.com/flowledger/flowledger/domain/object"
	_ "github.com/flowledger/flowledger/domain/role"
)

// A world is a View of plain maps that changes can be applied to.
type world struct {
	objects map[string]blueprint.Object
	secrets map[string]domain.Secret // by primary key and field
	used    map[string]bool
	imports int
	users   int
}

func newWorld() *world {
	return &world{objects: map[string]blueprint.Object{}, secrets: map[string]domain.Secret{}, used: map[string]bool{}, users: 4}
}

func (w *world) Get(ref, pk string) (blueprint.Object, bool) {
	o, ok := w.objects[pk]
	return o, ok && w.is(o, ref)
}

func (w *world) is(o blueprint.Object, ref string) bool {
	kind, ok := catalog.Lookup(o.Model)
	return ok && kind.Match(ref)
}

func (w *world) All(model string) []blueprint.Object {
	return w.Find(model, func(blueprint.Object) bool { return true })
}

// Find is for the tests.
func (w *world) Find(ref string, match func(blueprint.Object) bool) []blueprint.Object {
	var out []blueprint.Object
	for _, pk := range slices.Sorted(maps.Keys(w.objects)) {
		if o := w.objects[pk]; w.is(o, ref) && match(o) {
			out = append(out, o)
		}
	}
	return out
}

func (w *world) Used(pk string) bool { return w.used[pk] }

func (w *world) SameSecret(pk, field string, secret domain.Secret) bool {
	return w.secrets[pk+"/"+field].Equal(secret) // what was never set is empty
}

// env is an environment in which every import makes other keys.
func (w *world) env() blueprint.Env {
	w.imports++
	return blueprint.Env{
		NewID: func(key string) string {
			return uuid.NewSHA1(uuid.NameSpaceOID, []byte(fmt.Sprint(w.imports, "/", key))).String()
		},
		NextUserPK: func() int { w.users++; return w.users },
	}
}

func (w *world) apply(changes []blueprint.Change) {
	for _, c := range changes {
		switch c.Action {
		case blueprint.Removed:
			delete(w.objects, c.PK)
		case blueprint.Created:
			w.objects[c.PK] = blueprint.Object{Model: c.Model, PK: c.PK, Fields: map[string]any{}}
			w.used[c.PK] = true
		}
		for name, v := range c.Set {
			if secret, ok := v.(domain.Secret); ok {
				w.secrets[c.PK+"/"+name] = secret
				continue
			}
			o := w.objects[c.PK]
			o.Fields = maps.Clone(o.Fields)
			o.Fields[name] = v
			w.objects[c.PK] = o
		}
	}
}

// try parses and resolves a text.
func (w *world) try(text string, env blueprint.Env) (blueprint.Result, error) {
	d, err := blueprint.Parse("test.yaml", []byte(text))
	if err != nil {
		return blueprint.Result{}, err
	}
	return d.Resolve(w, env)
}

// imported applies a text, which must succeed, and returns what it changed.
func (w *world) imported(t *testing.T, text string) []blueprint.Change {
	t.Helper()
	result, err := w.try(text, w.env())
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	for _, d := range result.Dependencies {
		w.apply(d.Changes)
	}
	w.apply(result.Changes)
	return result.Changes
}

// named returns the object of a model with a name, a slug or a user name.
func (w *world) named(t *testing.T, model, name string) blueprint.Object {
	t.Helper()
	found := w.Find(model, func(o blueprint.Object) bool {
		return o.Fields["name"] == name || o.Fields["slug"] == name || o.Fields["username"] == name || o.Fields["domain"] == name
	})
	if len(found) != 1 {
		t.Fatalf("there are %d of %s %q, want 1", len(found), model, name)
	}
	return found[0]
}

// actions counts changes by action.
func actions(changes []blueprint.Change) map[blueprint.Action]int {
	out := map[blueprint.Action]int{}
	for _, c := range changes {
		out[c.Action]++
	}
	return out
}

// Kinds of the tests' own stand for stages and policies.
func init() {
	for _, k := range []catalog.Kind{
		{
			Model: "authentik_test.plainstage", Category: catalog.Stage, Name: "Plain Stage",
			Natural: [][]string{{"name"}}, New: func() any { return &plainStage{Title: "default title"} },
		},
		{
			Model: "authentik_test.rulepolicy", Category: catalog.Policy, Name: "Rule Policy",
			Natural: [][]string{{"name"}}, New: func() any { return &rulePolicy{} },
		},
		{
			Model: "authentik_test.ringstage", Category: catalog.Stage, Name: "Ring Stage",
			Natural: [][]string{{"name"}}, New: func() any { return &ringStage{} },
		},
	} {
		catalog.Register(k)
	}
}

type plainStage struct {
	Name      string   `json:"name" catalog:"required"`
	Title     string   `json:"title" catalog:"blank"`
	Count     int      `json:"count" catalog:"min=0"`
	Configure *string  `json:"configure_flow" catalog:"ref=flow"`
	Policies  []string `json:"validation_policies" catalog:"ref=policy"`
	Key       string   `json:"private_key" catalog:"secret,blank"`
}

// A ringStage leads to other stages, and to itself.
type ringStage struct {
	Name string   `json:"name" catalog:"required"`
	Next []string `json:"next" catalog:"ref=stage"`
}

type rulePolicy struct {
	Name       string `json:"name" catalog:"required"`
	Expression string `json:"expression" catalog:"required"`
}

// Validate implements [catalog.Validator].
func (p *rulePolicy) Validate() catalog.Problems {
	var problems catalog.Problems
	if p.Expression == "syntax error" {
		problems.Add("expression", "cannot be read")
	}
	return problems
}
