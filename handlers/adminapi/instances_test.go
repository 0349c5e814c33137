package adminapi_test

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

// kept are the instances of a bench. A text that begins with bad is faulty.
type kept struct {
	instances map[string]adminapi.Instance
	texts     map[string]adminapi.InstanceTexts
	applied   []string // by whom, and what
}

func newKept() *kept {
	return &kept{instances: map[string]adminapi.Instance{}, texts: map[string]adminapi.InstanceTexts{}}
}

// Instances implements [adminapi.Instances].
func (k *kept) Instances(_ context.Context, f adminapi.InstanceFilter, order string, p adminapi.Page) ([]adminapi.Instance, int, error) {
	found := slices.DeleteFunc(slices.Collect(maps.Values(k.instances)), func(i adminapi.Instance) bool {
		return f.ID != "" && f.ID != i.ID || f.Name != "" && f.Name != i.Name || f.Path != "" && f.Path != i.Path ||
			!strings.Contains(i.Name+" "+i.Path, f.Search)
	})
	slices.SortFunc(found, func(a, b adminapi.Instance) int {
		if order == "-name" {
			a, b = b, a
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return cut(found, p), len(found), nil
}

// Texts implements [adminapi.Instances].
func (k *kept) Texts(_ context.Context, id string) (adminapi.InstanceTexts, error) {
	return k.texts[id], nil
}

// Available implements [adminapi.Instances].
func (k *kept) Available(context.Context) ([]adminapi.BlueprintFile, error) {
	return []adminapi.BlueprintFile{
		{Path: "a.yaml", Modified: now(), Hash: "h", Metadata: blueprint.Metadata{Name: "A", Labels: map[string]string{"l": "v"}}},
		{Path: "sub/b.yaml", Modified: now(), Hash: "i"},
	}, nil
}

// File implements [adminapi.Instances].
func (k *kept) File(path string) (blueprint.File, bool) {
	return blueprint.File{Name: path, Text: []byte("good")}, path == "sub/b.yaml"
}

// Keep implements [adminapi.Keeper].
func (k *kept) Keep(_ context.Context, _ session.Caller, id string, want adminapi.InstanceWish, create bool) error {
	i, there := k.instances[id]
	if there == create {
		return domain.Errorf(domain.Conflict, "It is there, or it is not.")
	}
	if create {
		i = adminapi.Instance{ID: id, Status: blueprint.Unknown, LastApplied: now()}
	}
	i.Name, i.Path, i.Enabled = want.Name, want.Path, want.Enabled
	k.instances[id], k.texts[id] = i, adminapi.InstanceTexts{Content: want.Content, Context: want.Context}
	return nil
}

// Drop implements [adminapi.Keeper].
func (k *kept) Drop(_ context.Context, _ session.Caller, id string) error {
	delete(k.instances, id)
	return nil
}

// Apply implements [adminapi.Keeper].
func (k *kept) Apply(_ context.Context, c session.Caller, id string) error {
	i, t := k.instances[id], k.texts[id]
	k.applied = append(k.applied, c.User+" "+i.Name)
	i.Status, i.Applied, i.Models, i.Metadata = blueprint.Successful, "hash", []string{"m"}, blueprint.Metadata{Name: "N"}
	if strings.HasPrefix(t.Content, "later") {
		i.Status, t.Reason = blueprint.Failed, "why"
	}
	k.instances[id], k.texts[id] = i, t
	return nil
}

// Try implements [adminapi.Keeper].
func (k *kept) Try(_ context.Context, name string, text []byte, with map[string]any) ([]blueprint.LogEvent, error) {
	if !strings.HasPrefix(string(text), "bad") {
		return nil, nil
	}
	return []blueprint.LogEvent{{Event: name + " is bad"}, {Event: "%s stays as it is"}}, nil
}

func TestInstancesAreRefused(t *testing.T) {
	b := newBench(t)
	b.want(201, http.MethodPost, "managed/blueprints/", fields{"name": "taken", "content": "good"})
	for name, tt := range map[string]struct {
		body fields
		want string
	}{
		"with nothing to apply":     {fields{"name": "n"}, `{"non_field_errors":["Either path or content must be set."]}`},
		"with empty texts":          {fields{"name": "n", "path": "", "content": ""}, `{"non_field_errors":["Either path or content must be set."]}`},
		"without a name":            {fields{"content": "good"}, `{"name":["This field is required."]}`},
		"with an empty one":         {fields{"name": "", "content": "good"}, `{"name":["This field may not be blank."]}`},
		"with null":                 {fields{"name": nil, "content": "good"}, `{"name":["This field may not be null."]}`},
		"with a name that is taken": {fields{"name": "taken", "content": "good"}, `{"name":["Blueprint Instance with this name already exists."]}`},
		"with a long one":           {fields{"name": strings.Repeat("x", 256), "content": "good"}, `{"name":["Ensure this field has no more than 255 characters."]}`},
		"with a file of nowhere":    {fields{"name": "n", "path": "../a.yaml"}, `{"path":["Blueprint file does not exist"]}`},
		"with a registry":           {fields{"name": "n", "path": "oci://example.org/b"}, `{"path":["Blueprints are not fetched from registries. Put the file into the blueprint folder, or give its content."]}`},
		"with a bad text":           {fields{"name": "n", "content": "bad"}, `{"content":["Failed to validate blueprint","- n is bad","- %s stays as it is"]}`},
		"with a context of a list":  {fields{"name": "n", "content": "good", "context": []any{1}}, `"context"`},
		"with a text that is none":  {fields{"name": "n", "content": []any{1}}, `"content"`},
		"with another truth":        {fields{"name": "n", "content": "good", "enabled": "perhaps"}, `"enabled"`},
	} {
		if got := b.do(admin, http.MethodPost, "managed/blueprints/", tt.body); got.status != 400 || !strings.Contains(got.text, tt.want) {
			t.Errorf("%s: got %d %s, want %s", name, got.status, got.text, tt.want)
		}
	}
	if len(b.kept.instances) != 1 {
		t.Errorf("kept: %v", b.kept.instances)
	}
}

func TestInstance(t *testing.T) {
	b := newBench(t)
	made := b.want(201, http.MethodPost, "managed/blueprints/", fields{"name": "one", "content": "good: 1\n", "context": fields{"a": "b"}})
	path := "managed/blueprints/" + made.str("pk") + "/"
	want := map[string]any{
		"pk": made.str("pk"), "name": "one", "path": "", "content": "good: 1\n", "context": map[string]any{"a": "b"}, "enabled": true,
		"status": "unknown", "last_applied": "2026-11-22T12:00:00Z", "last_applied_hash": "", "managed_models": []any{}, "metadata": map[string]any{},
	}
	check := func(got reply) {
		t.Helper()
		if diff := gocmp.Diff(any(want), got.json); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	check(made)
	check(b.want(200, http.MethodGet, path, nil))
	want["enabled"] = false
	check(b.want(200, http.MethodPatch, path, fields{"enabled": false}))
	want["path"] = "a.yaml"
	check(b.want(200, http.MethodPatch, path, fields{"path": "a.yaml"}))
	want["path"], want["name"], want["content"] = "", "other", "later"
	check(b.want(200, http.MethodPut, path, fields{"name": "other", "content": "later"})) // the path has a default
	b.want(400, http.MethodPut, path, fields{"content": "later"})
	b.want(400, http.MethodPatch, path, fields{"content": ""})
	b.want(200, http.MethodPatch, path, fields{"name": "other"}) // its own name
	want["status"], want["last_applied_hash"], want["managed_models"] = "error", "hash", []any{"m"}
	want["metadata"] = map[string]any{"name": "N", "labels": map[string]any{}, "error": "why"}
	check(b.want(200, http.MethodPost, path+"apply/", fields{}))
	if len(b.kept.applied) != 1 || !strings.HasSuffix(b.kept.applied[0], " other") {
		t.Errorf("applied: %q", b.kept.applied)
	}
	if got := b.want(200, http.MethodGet, path+"used_by/", nil); got.text != "[]" {
		t.Errorf("used by %s", got.text)
	}
	b.want(204, http.MethodDelete, path, nil)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		b.want(404, method, path, nil)
	}
	b.want(404, http.MethodPost, path+"apply/", nil)
	b.want(404, http.MethodGet, path+"used_by/", nil)
}

func TestInstanceList(t *testing.T) {
	b := newBench(t)
	b.want(201, http.MethodPost, "managed/blueprints/", fields{"name": "one", "content": "good"})
	b.want(201, http.MethodPost, "managed/blueprints/", fields{"name": "two", "path": "sub/b.yaml"})
	for query, want := range map[string][]any{
		"": {"one", "two"}, "?name=one": {"one"}, "?path=sub/b.yaml": {"two"}, "?search=sub": {"two"}, "?ordering=-name": {"two", "one"},
		"?page_size=1&page=2": {"two"}, "?name=none": nil,
	} {
		got := b.want(200, http.MethodGet, "managed/blueprints/"+query, nil)
		var names []any
		for _, one := range got.at("results").([]any) {
			names = append(names, one.(map[string]any)["name"])
		}
		if diff := gocmp.Diff(want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	want := []any{
		map[string]any{"path": "a.yaml", "last_m": "2026-11-22T12:00:00Z", "hash": "h", "meta": map[string]any{"name": "A", "labels": map[string]any{"l": "v"}}},
		map[string]any{"path": "sub/b.yaml", "last_m": "2026-11-22T12:00:00Z", "hash": "i", "meta": map[string]any{"name": "", "labels": map[string]any{}}},
	}
	if diff := gocmp.Diff(any(want), b.want(200, http.MethodGet, "managed/blueprints/available/", nil).json); diff != "" {
		t.Errorf("available (-want +got):\n%s", diff)
	}
}

// Who may look at instances sees neither their texts, which may hold passwords,
// nor may they write any: an instance can do everything.
func TestInstancesForThoseWhoMayLook(t *testing.T) {
	b := newBench(t)
	made := b.want(201, http.MethodPost, "managed/blueprints/", fields{"name": "one", "content": "password: x", "context": fields{"a": "b"}})
	path := "managed/blueprints/" + made.str("pk") + "/"
	const all = "authentik_blueprints."
	b.callers["auditor"] = session.Caller{User: b.callers[member].User, Token: "t", Granted: session.Grants{
		all + "view_blueprintinstance": true, all + "add_blueprintinstance": true, all + "change_blueprintinstance": true,
		all + "delete_blueprintinstance": true,
	}}
	got := b.do("auditor", http.MethodGet, path, nil)
	if got.status != 200 || got.str("content") != "" || len(got.at("context").(map[string]any)) != 0 || got.str("name") != "one" {
		t.Errorf("got %d %s", got.status, got.text)
	}
	if got := b.do("auditor", http.MethodGet, "managed/blueprints/", nil); got.status != 200 || strings.Contains(got.text, "password") {
		t.Errorf("got %d %s", got.status, got.text)
	}
	for _, refused := range []struct{ method, path string }{
		{http.MethodPost, "managed/blueprints/"}, {http.MethodPut, path}, {http.MethodPatch, path}, {http.MethodDelete, path},
		{http.MethodPost, path + "apply/"}, {http.MethodPost, "managed/blueprints/import/"},
	} {
		if got := b.do("auditor", refused.method, refused.path, fields{"name": "n", "content": "good"}); got.status != 403 {
			t.Errorf("%s %s: got %d %s", refused.method, refused.path, got.status, got.text)
		}
	}
}
