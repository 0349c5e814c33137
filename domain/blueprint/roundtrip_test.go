package blueprint_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
)

// comesBack exports a flow, imports it on an instance that has only the same
// people, and expects an equal instance and an equal second export.
func (w *world) comesBack(t *testing.T, slug string) {
	t.Helper()
	first := w.exported(t, slug)
	empty := newWorld()
	for _, o := range w.All("authentik_core.user") {
		empty.objects[o.PK] = o
	}
	env := empty.env()
	env.Context = map[string]any{}
	for _, line := range strings.Split(string(first.Text), "\n") {
		if _, key, ok := strings.Cut(line, "!Context "); ok {
			env.Context[key] = "hush"
		}
	}
	result, err := empty.try(string(first.Text), env)
	if err != nil {
		t.Fatalf("import: %v\n%s", err, numbered(first.Text))
	}
	if got := len(result.Changes); got != first.Count {
		t.Errorf("the import touches %d things of %d", got, first.Count)
	}
	empty.apply(result.Changes)
	second := empty.exported(t, slug)
	if diff := cmp.Diff(string(first.Text), string(second.Text)); diff != "" {
		t.Fatalf("second export (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(w.known(t, first), empty.known(t, first)); diff != "" {
		t.Errorf("instances (-first +second):\n%s", diff)
	}
}

func numbered(text []byte) string {
	var b strings.Builder
	for i, line := range strings.Split(string(text), "\n") {
		fmt.Fprintf(&b, "%4d %s\n", i+1, line)
	}
	return b.String()
}

func TestShippedFlowsComeBack(t *testing.T) {
	flows := 0
	for _, f := range append([]blueprint.File{{}}, blueprint.Optional()...) {
		w := newWorld()
		for _, d := range blueprint.Defaults() {
			w.imported(t, string(d.Text))
		}
		if f.Name != "" {
			w.imported(t, string(f.Text))
		}
		for _, o := range w.All("authentik_flows.flow") {
			flows++
			t.Run(fmt.Sprint(f.Name, " ", o.Fields["slug"]), func(t *testing.T) { w.comesBack(t, o.Fields["slug"].(string)) })
		}
	}
	if flows < 30 {
		t.Errorf("only %d flows were tried", flows)
	}
}

func TestSharedFlowsComeBack(t *testing.T) {
	files := sharedFiles(t)
	flows := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld()
		result, err := w.shared(file, text, map[string]any{blueprint.LenientKey: true})
		if err != nil {
			continue // TestSharedFilesImport says which
		}
		w.apply(result.Changes)
		for _, o := range w.All("authentik_flows.flow") {
			flows++
			t.Run(filepath.Base(file)+" "+o.Fields["slug"].(string), func(t *testing.T) { w.comesBack(t, o.Fields["slug"].(string)) })
		}
	}
	if flows < 15 {
		t.Errorf("only %d flows were tried", flows)
	}
}

const sharedFolder = "../../../shared/blueprints/"

// sharedFiles lists the blueprints that are published.
func sharedFiles(t *testing.T) []string {
	t.Helper()
	files, _ := filepath.Glob(sharedFolder + "*.yaml")
	if len(files) == 0 {
		t.Skip("the shared blueprints are not here")
	}
	return append(files, sharedFolder+"login-2fa.akflow", sharedFolder+"akflow-json/login-2fa.akflow")
}

// oddities are texts that YAML readers take for something else.
var oddities = []string{
	"yes", "No", "on", "y", "null", "~", "true", "1e3", "1.5e+3", "0777", "0x1f", "1_000", "1:30", ".inf", "2028-12-31", "-1", "+.5", "- item",
	"? key", "! tag", "!KeyOf x", "&anchor", "*alias", "key: value", "key:", "#comment", "text # comment", "{a: 1}", "[a]", "%YAML 1.1", "@at", "`tick`",
	"|", ">", ">-\n x", "'quoted'", `"quoted"`, `back\slash`, "a\nb", "a\n\nb\n", "a\nb\n\n", "\na", "a\n", "\ta\n\tb", "  a\n b", "a \nb", "a\n \nb", "a\n\tb",
	"a\r\nb", "a\rb", "\u0085", "a\u2028b", "\ufeffa", "\u00a0", "tab\there", "---", "...", "--- a\n...\nb", "<<", "=", "%(app)s", "Ünï ☃ 世界 🦆", "\U0010ffff", "\x00\x01\x7f",
	"a: |\n  b", "# x\n# y", strings.Repeat("long ", 3000), strings.Repeat("x", 20_000), ",", "]", "}", "a, b", "''", "null ", "x\n---\ny", "x\n...\n", "\\u0041", "<script>",
}

// A maker makes flows of everything that there is.
type maker struct {
	*rand.Rand
	w    *world
	made int
}

func (m *maker) text() string {
	if m.IntN(3) > 0 {
		return oddities[m.IntN(len(oddities))]
	}
	var b strings.Builder
	for range m.IntN(30) {
		b.WriteString(oddities[m.IntN(len(oddities)-6)][:1])
	}
	return strings.ToValidUTF8(b.String(), "?")
}

func (m *maker) pk() string {
	m.made++
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%d/%d", m.Uint64(), m.made)).String()
}

// value makes a value of a field, or nil if there is none to be had.
func (m *maker) value(f catalog.Field) any {
	switch {
	case f.Type == catalog.Reference:
		var keys []any
		for _, pk := range slices.Sorted(maps.Keys(m.w.objects)) {
			if m.w.is(m.w.objects[pk], f.Ref) {
				keys = append(keys, pk)
			}
		}
		m.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		if f.Many {
			return keys[:m.IntN(len(keys)+1)]
		}
		if len(keys) == 0 {
			return nil
		}
		return keys[0]
	case f.Many:
		list := []any{}
		for range m.IntN(4) {
			list = append(list, m.one(f))
		}
		return list
	}
	return m.one(f)
}

func (m *maker) one(f catalog.Field) any {
	switch f.Type {
	case catalog.Bool:
		return m.IntN(2) == 0
	case catalog.Int:
		lo, hi := -1<<31, 1<<31-1
		if f.Min != nil {
			lo = *f.Min
		}
		if f.Max != nil {
			hi = *f.Max
		}
		return float64(lo + m.IntN(min(hi-lo, 1<<40)+1))
	case catalog.Float:
		return []float64{0.25, 1e-9, -3.5, 1e300, 7, 0.1}[m.IntN(6)]
	case catalog.Duration:
		return fmt.Sprintf("hours=%d;minutes=%d", m.IntN(9), m.IntN(60))
	case catalog.Time:
		return "2028-12-31T23:59:59Z"
	case catalog.Map:
		return map[string]any{m.text(): m.text(), "n": []any{1.5, nil, true, map[string]any{strings.Repeat("k", 2000): "v"}}}
	}
	if len(f.Enum) > 0 {
		return f.Enum[m.IntN(len(f.Enum))]
	}
	return m.text()
}

// valid are values that a kind demands or that chance would not find.
var valid = map[string]any{
	"expression": "return True", "countries": []any{"DE", "FR"}, "user_fields": []any{"email"}, "action": "login",
	"target_static": "https://example.org/", "template": "email/account_confirmation.html", "query": `action = "login"`,
	"from_address": "mail@example.org",
}

// thing makes a thing of a kind, with values that the kind accepts.
func (m *maker) thing(kind catalog.Kind) {
	fields := kind.Defaults()
	for name, v := range valid {
		if _, ok := kind.Field(name); ok && kind.Category != catalog.Prompt {
			fields[name] = v
		}
	}
	fields["name"] = fmt.Sprint("name ", m.made)
	pk := m.pk()
	all := slices.Clone(kind.Fields()) // in any order: what one field may be can depend on another
	m.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	standard := kind.Defaults()
	for _, f := range all {
		if f.Secret {
			delete(fields, f.Name)
			if m.IntN(2) == 0 || f.Required {
				m.w.secrets[pk+"/"+f.Name] = domain.NewSecret("hush")
			}
			continue
		}
		if _, ok := valid[f.Name]; ok && m.IntN(2) == 0 {
			continue
		}
		for range 20 {
			v := m.value(f)
			switch {
			case f.Name == "name" || f.Name == "slug":
				v = fmt.Sprint(v, m.made)
			case f.Name == "expression" && m.IntN(2) == 0:
				v = "if True:\n    return \"a: b\"\n# end"
			}
			if f.Slug {
				v = fmt.Sprint("slug-", m.made)
			}
			cleaned, problem := f.Clean(v)
			if problem != "" {
				continue
			}
			before := fields[f.Name]
			fields[f.Name] = asJSON(cleaned)
			if kind.Validate(fields) != nil {
				fields[f.Name] = before
			} else if !reflect.DeepEqual(fields[f.Name], standard[f.Name]) {
				break
			}
		}
	}
	if kind.Validate(fields) != nil {
		return
	}
	_, problems := kind.Clean(fields, true)
	if problems == nil {
		m.w.objects[pk] = blueprint.Object{Model: kind.Model, PK: pk, Fields: fields}
	}
}

// asJSON is a value as the ledger gives it back.
func asJSON(v any) any {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	return v
}

// world makes one of all kinds that a flow can have, several of some.
func (m *maker) world(t *testing.T) *world {
	m.w = newWorld()
	m.w.imported(t, "version: 1\nentries:\n"+
		"- {model: authentik_core.user, identifiers: {username: ada}, attrs: {name: Ada}}\n"+
		"- {model: authentik_core.group, identifiers: {name: \"a: 'group'\"}}\n")
	kinds := map[catalog.Category][]catalog.Kind{}
	for _, k := range catalog.All() {
		kinds[k.Category] = append(kinds[k.Category], k)
	}
	for _, c := range []catalog.Category{catalog.Flow, catalog.Flow, catalog.Prompt, catalog.Prompt, catalog.Policy, catalog.Policy, catalog.Stage, catalog.Stage} {
		for _, k := range kinds[c] {
			m.thing(k)
		}
	}
	m.circles()
	for range 60 {
		m.binding(kinds[catalog.StageBinding][0])
	}
	for range 30 {
		m.binding(kinds[catalog.PolicyBinding][0])
	}
	return m.w
}

// circles lets things refer to what came after them, and to themselves.
func (m *maker) circles() {
	for _, pk := range slices.Sorted(maps.Keys(m.w.objects)) {
		o := m.w.objects[pk]
		kind, _ := catalog.Lookup(o.Model)
		for _, f := range kind.Fields() {
			if kind.Category == catalog.Stage && f.Type == catalog.Reference && m.IntN(2) == 0 {
				before := o.Fields[f.Name]
				if v := m.value(f); v != nil {
					o.Fields[f.Name] = v
				}
				if kind.Validate(o.Fields) != nil {
					o.Fields[f.Name] = before
				}
			}
		}
	}
}

// binding makes a binding that the importer would accept.
func (m *maker) binding(kind catalog.Kind) {
	fields := kind.Defaults()
	for _, f := range kind.Fields() {
		fields[f.Name] = m.value(f)
	}
	fields["order"] = float64(m.IntN(3) - 1)
	if kind.Category == catalog.PolicyBinding {
		one := []string{"policy", "group", "user"}[m.IntN(3)]
		for _, name := range []string{"policy", "group", "user"} {
			if name != one {
				fields[name] = nil
			}
		}
		if key, ok := fields["user"].(string); ok {
			fields["user"] = float64(atoi(key))
		}
	}
	for _, other := range m.w.All(kind.Model) {
		clash := true
		for _, name := range []string{"target", "stage", "order", "policy", "group", "user"} {
			clash = clash && reflect.DeepEqual(other.Fields[name], fields[name])
		}
		if clash && (kind.Category == catalog.StageBinding || fields["policy"] != nil) {
			return
		}
	}
	pk := m.pk()
	m.w.objects[pk] = blueprint.Object{Model: kind.Model, PK: pk, Fields: fields}
}

func atoi(text string) int {
	n := 0
	_, _ = fmt.Sscan(text, &n)
	return n
}

// No field of any kind is lost on the way, whatever its value is.
func TestGeneratedFlowsComeBack(t *testing.T) {
	const worlds = 4
	varied := map[string]bool{} // fields that were exported with another value than the default
	for seed := range uint64(worlds) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 1))}
		w := m.world(t)
		for _, o := range w.All("authentik_flows.flow") {
			slug := o.Fields["slug"].(string)
			if !t.Run(fmt.Sprint(seed, " ", slug), func(t *testing.T) { w.comesBack(t, slug) }) {
				return
			}
			w.note(t, slug, varied)
		}
	}
	for _, k := range catalog.All() {
		if !slices.Contains([]catalog.Category{catalog.Flow, catalog.Prompt, catalog.Policy, catalog.Stage, catalog.StageBinding, catalog.PolicyBinding}, k.Category) {
			continue
		}
		for _, f := range k.Fields() {
			impossible := f.Ref == "source" || f.Ref == "devicetype" || k.Base() == "sourcestage"
			if !f.Secret && !impossible && !varied[k.Model+" "+f.Name] {
				t.Errorf("%s of %s was never tried: does it need a value among the valid ones?", f.Name, k.Model)
			}
		}
	}
}

// note writes down which fields of the things in an export differ from their
// defaults.
func (w *world) note(t *testing.T, slug string, varied map[string]bool) {
	t.Helper()
	result, err := w.try(string(w.exported(t, slug).Text), w.env())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range result.Changes {
		kind, _ := catalog.Lookup(c.Model)
		defaults := kind.Defaults()
		for name, v := range w.objects[c.PK].Fields {
			if !reflect.DeepEqual(v, defaults[name]) {
				varied[kind.Model+" "+name] = true
			}
		}
	}
}
