package adminapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

// An editable is something that people edit.
type editable struct {
	make   func(b *bench) string // returns its path
	field  string
	values [2]any
}

// editables are one of each aggregate, and of each way to address objects.
func editables() map[string]editable {
	made := func(path, key string, f fields) func(*bench) string {
		return func(b *bench) string {
			b.t.Helper()
			return path + fmt.Sprint(b.want(201, http.MethodPost, path, f).at(key)) + "/"
		}
	}
	return map[string]editable{
		"a flow":   {made("flows/instances/", "slug", fields{"name": "f", "slug": "f", "title": "f", "designation": "recovery"}), "title", [2]any{"a", "b"}},
		"a stage":  {made("stages/dummy/", "pk", fields{"name": "s"}), "name", [2]any{"a", "b"}},
		"a policy": {made("policies/dummy/", "pk", fields{"name": "p"}), "wait_min", [2]any{7.0, 8.0}},
		"a brand":  {made("core/brands/", "brand_uuid", fields{"domain": "d"}), "branding_title", [2]any{"a", "b"}},
		"a rule":   {made("events/rules/", "pk", fields{"name": "r"}), "name", [2]any{"a", "b"}},
		"a prompt": {
			made("stages/prompt/prompts/", "pk", fields{"name": "p", "field_key": "k", "label": "l", "type": "text"}), "label", [2]any{"a", "b"},
		},
		"a user":        {made("core/users/", "pk", fields{"username": "u", "name": "U"}), "name", [2]any{"a", "b"}},
		"a user's name": {made("core/users/", "pk", fields{"username": "u", "name": "U"}), "username", [2]any{"a", "b"}},
		"a role":        {made("rbac/roles/", "pk", fields{"name": "r"}), "name", [2]any{"a", "b"}},
		"a token":       {made("core/tokens/", "identifier", fields{"identifier": "t"}), "description", [2]any{"a", "b"}},
		"a group":       {made("core/groups/", "pk", fields{"name": "g"}), "name", [2]any{"a", "b"}},
		"an invitation": {made("stages/invitation/invitations/", "pk", fields{"name": "i"}), "single_use", [2]any{true, false}},
	}
}

// does sends a request of the administrator that says what it has seen.
func (b *bench) does(method, path, seen string, body fields) reply {
	b.t.Helper()
	text := ""
	for name, value := range body {
		text = fmt.Sprintf(`{%q:%s}`, name, quoted(value))
	}
	r := httptest.NewRequestWithContext(b.t.Context(), method, "/api/v3/"+path, strings.NewReader(text))
	r.Header.Set("X-As", admin)
	r.Header.Set("Content-Type", "application/json")
	if seen != "" {
		r.Header.Set("If-Match", seen)
	}
	return b.send(r)
}

func quoted(v any) string {
	if text, ok := v.(string); ok {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprint(v)
}

func TestIfMatch(t *testing.T) {
	for name, e := range editables() {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			path := e.make(b)
			first := b.want(200, http.MethodGet, path, nil).header.Get("ETag")
			if first != `"0"` {
				t.Fatalf("the first tag is %q", first)
			}
			change := func(value any) fields { return fields{e.field: value} }
			got := b.does(http.MethodPatch, path, first, change(e.values[0]))
			second := got.header.Get("ETag")
			if got.status != 200 || second != `"1"` || got.at(e.field) != e.values[0] {
				t.Fatalf("the first change: %d %s, tag %s", got.status, got.text, second)
			}
			got = b.does(http.MethodPatch, path, first, change(e.values[1]))
			if got.status != 412 || !strings.Contains(got.str("detail"), "revision 1 ") {
				t.Errorf("a change of what is no more: %d %s", got.status, got.text)
			}
			if got := b.does(http.MethodDelete, path, first, nil); got.status != 412 {
				t.Errorf("a removal of what is no more: %d %s", got.status, got.text)
			}
			if got := b.want(200, http.MethodGet, path, nil); got.at(e.field) != e.values[0] || got.header.Get("ETag") != second {
				t.Errorf("refused changes were made: %s", got.text)
			}
			if got := b.does(http.MethodPatch, path, `"7", `+second, change(e.values[0])); got.status != 200 || got.header.Get("ETag") != second {
				t.Errorf("a change that is none: %d, tag %s", got.status, got.header.Get("ETag"))
			}
			if got := b.does(http.MethodPatch, path, `*`, change(e.values[1])); got.status != 200 || got.header.Get("ETag") != `"2"` {
				t.Errorf("a change of whatever is there: %d, tag %s", got.status, got.header.Get("ETag"))
			}
			for seen, want := range map[string]int{`W/"2"`: 412, `2`: 400, `"2`: 400, `"2" "3"`: 400, ``: 200, `"",`: 400, `*,"2"`: 400} {
				if got := b.does(http.MethodPatch, path, seen, change(e.values[1])); got.status != want {
					t.Errorf("If-Match %s: %d, want %d", seen, got.status, want)
				}
			}
			if got := b.does(http.MethodDelete, path, `"2"`, nil); got.status != 204 {
				t.Errorf("a removal of what was seen: %d %s", got.status, got.text)
			}
			if got := b.does(http.MethodDelete, path, `*`, nil); got.status != 404 {
				t.Errorf("a removal of what is gone: %d %s", got.status, got.text)
			}
		})
	}
}

// Whoever counts on If-Match where nobody looks at it is told.
func TestIfMatchWithoutRevision(t *testing.T) {
	b := newBench(t)
	b.flow("f")
	for path, body := range map[string]fields{
		"stages/dummy/": {"name": "s"}, "policies/all/cache_clear/": nil, "core/users/1/set_password/": {"password": "x"},
	} {
		if got := b.does(http.MethodPost, path, `"0"`, body); got.status != 412 {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	if got := b.does(http.MethodGet, "flows/instances/f/", `"7"`, nil); got.status != 200 {
		t.Errorf("a look: %d %s", got.status, got.text)
	}
}

// The groups of a user are edited with the user, and so part of what was seen.
func TestIfMatchOfGroups(t *testing.T) {
	b := newBench(t)
	g := b.want(201, http.MethodPost, "core/groups/", fields{"name": "g"}).str("pk")
	seen := b.want(200, http.MethodGet, "core/users/2/", nil).header.Get("ETag")
	b.want(204, http.MethodPost, "core/groups/"+g+"/add_user/", fields{"pk": 2})
	if got := b.does(http.MethodPatch, "core/users/2/", seen, fields{"name": "N"}); got.status != 412 {
		t.Errorf("after a group came: %d %s", got.status, got.text)
	}
	seen = b.want(200, http.MethodGet, "core/users/2/", nil).header.Get("ETag")
	if got := b.does(http.MethodPatch, "core/users/2/", seen, fields{"name": "N"}); got.status != 200 {
		t.Errorf("with the group: %d %s", got.status, got.text)
	}
}

// Of many who saw the same, one may change it.
func TestOneEditorWins(t *testing.T) {
	for name, e := range editables() {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			path := e.make(b)
			seen := b.want(200, http.MethodGet, path, nil).header.Get("ETag")
			field, value := e.field, func(i int) any { return fmt.Sprint("v", i) }
			switch e.values[0].(type) {
			case bool:
				field = "name"
			case float64:
				value = func(i int) any { return i + 100 } // no default, so that each changes something
			}
			statuses := make([]int, 16)
			var wg sync.WaitGroup
			for i := range statuses {
				wg.Go(func() { statuses[i] = b.does(http.MethodPatch, path, seen, fields{field: value(i)}).status })
			}
			wg.Wait()
			won := 0
			for _, status := range statuses {
				switch status {
				case http.StatusOK:
					won++
				case http.StatusPreconditionFailed:
				default:
					t.Errorf("got %d", status)
				}
			}
			if won != 1 {
				t.Errorf("%d won: %v", won, statuses)
			}
		})
	}
}

// A change of one field leaves the others as somebody else has just made them,
// also where nobody says what they have seen.
func TestEditorsOfDifferentFields(t *testing.T) {
	const times = 8
	for name, tt := range map[string]struct {
		make                 func(*bench) string
		first, second        string
		firstValue, secondOf func(i int) any
	}{
		"a flow":        {editables()["a flow"].make, "title", "background", words, words},
		"a user":        {editables()["a user"].make, "name", "email", words, func(i int) any { return fmt.Sprint("e", i, "@example.org") }},
		"a group":       {editables()["a group"].make, "name", "is_superuser", words, func(i int) any { return i%2 == 0 }},
		"an invitation": {editables()["an invitation"].make, "name", "single_use", words, func(i int) any { return i%2 == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			path := tt.make(b)
			var wg sync.WaitGroup
			for field, value := range map[string]func(int) any{tt.first: tt.firstValue, tt.second: tt.secondOf} {
				wg.Go(func() {
					for i := range times {
						for b.does(http.MethodPatch, path, "", fields{field: value(i)}).status == http.StatusServiceUnavailable {
						}
					}
				})
			}
			wg.Wait()
			got := b.want(200, http.MethodGet, path, nil)
			if got.at(tt.first) != tt.firstValue(times-1) || got.at(tt.second) != tt.secondOf(times-1) {
				t.Errorf("in the end %s is %v, %s is %v", tt.first, got.at(tt.first), tt.second, got.at(tt.second))
			}
		})
	}
}

func words(i int) any { return fmt.Sprint("w", i) }

// A replacement that names one field does not touch the others.
func TestReplacementOfOneField(t *testing.T) {
	b := newBench(t)
	path := "stages/dummy/" + b.want(201, http.MethodPost, "stages/dummy/", fields{"name": "s", "throw_error": true}).str("pk") + "/"
	b.want(200, http.MethodPatch, path, fields{"throw_error": false})
	if got := b.want(200, http.MethodPut, path, fields{"name": "t"}); got.at("throw_error") != false || got.at("name") != "t" {
		t.Errorf("left %s", got.text)
	}
}

// counted counts how often an instance was written.
type counted struct {
	adminapi.Keeper
	writes eventstore.Revision
}

// Keep implements [adminapi.Keeper].
func (k *counted) Keep(ctx context.Context, c session.Caller, id string, want adminapi.InstanceWish, create bool) error {
	k.writes++
	return k.Keeper.Keep(ctx, c, id, want, create)
}

// Of implements [adminapi.Revisions].
func (k *counted) Of(context.Context, eventstore.StreamID) (eventstore.Revision, error) {
	return k.writes - 1, nil
}

func TestIfMatchOfBlueprints(t *testing.T) {
	b := newBench(t)
	k := &counted{Keeper: b.server.Keeper}
	b.server.Keeper, b.server.Revisions = k, k
	const all = "managed/blueprints/"
	path := all + b.want(201, http.MethodPost, all, fields{"name": "b", "path": "", "content": "version: 1\nentries: []\n"}).str("pk") + "/"
	for _, tt := range []struct {
		method, seen string
		body         fields
		status       int
		tag          string
	}{
		{http.MethodGet, "", nil, 200, `"0"`},
		{http.MethodPatch, `"0"`, fields{"name": "c"}, 200, `"1"`},
		{http.MethodPatch, `"0"`, fields{"name": "d"}, 412, ""},
		{http.MethodDelete, `"0"`, nil, 412, ""},
		{http.MethodGet, "", nil, 200, `"1"`},
		{http.MethodDelete, `"1"`, nil, 204, ""},
	} {
		got := b.does(tt.method, path, tt.seen, tt.body)
		if got.status != tt.status || got.header.Get("ETag") != tt.tag {
			t.Errorf("%s %s: %d %s, tag %s", tt.method, tt.seen, got.status, got.text, got.header.Get("ETag"))
		}
	}
}

// What can be edited has a revision. Nobody edits what happened, and a
// notification is seen or not; a permission that is taken away is gone.
func TestEditsHaveRevisions(t *testing.T) {
	b := newBench(t)
	without := map[string]bool{
		"events/notifications/{key}/": true, "events/events/{key}/": true, "rbac/permissions/assigned_by_roles/{key}/unassign/": true,
	}
	seen := 0
	for _, r := range b.server.Routes() {
		if r.Method == http.MethodPut || r.Method == http.MethodPatch {
			seen++
			if r.Revised == without[r.Path] {
				t.Errorf("%s %s: has a revision: %t", r.Method, r.Path, r.Revised)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d ways to edit something", seen)
	}
}
