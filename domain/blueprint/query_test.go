package blueprint

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
)

// A shelfOnly view has nothing but the things given.
type shelfOnly []Object

func (s shelfOnly) Get(ref, pk string) (Object, bool) {
	for _, o := range s {
		if o.PK == pk && isOf(o.Model, ref) {
			return o, true
		}
	}
	return Object{}, false
}

func (s shelfOnly) All(model string) []Object {
	var out []Object
	for _, o := range s {
		if o.Model == model {
			out = append(out, o)
		}
	}
	return out
}

func (shelfOnly) Used(string) bool { return false }

func (shelfOnly) SameSecret(string, string, domain.Secret) bool { return false }

func TestLookUps(t *testing.T) {
	const flow = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"
	view := shelfOnly{
		{Model: "authentik_core.user", PK: "10", Fields: map[string]any{
			"username": "Ada", "email": "", "is_active": true, "groups": []any{"g1", "g2"}, "path": nil,
			"attributes": map[string]any{"level": 3.0, "tags": []any{"a", "b"}, "deep": map[string]any{"x": "y"}},
		}},
		{Model: "authentik_flows.flow", PK: flow, Fields: map[string]any{"slug": "login"}},
		{Model: "authentik_flows.flowstagebinding", PK: "b1", Fields: map[string]any{"target": flow, "order": 10.0}},
	}
	tests := []struct {
		model, key string
		value      any
		want       bool
	}{
		{"authentik_core.user", "username", "Ada", true},
		{"authentik_core.user", "username", "ada", false},
		{"authentik_core.user", "username__iexact", "ADA", true},
		{"authentik_core.user", "username__contains", "da", true},
		{"authentik_core.user", "username__contains", "DA", false},
		{"authentik_core.user", "username__icontains", "DA", true},
		{"authentik_core.user", "username__startswith", "A", true},
		{"authentik_core.user", "username__istartswith", "aD", true},
		{"authentik_core.user", "username__endswith", "a", true},
		{"authentik_core.user", "username__iendswith", "DA", true},
		{"authentik_core.user", "username__endswith", "A", false},
		{"authentik_core.user", "username__regex", "^A.a$", true},
		{"authentik_core.user", "username__regex", "^a", false},
		{"authentik_core.user", "username__iregex", "^a", true},
		{"authentik_core.user", "username__in", []any{"x", "Ada"}, true},
		{"authentik_core.user", "username__in", []any{}, false},
		{"authentik_core.user", "username__gt", "AAA", true},
		{"authentik_core.user", "username__lte", "AAA", false},
		{"authentik_core.user", "email__isnull", false, true},
		{"authentik_core.user", "path__isnull", true, true},
		{"authentik_core.user", "path__startswith", "N", false},
		{"authentik_core.user", "pk", int64(10), true},
		{"authentik_core.user", "pk__in", []any{int64(9), int64(10)}, true},
		{"authentik_core.user", "pk__gt", int64(10), false},
		{"authentik_core.user", "is_active", "yes", true},
		{"authentik_core.user", "is_active", "perhaps", false},
		{"authentik_core.user", "attributes", map[string]any{"level": int64(3)}, false},
		{"authentik_core.user", "attributes__level", int64(3), true},
		{"authentik_core.user", "attributes__level__gte", int64(3), true},
		{"authentik_core.user", "attributes__level__lt", 3.5, true},
		{"authentik_core.user", "attributes__level__lt", "4", false},
		{"authentik_core.user", "attributes__deep__x", "y", true},
		{"authentik_core.user", "attributes__deep__x__y", "y", false},
		{"authentik_core.user", "attributes__none__isnull", true, true},
		{"authentik_core.user", "attributes__contains", map[string]any{"tags": []any{"b"}}, true},
		{"authentik_core.user", "attributes__contains", map[string]any{"tags": []any{"c"}}, false},
		{"authentik_core.user", "attributes__contains", map[string]any{"deep": "y"}, false},
		{"authentik_flows.flowstagebinding", "order", "10", true},
		{"authentik_flows.flowstagebinding", "order__gt", "9", true},
		{"authentik_flows.flowstagebinding", "order", "ten", false},
		{"authentik_flows.flowstagebinding", "target", flow, true},
		{"authentik_flows.flowstagebinding", "target__slug", "login", true},
		{"authentik_flows.flowstagebinding", "target__slug__in", []any{"login"}, true},
		{"authentik_flows.flowstagebinding", "target__slug", "other", false},
		{"authentik_flows.flowstagebinding", "stage__name", "gone", false},
	}
	for _, tt := range tests {
		v := newOverlay(view)
		one, err := v.newTest(tt.model, tt.key, tt.value)
		if err != nil {
			t.Errorf("%s = %v: %v", tt.key, tt.value, err)
			continue
		}
		_, got := v.first(tt.model, hintsOf([]*test{one}), func(o Object) bool { return one.match(v, o) })
		if got != tt.want {
			t.Errorf("%s = %v: found %t, want %t", tt.key, tt.value, got, tt.want)
		}
	}
}

func TestBadLookUps(t *testing.T) {
	tests := map[string]struct {
		key   string
		value any
	}{
		"a list is needed":   {"order__in", "10"},
		"a bad pattern":      {"order__regex", "("},
		"no key":             {"target", "x"},
		"no such field":      {"colour", "x"},
		"no such suffix":     {"order__about", 10},
		"no such field of a": {"target__colour", "x"},
	}
	for name, tt := range tests {
		if _, err := newOverlay(shelfOnly{}).newTest("authentik_flows.flowstagebinding", tt.key, tt.value); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The overlay answers like a view that has all changes.
func TestOverlay(t *testing.T) {
	group := func(pk, name string) Object {
		return Object{Model: "authentik_core.group", PK: pk, Fields: map[string]any{"name": name, "users": []any{int64(5)}}}
	}
	e := &entry{number: 1}
	v := newOverlay(shelfOnly{group("b", "second"), group("a", "first")})
	names := func() string {
		var out string
		for _, o := range v.All("authentik_core.group") {
			out += o.Fields["name"].(string) + " "
		}
		return out
	}
	check := func(step, want string) {
		t.Helper()
		if got := names(); got != want {
			t.Errorf("%s: %s, want %s", step, got, want)
		}
	}
	check("at first", "first second ")
	v.put(e, group("aa", "between"), nil, nil)
	check("with one more", "first between second ")
	o, _ := v.Get("group", "b")
	v.put(e, o, map[string]any{"name": "last"}, map[string]domain.Secret{"key": domain.NewSecret("x")})
	check("with another name", "first between last ")
	if o.Fields["name"] != "second" {
		t.Error("the view's own object was written")
	}
	if !v.SameSecret("b", "key", domain.NewSecret("x")) || v.SameSecret("b", "key", domain.NewSecret("y")) {
		t.Error("the secret is not the one that was set")
	}
	for _, name := range []string{"second", "last"} {
		_, found := v.first("group", []hint{{"name", name}}, func(o Object) bool { return o.Fields["name"] == name })
		if found != (name == "last") {
			t.Errorf("%s found: %t", name, found)
		}
	}
	v.remove(e, o, "")
	check("with one less", "first between ")
	if _, there := v.Get("group", "b"); there || !v.Used("b") || !v.Used("aa") || v.Used("c") {
		t.Error("Get and Used do not see the changes")
	}
	v.forget()
	check("read again", "first between ")
}
