package projections_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

const sideModel = "test.side"

func init() {
	catalog.Register(catalog.Kind{
		Model: sideModel, Category: catalog.Setting, Name: "Side", New: func() any { return &struct{}{} },
	})
}

func created(kind, name string, fields map[string]any) object.ObjectCreated {
	return object.ObjectCreated{Kind: kind, Name: name, Set: fields, Via: "api"}
}

func binding(target, stage string, order any) object.ObjectCreated {
	return created(object.StageBindingModel, "", map[string]any{"target": target, "stage": stage, "order": order})
}

func names(things []object.Thing) []string {
	var out []string
	for _, t := range things {
		out = append(out, t.Name)
	}
	return out
}

func TestObjects(t *testing.T) {
	w := newWorld(t)
	w.append(stream("object", "f"), created(object.FlowModel, "login", map[string]any{"slug": "login", "title": "T"}))
	w.append(stream("object", "g"), created(object.FlowModel, "gone", map[string]any{"slug": "gone"}))
	w.append(stream("object", "s"), object.ObjectCreated{
		Kind: sideModel, Name: "side", Set: map[string]any{"a": 1}, Secrets: map[string]domain.Secret{"key": domain.NewSecret("hush")}, Via: "api",
	})
	w.run()
	w.settle()
	w.clock = w.clock.Add(time.Minute)
	w.append(stream("object", "f"), object.ObjectChanged{
		Kind: object.FlowModel, Name: "Log in", Set: map[string]any{"slug": "in"}, Previous: map[string]any{"slug": "login"}, Via: "api",
	})
	w.append(stream("object", "g"), object.ObjectRemoved{Kind: object.FlowModel, Name: "gone", Via: "api"})
	w.settle()

	got, ok := w.objects.Thing(id("f"))
	want := object.Thing{ID: id("f"), Kind: object.FlowModel, Name: "Log in", Revision: 1, Fields: map[string]any{"slug": "in", "title": "T"}}
	if got.Created.IsZero() || !got.Updated.After(got.Created) {
		t.Errorf("made %s, changed %s", got.Created, got.Updated)
	}
	want.Created, want.Updated = got.Created, got.Updated
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	for slug, want := range map[string]bool{"in": true, "login": false, "gone": false, "": false} {
		if _, ok := w.objects.FlowBySlug(slug); ok != want {
			t.Errorf("flow %q is %v, want %v", slug, ok, want)
		}
	}
	if _, ok := w.objects.Thing(id("g")); ok {
		t.Error("the removed flow is still there")
	}
	side, _ := w.objects.Thing(id("s"))
	if diff := cmp.Diff(map[string]any{"a": 1.0}, side.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if got := names(w.objects.Kind("TEST.side")); len(got) != 1 {
		t.Errorf("things of a kind: %v", got)
	}
	if got := names(w.objects.Category(catalog.Setting)); len(got) != 1 {
		t.Errorf("things of a category: %v", got)
	}
}

func TestBindingsStandInOrder(t *testing.T) {
	w := newWorld(t)
	w.append(stream("object", "f"), created(object.FlowModel, "login", map[string]any{"slug": "login"}))
	for letter, order := range map[string]int{"a": 30, "b": 10, "c": 20, "d": 20, "e": -5} {
		w.append(stream("object", letter), binding(id("f"), letter, order))
	}
	w.append(stream("object", "other"), binding(id("none"), "x", 0))
	for letter, target := range map[string]string{"p": id("f"), "q": catalog.TargetID(id("f")), "r": catalog.TargetID(id("a"))} {
		w.append(stream("object", letter), created(object.PolicyBindingModel, "", map[string]any{
			"target": target, "order": map[string]int{"p": 2, "q": 1, "r": 0}[letter],
		}))
	}
	w.run()
	w.settle()
	var got []any
	for _, b := range w.objects.StageBindings(id("f")) {
		got = append(got, b.Fields["stage"])
	}
	middle := []any{"c", "d"}
	if id("c") > id("d") {
		middle = []any{"d", "c"}
	}
	if diff := cmp.Diff([]any{"e", "b", middle[0], middle[1], "a"}, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if got := w.objects.PolicyBindings(id("f")); len(got) != 2 || got[0].ID != id("q") || got[1].ID != id("p") {
		t.Errorf("policies of the flow: %+v", got)
	}
	if got := w.objects.PolicyBindings(id("a")); len(got) != 1 || got[0].ID != id("r") {
		t.Errorf("policies of the binding: %+v", got)
	}
	if pk, ok := w.objects.ByTarget(catalog.TargetID(id("f"))); !ok || pk != id("f") {
		t.Errorf("target %s, %v", pk, ok)
	}
	if _, ok := w.objects.ByTarget(id("f")); ok {
		t.Error("a primary key is a target")
	}
}

func TestBrand(t *testing.T) {
	w := newWorld(t)
	w.run()
	if _, ok := w.objects.Brand("x"); ok {
		t.Error("there is a brand where there is none")
	}
	for letter, fields := range map[string]map[string]any{
		"d": {"domain": "authentik-default", "default": true}, "e": {"domain": "example.org"}, "s": {"domain": "sso.example.org"},
	} {
		w.append(stream("object", letter), created(object.BrandModel, letter, fields))
	}
	w.settle()
	for host, want := range map[string]string{
		"": "d", "other.org": "d", "Example.org": "e", "a.example.org": "e", "sso.example.org": "s", "x.SSO.example.org": "s", "badexample.org": "d",
	} {
		if got, ok := w.objects.Brand(host); !ok || got.Name != want {
			t.Errorf("%s has brand %s, want %s", host, got.Name, want)
		}
	}
}

// The things are there again after a start, before anything is replayed.
func TestObjectsAreLoaded(t *testing.T) {
	w := newWorld(t)
	w.append(stream("object", "f"), created(object.FlowModel, "login", map[string]any{"slug": "login"}))
	stop := w.run()
	w.settle()
	stop()
	w.close()
	w.open()
	if _, ok := w.objects.FlowBySlug("login"); !ok {
		t.Error("the flow is not there")
	}
}

// Whatever is written in whatever order, what is kept in memory is what a
// start reads from the rows.
func TestObjectsFollowTheRows(t *testing.T) {
	w := newWorld(t)
	stop := w.run()
	random := rand.New(rand.NewPCG(1, 2))
	present := map[string]string{} // kinds by letter
	models := []string{object.FlowModel, object.StageBindingModel, object.PolicyBindingModel, object.BrandModel}
	for step := range 400 {
		letter := string(rune('a' + random.IntN(12)))
		other := id(string(rune('a' + random.IntN(12))))
		fields := map[string]any{
			"slug": letter + fmt.Sprint(step%3), "target": []any{other, catalog.TargetID(other)}[random.IntN(2)], "stage": other,
			"order": random.IntN(3), "flow_recovery": other, "user": float64(random.IntN(3)), "domain": letter,
		}
		name := fmt.Sprint("name ", random.IntN(4))
		switch kind := present[letter]; {
		case kind == "":
			present[letter] = models[random.IntN(len(models))]
			w.append(stream("object", letter), created(present[letter], name, fields))
		case random.IntN(4) == 0:
			delete(present, letter)
			w.append(stream("object", letter), object.ObjectRemoved{Kind: kind, Via: "api"})
		default:
			w.append(stream("object", letter), object.ObjectChanged{Kind: kind, Name: name, Set: fields, Via: "api"})
		}
		if random.IntN(5) == 0 {
			w.settle()
		}
	}
	w.settle()
	shown := func() (all []any) {
		for _, model := range models {
			all = append(all, w.objects.Kind(model))
		}
		for _, c := range []catalog.Category{catalog.Flow, catalog.StageBinding, catalog.PolicyBinding, catalog.Brand} {
			all = append(all, w.objects.Category(c), w.objects.Named(c, "name 1"))
		}
		for n := range 12 {
			letter := string(rune('a' + n))
			thing, ok := w.objects.Thing(id(letter))
			pk, known := w.objects.ByTarget(catalog.TargetID(id(letter)))
			bySlug, found := w.objects.FlowBySlug(letter + "1")
			all = append(all, thing, ok, pk, known, bySlug, found, w.objects.StageBindings(id(letter)), w.objects.PolicyBindings(id(letter)),
				w.objects.Referrers(id(letter)), w.objects.Referrers(float64(n)))
		}
		return all
	}
	before := shown()
	stop()
	w.close()
	w.open()
	if diff := cmp.Diff(shown(), before, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("in memory (-after a start +before):\n%s", diff)
	}
	if err := w.runner.Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shown(), before, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("in memory (-rebuilt +before):\n%s", diff)
	}
}

func TestReferrersAndNames(t *testing.T) {
	w := newWorld(t)
	w.append(stream("object", "f"), created(object.FlowModel, "login", map[string]any{"slug": "login"}))
	w.append(stream("object", "b"), binding(id("f"), id("s"), 1))
	w.append(stream("object", "c"), binding(id("f"), id("f"), 2))
	w.append(stream("object", "p"), created(object.PolicyBindingModel, "", map[string]any{"target": id("f"), "user": 7, "order": 0}))
	w.run()
	w.settle()
	for name, test := range map[string]struct {
		key  any
		want int
	}{
		"a flow, which two bindings and a policy's name": {id("f"), 3}, "a stage": {id("s"), 1}, "a user by the number": {float64(7), 1},
		"nobody": {float64(8), 0}, "nothing": {"", 0}, "null": {nil, 0},
	} {
		if got := w.objects.Referrers(test.key); len(got) != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, want := range map[string]int{"login": 1, "Login": 0, "logi": 0, "login0": 0, "": 0} {
		if got := w.objects.Named(catalog.Flow, name); len(got) != want {
			t.Errorf("named %q: %+v", name, got)
		}
	}
}
