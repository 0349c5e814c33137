package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/handlers/importer"
	"github.com/flowledger/flowledger/projections"
)

// people is a blueprint of users and groups, of all states.
const people1 = `
version: 1
metadata: {name: people}
entries:
  - model: authentik_core.group
    state: created
    id: admins
    identifiers: {name: admins#}
    attrs: {is_superuser: true}
  - model: authentik_core.group
    state: must_created
    id: readers
    identifiers: {name: readers#}
    attrs: {parents: [!KeyOf admins]}
  - model: authentik_core.user
    state: created
    identifiers: {username: ada#}
    attrs: {name: Ada, groups: [!KeyOf admins, !KeyOf readers], password_hash: "pbkdf2_sha256$1$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
  - model: authentik_core.user
    state: must_created
    identifiers: {username: bob#}
    attrs: {name: Bob, groups: [!KeyOf readers]}
  - model: authentik_core.user
    identifiers: {username: cyd#}
    attrs: {name: Cyd}
  - model: authentik_flows.flow
    identifiers: {slug: gone#}
    state: absent
  - model: authentik_flows.flow
    state: must_created
    identifiers: {slug: here#}
    attrs: {name: Here, title: Here, designation: recovery}
`

const gone = `
version: 1
metadata: {name: gone}
entries:
  - model: authentik_flows.flow
    identifiers: {slug: gone#}
    attrs: {name: Gone, title: Gone, designation: recovery}
`

// named ends the names in a blueprint with a suffix.
func named(text, suffix string) string { return strings.ReplaceAll(text, "#", suffix) }

// census tells who and what there is whose name ends with a suffix.
func (a *app) census(t *testing.T, suffix string) []string {
	t.Helper()
	a.sync(t)
	var out []string
	users, _, err := a.users.List(t.Context(), projections.UserFilter{}, "username", projections.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if !strings.HasSuffix(u.Username, suffix) {
			continue
		}
		groups, err := a.users.Groups(t.Context(), u.ID, false)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, g := range groups {
			names = append(names, g.Name)
		}
		slices.Sort(names)
		out = append(out, fmt.Sprintf("user %s %q in %v", u.Username, u.Name, names))
	}
	groups, _, err := a.groups.List(t.Context(), projections.GroupFilter{}, false, projections.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if !strings.HasSuffix(g.Name, suffix) {
			continue
		}
		out = append(out, fmt.Sprintf("group %s, %d parents, superuser %t", g.Name, len(g.Parents), g.Superuser))
	}
	for _, f := range a.objects.Kind("authentik_flows.flow") {
		if slug, _ := f.Fields["slug"].(string); strings.HasSuffix(slug, suffix) {
			out = append(out, "flow "+slug)
		}
	}
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], suffix, "")
	}
	return out
}

var expected = []string{
	`user ada "Ada" in [admins readers]`, `user bob "Bob" in [readers]`, `user cyd "Cyd" in []`,
	"group admins, 0 parents, superuser true", "group readers, 1 parents, superuser false", "flow here",
}

// Whichever append of an import fails: nothing is done yet, or the next start
// does the rest.
func TestImportSurvivesACrash(t *testing.T) {
	a, f := newApp(t)
	for n := 1; ; n += every {
		suffix := fmt.Sprint("-", n, "-")
		a.load(t, named(gone, suffix))
		f.failAt(n)
		_, err := a.tryLoad(t, named(people1, suffix), false)
		appends := f.failAt(0)
		if err == nil {
			if appends >= n || n < 10 {
				t.Fatalf("append %d of %d is refused, and nobody says so", n, appends)
			}
			return
		}
		if !errors.Is(err, errRefused) {
			t.Fatalf("append %d is refused: %v", n, err)
		}
		a.sync(t)
		unfinished, err := a.imports.Unfinished(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := expected
		if len(unfinished) == 0 {
			want = []string{"flow gone"}
		}
		for range 2 {
			for _, id := range unfinished {
				if err := a.importer.Resume(t.Context(), id); err != nil {
					t.Fatalf("append %d was refused: %v", n, err)
				}
			}
		}
		if diff := cmp.Diff(want, a.census(t, suffix)); diff != "" {
			t.Errorf("append %d was refused (-want +got):\n%s", n, diff)
		}
		if left, err := a.imports.Unfinished(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("append %d was refused: unfinished %v, %v", n, left, err)
		}
	}
}

// An import that makes no sense any more after a crash ends, and keeps nobody
// from starting.
func TestResumeOfWhatOthersChanged(t *testing.T) {
	a, f := newApp(t)
	text := `
version: 1
metadata: {name: two}
entries:
  - model: authentik_flows.flow
    identifiers: {slug: first}
    attrs: {name: First, title: First, designation: recovery}
  - model: authentik_flows.flow
    state: must_created
    identifiers: {slug: second}
    attrs: {name: Second, title: Second, designation: recovery}
`
	f.failAt(3) // the second flow
	if _, err := a.tryLoad(t, text, false); !errors.Is(err, errRefused) {
		t.Fatalf("the import was to fail: %v", err)
	}
	f.failAt(0)
	a.load(t, named(strings.ReplaceAll(gone, "gone", "second"), ""))
	ids, err := a.imports.Unfinished(t.Context())
	if err != nil || len(ids) != 1 {
		t.Fatalf("unfinished %v, %v", ids, err)
	}
	if err := a.importer.Resume(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if left, err := a.imports.Unfinished(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("unfinished %v, %v", left, err)
	}
}

func TestImportTwice(t *testing.T) {
	a, _ := newApp(t)
	text := named(strings.ReplaceAll(people1, "must_created", "present"), "")
	did := a.load(t, text)
	if want := []string{"created admins", "created readers", "created Ada", "created Bob", "created Cyd", "created here"}; !cmp.Equal(did, want) {
		t.Errorf("did %v", did)
	}
	before := a.head(t)
	for _, line := range a.load(t, text) {
		if !strings.HasPrefix(line, "unchanged") {
			t.Errorf("again: %s", line)
		}
	}
	if a.head(t) != before {
		t.Errorf("appended %v", a.types(t, before))
	}
}

func TestDryRun(t *testing.T) {
	a, _ := newApp(t)
	did, err := a.tryLoad(t, named(people1, ""), true)
	if err != nil || len(did) != 6 {
		t.Errorf("would do %v, %v", did, err)
	}
	if got := a.types(t, 0); len(got) != 0 {
		t.Errorf("appended %v", got)
	}
}

// One bad entry, and nothing is done.
func TestImportIsAllOrNothing(t *testing.T) {
	a, _ := newApp(t)
	_, err := a.tryLoad(t, named(people1, "")+`
  - model: authentik_flows.flow
    identifiers: {slug: bad}
    attrs: {name: Bad, title: Bad, designation: nonsense}
`, false)
	fault, ok := errors.AsType[*blueprint.Error](err)
	if !ok || !strings.Contains(fault.Error(), "designation") {
		t.Errorf("refused with %v", err)
	}
	if got := a.types(t, 0); len(got) != 0 {
		t.Errorf("appended %v", got)
	}
}

func TestMemberships(t *testing.T) {
	a, _ := newApp(t)
	a.load(t, named(strings.ReplaceAll(people1, "must_created", "present"), ""))
	a.load(t, `
version: 1
metadata: {name: fewer}
entries:
  - model: authentik_core.user
    identifiers: {username: ada}
    attrs: {groups: [!Find [authentik_core.group, [name, readers]]]}
  - model: authentik_core.user
    identifiers: {username: cyd}
    state: absent
  - model: authentik_core.group
    identifiers: {name: admins}
    attrs: {users: [!Find [authentik_core.user, [username, bob]]]}
`)
	want := []string{
		`user ada "Ada" in [readers]`, `user bob "Bob" in [admins readers]`,
		"group admins, 0 parents, superuser true", "group readers, 1 parents, superuser false", "flow here",
	}
	if diff := cmp.Diff(want, a.census(t, "")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The published blueprints import as they are, and again without a change.
func TestPublishedBlueprints(t *testing.T) {
	const folder = "../../../shared/blueprints"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("there is no ../shared")
	}
	a, _ := newApp(t)
	for range 2 {
		before := a.head(t)
		for _, name := range []string{"flow-default-authentication-flow.yaml", "flow-default-invalidation-flow.yaml"} {
			text, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			a.load(t, string(text))
		}
		if before > 0 && a.head(t) != before {
			t.Errorf("the second time appends %v", a.types(t, before))
		}
	}
	if _, ok := a.objects.FlowBySlug("default-authentication-flow"); !ok {
		t.Error("there is no login flow")
	}
}

// A blueprint cannot fetch what only the server may read.
func TestFilesOfTheServer(t *testing.T) {
	a, _ := newApp(t)
	folder := t.TempDir()
	for name, mode := range map[string]os.FileMode{"private": 0o600, "group": 0o640, "public": 0o644} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("content of "+name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(folder, "private"), filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"private", "group", "public", "link", "."} {
		a.load(t, fmt.Sprintf(`
version: 1
metadata: {name: file}
entries:
  - model: authentik_flows.flow
    identifiers: {slug: file}
    attrs: {name: File, designation: recovery, title: !File [%q, nothing]}
`, filepath.Join(folder, name)))
		f, _ := a.objects.FlowBySlug("file")
		want := "nothing"
		if name == "public" {
			want = "content of public"
		}
		if got := f.Fields["title"]; got != want {
			t.Errorf("%s gives %q, want %q", name, got, want)
		}
	}
}

// A read model that does not answer must not look like one that is empty.
func TestImportWithoutReadModels(t *testing.T) {
	a, _ := newApp(t)
	a.load(t, named(strings.ReplaceAll(people1, "must_created", "present"), ""))
	gone, leave := context.WithCancel(t.Context())
	leave()
	view := a.shelf(gone)
	if got := view.All("authentik_core.user"); len(got) != 0 || view.Fault() == nil {
		t.Errorf("%d users, fault %v", len(got), view.Fault())
	}
	before, look := a.head(t), a.importer.Look
	a.importer.Look = func(context.Context) importer.View { return look(gone) }
	if _, err := a.tryLoad(t, named(people1, ""), false); err == nil {
		t.Error("imported without read models")
	}
	if a.head(t) != before {
		t.Errorf("appended %v", a.types(t, before))
	}
}
