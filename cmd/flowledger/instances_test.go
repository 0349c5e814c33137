package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/projections"
)

// A shelved app is one with a blueprint folder that a test fills.
type shelved struct {
	*app
	t    *testing.T
	said *bytes.Buffer
	age  time.Duration // of the next file
}

func newShelved(t *testing.T) (*shelved, *faulty) {
	a, f := newApp(t)
	w := &shelved{app: a, t: t, said: &bytes.Buffer{}, age: time.Hour}
	a.library.Folder, a.library.Log = t.TempDir(), slog.New(slog.NewTextHandler(w.said, nil))
	a.keeper.Log = a.library.Log
	at := time.Now()
	a.library.Now = func() time.Time { return at } // a look takes no time, so the next one may follow at once
	return w, f
}

// put writes a file, each later than the last.
func (w *shelved) put(path, text string) {
	w.t.Helper()
	w.age -= time.Second
	name := filepath.Join(w.library.Folder, path)
	at := time.Now().Add(-w.age)
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644), os.Chtimes(name, at, at),
	} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *shelved) remove(path string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.library.Folder, path)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *shelved) look() {
	w.t.Helper()
	if err := w.keeper.Sync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.app.sync(w.t)
}

// instanceList tells which instances there are, and how they are.
func (w *shelved) instanceList() []string {
	w.t.Helper()
	found, _, err := w.instances.List(w.t.Context(), projections.InstanceFilter{}, "path", projections.Page{})
	if err != nil {
		w.t.Fatal(err)
	}
	out := []string{}
	for _, i := range found {
		out = append(out, fmt.Sprintf("%s (%s): %s", i.Name, i.Path, i.Status))
	}
	return out
}

func (w *shelved) want(sentence string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), w.instanceList()); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", sentence, diff)
	}
}

// title is that of a flow; empty if there is none.
func (w *shelved) title(slug string) string {
	flow, _ := w.objects.FlowBySlug(slug)
	title, _ := flow.Fields["title"].(string)
	return title
}

// aFlow is a blueprint of one flow.
func aFlow(name, slug, title string) string {
	return fmt.Sprintf("version: 1\nmetadata: {name: %s}\nentries:\n- model: authentik_flows.flow\n  identifiers: {slug: %s}\n  attrs: {name: F, title: %s, designation: recovery}\n", name, slug, title)
}

func TestFolder(t *testing.T) {
	w, _ := newShelved(t)
	w.put("a.yaml", aFlow("A", "one", "First"))
	w.put("sub/b.yaml", "version: 1\n")
	w.put("held.yaml", strings.Replace(aFlow("H", "held", "Held"), "{name: H}", "{name: H, labels: {blueprints.goauthentik.io/instantiate: 'false'}}", 1))
	w.look()
	w.want("new files are applied", "A (a.yaml): successful", "sub/b.yaml (sub/b.yaml): successful")
	if w.title("one") != "First" || w.title("held") != "" {
		t.Errorf("flows: %q, %q", w.title("one"), w.title("held"))
	}
	before := w.head(t)
	w.look()
	w.library.Forget()
	w.look()
	if w.head(t) != before {
		t.Errorf("nothing changed, and there are %v", w.types(t, before))
	}
	w.put("a.yaml", aFlow("A", "one", "Second"))
	w.look()
	if got := w.title("one"); got != "Second" {
		t.Errorf("the file changed, and the title is %q", got)
	}

	w.put("a.yaml", aFlow("A", "one", "Third")+"  nonsense: [\n")
	w.look()
	w.want("a broken file is an error", "A (a.yaml): error", "sub/b.yaml (sub/b.yaml): successful")
	w.put("a.yaml", strings.Replace(aFlow("A", "one", "Third"), "recovery", "nonsense", 1))
	w.look()
	w.want("so is a wrong entry", "A (a.yaml): error", "sub/b.yaml (sub/b.yaml): successful")
	if got := w.title("one"); got != "Second" {
		t.Errorf("the file is faulty, and the title is %q", got)
	}
	if said := w.said.String(); !strings.Contains(said, "a.yaml:6: entry 1 (model authentik_flows.flow), field designation") {
		t.Errorf("the log does not say where and why:\n%s", said)
	}
	texts, err := (&instances{w.app}).Texts(t.Context(), w.keeper.FoundID("a.yaml"))
	if err != nil || !strings.Contains(texts.Reason, "designation") {
		t.Errorf("the instance says %q, %v", texts.Reason, err)
	}

	w.remove("a.yaml")
	w.look()
	w.want("an instance goes with its file", "sub/b.yaml (sub/b.yaml): successful")
	if got := w.title("one"); got != "Second" {
		t.Errorf("the file is gone, and the title is %q", got)
	}
	w.put("a.yaml", aFlow("A", "one", "Fourth"))
	w.look()
	if got := w.title("one"); got != "Fourth" {
		t.Errorf("the file is back, and the title is %q", got)
	}
	if err := os.Rename(w.library.Folder, w.library.Folder+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := w.keeper.Sync(t.Context()); err == nil {
		t.Error("a folder that is gone is no error")
	}
	w.want("and nothing is missed", "A (a.yaml): successful", "sub/b.yaml (sub/b.yaml): successful")
}

// One file may need what another makes, in any order, and the failure of one
// stops no other.
func TestFolderInAnyOrder(t *testing.T) {
	w, _ := newShelved(t)
	needs := func(slug, of string) string {
		return fmt.Sprintf("version: 1\nentries:\n- model: authentik_flows.flow\n  conditions: [!AtIndex [[1], !If [!Find [authentik_flows.flow, [slug, %s]], 0, 1]]]\n  identifiers: {slug: %s}\n  attrs: {name: F, title: T, designation: recovery}\n", of, slug)
	}
	w.put("1.yaml", needs("one", "two"))
	w.put("2.yaml", needs("two", "three"))
	w.put("3.yaml", aFlow("Three", "three", "T"))
	w.put("4.yaml", needs("four", "nothing"))
	w.put("5.yaml", "version: 1\nentries: [{model: x.y}]")
	w.look()
	w.want("all that can be applied is", "1.yaml (1.yaml): successful", "2.yaml (2.yaml): successful", "Three (3.yaml): successful",
		"4.yaml (4.yaml): error", "5.yaml (5.yaml): error")
	if n := strings.Count(w.said.String(), "was not applied"); n != 2 {
		t.Errorf("said %d times that something was not applied:\n%s", n, w.said)
	}
	before := w.head(t)
	w.look()
	if w.head(t) != before || strings.Count(w.said.String(), "was not applied") != 2 {
		t.Errorf("again: %v\n%s", w.types(t, before), w.said)
	}
	w.put("6.yaml", aFlow("Six", "nothing", "T"))
	w.look()
	w.want("what was missing came", "1.yaml (1.yaml): successful", "2.yaml (2.yaml): successful", "Three (3.yaml): successful",
		"4.yaml (4.yaml): successful", "5.yaml (5.yaml): error", "Six (6.yaml): successful")
}

// Names are unique. Who comes later is called by its path.
func TestFolderNames(t *testing.T) {
	w, _ := newShelved(t)
	w.put("a.yaml", aFlow("Same", "a", "A"))
	w.put("b.yaml", aFlow("Same", "b", "B"))
	w.look()
	w.put("c.yaml", aFlow("b.yaml", "c", "C"))
	w.look()
	w.want("names", "Same (a.yaml): successful", "b.yaml (b.yaml): successful", "c.yaml (c.yaml): successful")
}

// What somebody made or changed stays as an orphan when its file goes.
func TestOrphans(t *testing.T) {
	w, _ := newShelved(t)
	api, c := &instances{w.app}, session.Caller{User: uuid.NewString(), Superuser: true, Request: "r"}
	w.put("a.yaml", strings.Replace(aFlow("A", "one", "!Context title"), "version: 1", "version: 1\ncontext: {title: Plain}", 1))
	w.put("b.yaml", aFlow("B", "two", "T"))
	w.look()
	id := w.keeper.FoundID("a.yaml")
	with := adminapi.InstanceWish{Name: "A", Path: "a.yaml", Context: map[string]any{"title": "Given"}, Enabled: true}
	if err := api.Keep(t.Context(), c, id, with, false); err != nil {
		t.Fatal(err)
	}
	w.look()
	if got := w.title("one"); got != "Given" {
		t.Errorf("with another context, the title is %q", got)
	}
	w.remove("a.yaml")
	w.remove("b.yaml")
	w.look()
	w.want("an orphan", "A (a.yaml): orphaned")
	before := w.head(t)
	w.look()
	if w.head(t) != before {
		t.Errorf("again: %v", w.types(t, before))
	}
	w.put("a.yaml", aFlow("A", "one", "Back"))
	w.look()
	w.want("it is back", "A (a.yaml): successful")
	with.Enabled = false
	if err := api.Keep(t.Context(), c, id, with, false); err != nil {
		t.Fatal(err)
	}
	w.put("a.yaml", aFlow("A", "one", "Unseen"))
	w.look()
	if err := api.Apply(t.Context(), c, id); err != nil || w.title("one") != "Back" {
		t.Errorf("a disabled one is applied: %q, %v", w.title("one"), err)
	}
}

// Whichever append fails: the next look finds what is left to do, and does not
// do it twice.
func TestFolderSurvivesACrash(t *testing.T) {
	w, f := newShelved(t)
	for n := 1; ; n++ {
		slug := fmt.Sprintf("flow-%d", n)
		w.put("a.yaml", named(people1, slug))
		w.put("b.yaml", "version: 1\nentries: [{model: x.y}] # "+slug)
		if n%2 == 0 {
			w.put("c.yaml", aFlow("C", "c", slug))
		} else if n > 1 {
			w.remove("c.yaml")
		}
		f.failAt(n)
		err := w.keeper.Sync(t.Context())
		appends := f.failAt(0)
		w.look()
		states := []string{"people (a.yaml): successful", "b.yaml (b.yaml): error"}
		if n%2 == 0 {
			states = append(states, "C (c.yaml): successful")
			if got := w.title("c"); got != slug {
				t.Errorf("append %d: the title is %q", n, got)
			}
		}
		w.want(fmt.Sprint("append ", n), states...)
		if got := w.title("here" + slug); got != "Here" {
			t.Errorf("append %d: the flow is %q", n, got)
		}
		before := w.head(t)
		w.look()
		if w.head(t) != before {
			t.Errorf("append %d: the look after that appends %v", n, w.types(t, before))
		}
		if err == nil {
			if appends >= n || n < 10 {
				t.Fatalf("append %d of %d is refused, and nobody says so", n, appends)
			}
			return
		}
	}
}

// Two keepers of one ledger make one instance of a file, and apply it once.
func TestTwoNodes(t *testing.T) {
	w, _ := newShelved(t)
	other := *w.keeper
	for _, title := range []string{"First", "Second"} {
		w.put("a.yaml", aFlow("A", "one", title))
		before := w.head(t)
		done := make(chan error)
		for _, k := range []func() error{
			func() error { return w.keeper.Sync(t.Context()) }, func() error { return other.Sync(t.Context()) },
		} {
			go func() { done <- k() }()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		w.sync(t)
		var finished int
		for _, typ := range w.types(t, before) {
			if typ == "BlueprintImportFinished" || typ == "BlueprintAdded" && title == "Second" {
				finished++
			}
		}
		if finished != 1 {
			t.Errorf("%s: %v", title, w.types(t, before))
		}
		w.want("one", "A (a.yaml): successful")
	}
}

const asks = "version: 1\nentries:\n- model: authentik_blueprints.metaapplyblueprint\n  attrs: {identifiers: {name: %s}}\n" +
	"- model: authentik_flows.flow\n  identifiers: {slug: after}\n  attrs: {name: F, title: !AtIndex [!FindObject [authentik_flows.flow, [slug, one]], title], designation: recovery}\n"

// A blueprint may ask for an instance, which is applied before it.
func TestMetaApply(t *testing.T) {
	w, f := newShelved(t)
	if _, err := w.tryLoad(t, fmt.Sprintf(asks, "A"), false); err == nil || !strings.Contains(err.Error(), "Required blueprint does not exist") {
		t.Errorf("what is not there: %v", err)
	}
	api, c := &instances{w.app}, session.Caller{User: uuid.NewString(), Superuser: true, Request: "r"}
	id := uuid.NewString()
	wish := adminapi.InstanceWish{Name: "A", Content: aFlow("Inside", "one", "!Context title"), Context: map[string]any{"title": "Asked"}, Enabled: true}
	if err := api.Keep(t.Context(), c, id, wish, true); err != nil {
		t.Fatal(err)
	}
	w.sync(t)
	if _, err := w.tryLoad(t, fmt.Sprintf(asks, "A"), true); err != nil || w.title("one") != "" {
		t.Errorf("a dry run: %q, %v", w.title("one"), err)
	}
	w.want("a dry run", "A (): unknown")
	f.failAt(4) // the flow of the instance, after its start; the outer import has not begun
	_, _ = w.tryLoad(t, fmt.Sprintf(asks, "A"), false)
	f.failAt(0)
	w.load(t, fmt.Sprintf(asks, "A")+"# again")
	w.want("applied", "A (): successful")
	if w.title("one") != "Asked" || w.title("after") != "Asked" {
		t.Errorf("flows: %q, %q", w.title("one"), w.title("after"))
	}
	before := w.head(t)
	w.load(t, fmt.Sprintf(asks, "A"))
	if w.head(t) != before {
		t.Errorf("again: %v", w.types(t, before))
	}
	wish.Content = "version: 1\nentries: [{model: x.y}]"
	if err := api.Keep(t.Context(), c, id, wish, false); err != nil {
		t.Fatal(err)
	}
	w.sync(t)
	w.load(t, fmt.Sprintf(asks, "A"))
	w.want("its failure is its own", "A (): error")
	w.load(t, fmt.Sprintf(asks, "Default - Authentication flow")) // which the first start applies
}

// What no event can hold is refused before anything is begun: the import could
// never be finished.
func TestImportOfWhatIsTooLarge(t *testing.T) {
	w, _ := newShelved(t)
	before := w.head(t)
	_, err := w.tryLoad(t, aFlow("A", "one", strings.Repeat("x", 70<<10)), false)
	if err == nil || !strings.Contains(err.Error(), "larger than") || w.head(t) != before {
		t.Errorf("refused with %v, appended %v", err, w.types(t, before))
	}
	w.put("a.yaml", aFlow("A", "one", strings.Repeat("x", 70<<10)))
	w.look()
	w.want("too large", "A (a.yaml): error")
}

// The texts of an instance are readable for as long as it has them.
func TestTextsOfAnInstance(t *testing.T) {
	w, _ := newShelved(t)
	api, c := &instances{w.app}, session.Caller{User: uuid.NewString(), Superuser: true, Request: "r"}
	id := uuid.NewString()
	wish := adminapi.InstanceWish{Name: "A", Content: aFlow("A", "one", "First"), Context: map[string]any{"secret": "s"}, Enabled: true}
	if err := api.Keep(t.Context(), c, id, wish, true); err != nil {
		t.Fatal(err)
	}
	texts, err := api.Texts(t.Context(), id)
	if err != nil || texts.Content != wish.Content || texts.Context["secret"] != "s" {
		t.Errorf("texts: %+v, %v", texts, err)
	}
	credentials := map[string]bool{}
	note := func() {
		s, _, err := w.importHandler.Load(t.Context(), eventstore.Stream("blueprint", id))
		if err != nil {
			t.Fatal(err)
		}
		credentials[s.Terms.CredentialID] = true
	}
	note()
	wish.Enabled = false
	if err := api.Keep(t.Context(), c, id, wish, false); err != nil {
		t.Fatal(err)
	}
	if texts, err := api.Texts(t.Context(), id); err != nil || texts.Content != wish.Content {
		t.Errorf("after a change: %+v, %v", texts, err)
	}
	note()
	if err := api.Drop(t.Context(), c, id); err != nil {
		t.Fatal(err)
	}
	delete(credentials, "")
	if len(credentials) != 2 {
		t.Errorf("credentials: %v", credentials)
	}
	for of := range credentials {
		if key, _, err := w.vault.Key(t.Context(), "C/credential:"+of); key != nil || err != nil {
			t.Errorf("the key of %s is there, %v", of, err)
		}
	}
}
