package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
)

// limited is a caller with a scoped token of the administrator's.
const limited = "limited"

// limit adds a caller whose token is limited to these permissions.
func (b *bench) limit(permissions ...string) {
	granted := session.Grants{}
	for _, p := range permissions {
		granted[p] = true
	}
	b.callers[limited] = session.Caller{User: b.callers[admin].User, Token: "t2", Scoped: true, Granted: granted}
}

func TestTokensAreChanged(t *testing.T) {
	b := newBench(t)
	const one = "core/tokens/robot/"
	made := b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "robot", "scope": []any{"authentik_core.view_user", "authentik_core.view_user"}})
	if !cmp.Equal(made.at("scope"), []any{"authentik_core.view_user"}) || made.at("last_used") != nil {
		t.Errorf("made %s", made.text)
	}
	got := b.want(200, http.MethodPatch, one, fields{
		"description": "for a robot", "scope": []any{"authentik_core.view_group"}, "expires": "2027-01-01T00:00:00Z", "user": 2,
	})
	if got.str("description") != "for a robot" || got.str("expires") != "2027-01-01T00:00:00Z" || got.at("user") != 2.0 || got.at("key") != nil {
		t.Errorf("patched %s", got.text)
	}
	s := b.views.now().tokens[made.str("pk")]
	if !cmp.Equal(s.Scope, []string{"authentik_core.view_group"}) || s.User != b.callers[member].User || s.Digest.Reveal() != mintedDigest {
		t.Errorf("stored %+v", s)
	}
	got = b.want(200, http.MethodPut, one, fields{"identifier": "machine", "intent": "app_password", "scope": nil, "expiring": false})
	if got.str("identifier") != "machine" || got.str("intent") != "app_password" || got.at("scope") != nil || got.str("description") != "for a robot" {
		t.Errorf("put %s", got.text)
	}
	b.want(404, http.MethodGet, one, nil)
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "other"})
	for name, tt := range map[string]struct {
		body        fields
		field, want string
	}{
		"a name that is taken":   {fields{"identifier": "other"}, "identifier", "Token with this identifier already exists."},
		"no slug":                {fields{"identifier": "a b"}, "identifier", "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."},
		"a link's intent":        {fields{"intent": "recovery"}, "intent", `"recovery" is not a valid choice.`},
		"an unknown permission":  {fields{"scope": []any{"authentik_core.fly"}}, "scope", `There is no permission "authentik_core.fly".`},
		"no permission":          {fields{"scope": []any{""}}, "scope", `There is no permission "".`},
		"no list":                {fields{"scope": "authentik_core.view_user"}, "scope", `Expected a list of items but got type "str".`},
		"a limited app password": {fields{"scope": []any{"authentik_core.view_user"}}, "scope", "An app password cannot be limited: whoever logs in with it is its user."},
		"nobody":                 {fields{"user": 99}, "user", `Invalid pk "99" - object does not exist.`},
		"a time that is over":    {fields{"expires": "2020-01-01T00:00:00Z"}, "expires", "The time is over already."},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			if diff := cmp.Diff(fields{tt.field: []any{tt.want}}, b.want(400, http.MethodPatch, "core/tokens/machine/", tt.body).json); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	b.t = t
	b.want(400, http.MethodPut, "core/tokens/machine/", fields{})
	b.want(404, http.MethodPatch, "core/tokens/nothing/", fields{})
}

func TestTokenLists(t *testing.T) {
	b := newBench(t)
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "a", "description": "first", "expiring": false})
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "b", "intent": "app_password", "user": 2, "expires": "2027-01-01T00:00:00Z"})
	for query, want := range map[string][]string{
		"": {"a", "b"}, "?ordering=-identifier": {"b", "a"}, "?intent=app_password": {"b"}, "?expiring=false": {"a"}, "?description=first": {"a"},
		"?user__username=jane": {"b"}, "?user__username=nobody": {}, "?managed=x": {}, "?expires=2027-01-01T00:00:00Z": {"b"}, "?identifier=b": {"b"},
	} {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "core/tokens/"+query, nil).names("identifier")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	for _, query := range []string{"?intent=nonsense", "?expires=soon"} {
		b.want(400, http.MethodGet, "core/tokens/"+query, nil)
	}
}

// Everybody has tokens of their own, and sees no others.
func TestOwnTokens(t *testing.T) {
	b := newBench(t)
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "root", "expiring": false})
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "lasting", "expires": "2027-01-01T00:00:00Z"})
	status := func(want int, method, path string, body any) reply {
		t.Helper()
		got := b.do(member, method, path, body)
		if got.status != want {
			t.Errorf("%s %s %v: %d %s, want %d", method, path, body, got.status, got.text, want)
		}
		return got
	}
	mine := status(201, http.MethodPost, "core/tokens/", fields{"identifier": "mine", "intent": "app_password"})
	if mine.at("user") != 2.0 || mine.str("key") != mintedKey {
		t.Errorf("made %s", mine.text)
	}
	status(201, http.MethodPost, "core/tokens/", fields{"identifier": "too", "user": 2})
	if diff := cmp.Diff([]string{"mine", "too"}, status(200, http.MethodGet, "core/tokens/", nil).names("identifier")); diff != "" {
		t.Errorf("own tokens (-want +got):\n%s", diff)
	}
	if got := status(200, http.MethodGet, "core/tokens/?user__username=root", nil).names("identifier"); len(got) > 0 {
		t.Errorf("others: %v", got)
	}
	status(200, http.MethodGet, "core/tokens/mine/", nil)
	status(200, http.MethodPatch, "core/tokens/mine/", fields{"description": "x"})
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		status(404, method, "core/tokens/root/", fields{"identifier": "x"})
	}
	status(404, http.MethodGet, "core/tokens/root/used_by/", nil)
	status(400, http.MethodPost, "core/tokens/", fields{"identifier": "x", "user": 1})
	status(400, http.MethodPatch, "core/tokens/mine/", fields{"user": 1})
	status(403, http.MethodPost, "core/tokens/mine/set_key/", fields{"key": "0123456789abcdefghijkl"})
	status(403, http.MethodGet, "core/tokens/mine/view_key/", nil)
	status(204, http.MethodDelete, "core/tokens/mine/", nil)
	// With permissions of tokens, others' tokens can be seen, and not taken over.
	auditor := b.callers[member]
	auditor.Granted = session.Grants{
		"authentik_core.view_token": true, "authentik_core.change_token": true, "authentik_core.set_token_key": true, "authentik_core.add_token": true,
	}
	b.callers[member] = auditor
	status(200, http.MethodGet, "core/tokens/root/", nil)
	status(200, http.MethodPatch, "core/tokens/root/", fields{"description": "seen"})
	status(400, http.MethodPatch, "core/tokens/root/", fields{"user": 2})
	status(400, http.MethodPatch, "core/tokens/lasting/", fields{"expires": "2027-02-01T00:00:00Z"})
	status(400, http.MethodPatch, "core/tokens/lasting/", fields{"expiring": false})
	status(200, http.MethodPatch, "core/tokens/lasting/", fields{"expires": "2026-12-31T00:00:00Z"})
	status(400, http.MethodPatch, "core/tokens/root/", fields{"scope": []any{"authentik_core.view_user"}})
	status(400, http.MethodPatch, "core/tokens/root/", fields{"intent": "app_password"})
	status(400, http.MethodPost, "core/tokens/", fields{"identifier": "x", "user": 1})
	status(403, http.MethodPost, "core/tokens/root/set_key/", fields{"key": "0123456789abcdefghijkl"})
	status(204, http.MethodPost, "core/tokens/too/set_key/", fields{"key": "0123456789abcdefghijkl"})
}

func TestSetKey(t *testing.T) {
	b := newBench(t)
	pk := b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "robot"}).str("pk")
	const key = "a-key-that-I-chose-myself"
	if got := b.want(204, http.MethodPost, "core/tokens/robot/set_key/", fields{"key": key}); got.text != "" {
		t.Errorf("answer %s", got.text)
	}
	if s := b.views.now().tokens[pk]; s.Digest.Reveal() != "digest of "+key {
		t.Error("the key does not work")
	}
	for body, want := range map[string]string{
		`{}`: "This field is required.", `{"key": 5}`: "Not a valid string.", `{"key": "short"}`: "A key needs at least 20 characters.",
		`{"key": "aaaaaaaaaaaaaaaaaaaaaaaaaaa"}`: "A key needs at least 8 different characters.",
	} {
		if diff := cmp.Diff(fields{"key": []any{want}}, b.want(400, http.MethodPost, "core/tokens/robot/set_key/", body).json); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	b.want(404, http.MethodPost, "core/tokens/nothing/set_key/", fields{"key": key})
	if strings.Contains(b.log.String(), key) {
		t.Error("the key is in the log")
	}
}

// A limited token makes and changes tokens that may do no more than it.
func TestLimitedTokensStayLimited(t *testing.T) {
	b := newBench(t)
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "wide"})
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "password", "intent": "app_password"})
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "inside", "scope": []any{"authentik_core.view_token"}})
	b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "outside", "scope": []any{"authentik_core.view_user"}})
	all := []string{
		"authentik_core.view_token", "authentik_core.add_token", "authentik_core.change_token", "authentik_core.delete_token", "authentik_core.set_token_key",
	}
	const key = "a-key-that-I-chose-myself"
	view, users := []any{"authentik_core.view_token"}, []any{"authentik_core.view_token", "authentik_core.view_user"}
	for name, tt := range map[string]struct {
		scope  []string
		method string
		path   string
		body   any
		want   int
	}{
		"no permission to see":        {[]string{"authentik_core.view_user"}, http.MethodGet, "", nil, 403},
		"no permission to make":       {all[:1], http.MethodPost, "", fields{"identifier": "x", "scope": view}, 403},
		"seeing":                      {all[:1], http.MethodGet, "wide/", nil, 200},
		"one that is limited as much": {all, http.MethodPost, "", fields{"identifier": "y", "scope": view}, 201},
		"one that is limited less":    {all, http.MethodPost, "", fields{"identifier": "x", "scope": users}, 400},
		"one without limits":          {all, http.MethodPost, "", fields{"identifier": "x"}, 400},
		"an app password":             {all, http.MethodPost, "", fields{"identifier": "x", "intent": "app_password"}, 400},
		"one for somebody else":       {all, http.MethodPost, "", fields{"identifier": "x", "scope": view, "user": 2}, 400},
		"changing what is limited":    {all, http.MethodPatch, "inside/", fields{"description": "x"}, 200},
		"taking the limits away":      {all, http.MethodPatch, "inside/", fields{"scope": nil}, 400},
		"widening":                    {all, http.MethodPatch, "inside/", fields{"scope": users}, 400},
		"changing what is wider":      {all, http.MethodPatch, "wide/", fields{"description": "x"}, 400},
		"changing a password":         {all, http.MethodPatch, "password/", fields{"description": "x"}, 400},
		"a key for what is limited":   {all, http.MethodPost, "inside/set_key/", fields{"key": key}, 204},
		"a key for what is wider":     {all, http.MethodPost, "wide/set_key/", fields{"key": key}, 403},
		"a key for another scope":     {all, http.MethodPost, "outside/set_key/", fields{"key": key}, 403},
		"a key for a password":        {all, http.MethodPost, "password/set_key/", fields{"key": key}, 403},
		"one's own user":              {all, http.MethodGet, "../users/me/", nil, 403},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			b.limit(tt.scope...)
			path := strings.Replace("core/tokens/"+tt.path, "tokens/../", "", 1)
			if got := b.do(limited, tt.method, path, tt.body); got.status != tt.want {
				t.Errorf("%d %s, want %d", got.status, got.text, tt.want)
			}
		})
	}
	for id, s := range b.views.now().tokens {
		if s.Identifier == "x" || s.Intent == token.AppPassword && s.Identifier != "password" {
			t.Errorf("%s %+v was made", id, s)
		}
	}
}
