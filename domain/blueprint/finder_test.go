package blueprint_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/object"
)

// Having implements [blueprint.Finder]. It has an index of everything but
// orders.
func (w *world) Having(model, field string, value any) ([]blueprint.Object, bool) {
	if field == "order" {
		return nil, false
	}
	return w.Find(model, func(o blueprint.Object) bool {
		got := o.Fields[field]
		if field == "pk" {
			got = o.PK
			if n, err := strconv.Atoi(o.PK); err == nil {
				got = n
			}
		}
		many, ok := got.([]any)
		if !ok {
			many = []any{got}
		}
		return slices.ContainsFunc(many, func(one any) bool { return object.Equal(one, value) })
	}), true
}

// A plain view hides that it can find.
type plain struct{ blueprint.View }

// A view that can find, and one that cannot, come to the same.
func TestFindingChangesNothing(t *testing.T) {
	documents := []string{
		`version: 1
entries:
- {model: authentik_flows.flow, id: f, identifiers: {slug: one}, attrs: {name: One, title: One, designation: recovery}}
- {model: authentik_flows.flow, id: g, identifiers: {slug: two}, attrs: {name: Two, title: Two, designation: recovery}}
- {model: authentik_stages_dummy.dummystage, id: s, identifiers: {name: s}}
- {model: authentik_stages_password.passwordstage, id: p, identifiers: {name: p}, attrs: {backends: [authentik.core.auth.InbuiltBackend], configure_flow: !KeyOf g}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf f, stage: !KeyOf s, order: 1}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf g, stage: !KeyOf s, order: 1}}
- {model: authentik_core.group, id: staff, identifiers: {name: staff}}
- {model: authentik_core.user, identifiers: {username: ada}, attrs: {name: Ada, groups: [!KeyOf staff]}}`,
		`version: 1
entries:
- {model: authentik_flows.flow, identifiers: {slug: one}, attrs: {title: Changed}}
- {model: authentik_flows.flow, identifiers: {name: Two}, attrs: {slug: second}}
- {model: authentik_flows.flow, identifiers: {slug: second}, attrs: {title: Again}}
- {model: authentik_flows.flow, identifiers: {slug: two}, attrs: {name: Other, title: Other, designation: recovery}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !Find [authentik_flows.flow, [slug, one]], stage: !Find [authentik_stages_dummy.dummystage, [name, s]], order: 1}, attrs: {re_evaluate_policies: false}}
- {model: authentik_core.user, identifiers: {username: ada}, attrs: {name: Countess}}`,
		`version: 1
entries:
- {model: authentik_flows.flow, state: absent, identifiers: {slug: second}}
- {model: authentik_core.group, state: absent, identifiers: {name: staff}}
- {model: authentik_stages_dummy.dummystage, state: absent, identifiers: {name: s}}
- {model: authentik_stages_dummy.dummystage, identifiers: {name: s}}`,
	}
	w := newWorld()
	for i, text := range documents {
		d, err := blueprint.Parse("test.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		env, users := w.env(), w.users
		want, err := d.Resolve(plain{w}, env)
		if err != nil {
			t.Fatalf("document %d: %v", i, err)
		}
		w.users = users
		got, err := d.Resolve(w, env)
		if err != nil {
			t.Fatalf("document %d, finding: %v", i, err)
		}
		if diff := cmp.Diff(want.Changes, got.Changes, cmp.AllowUnexported(domain.Secret{})); diff != "" || len(got.Changes) < 3 {
			t.Errorf("document %d (-without +with a finder):\n%s", i, diff)
		}
		w.apply(got.Changes)
	}
}
