package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUsers(t *testing.T) {
	b := newBench(t)
	team := b.want(201, http.MethodPost, "core/groups/", fields{"name": "team", "is_superuser": true}).str("pk")
	other := b.want(201, http.MethodPost, "core/groups/", fields{"name": "other"}).str("pk")
	made := b.want(201, http.MethodPost, "core/users/", fields{
		"username": "ada", "name": "Ada", "email": "ada@example.org", "groups": []any{team}, "attributes": fields{"a": 1.0}, "path": "staff",
	})
	if made.at("is_active") != true || made.at("is_superuser") != true || made.str("groups_obj.0.name") != "team" || made.str("type") != "internal" {
		t.Errorf("made %s", made.text)
	}
	one := "core/users/" + jsonNumber(made.at("pk")) + "/"
	if got := b.want(200, http.MethodGet, one, nil); !cmp.Equal(got.json, made.json) {
		t.Errorf("read (-made +read):\n%s", cmp.Diff(made.json, got.json))
	}
	got := b.want(200, http.MethodPatch, one, fields{"name": "", "is_active": false, "groups": []any{other}, "username": "countess"})
	if got.str("username") != "countess" || got.at("name") != "" || got.at("is_active") != false || got.at("is_superuser") != false {
		t.Errorf("patched %s", got.text)
	}
	if diff := cmp.Diff([]any{other}, got.at("groups")); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	b.want(200, http.MethodPut, one, fields{"username": "countess", "name": "C"})
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": b.flow("f"), "user": made.at("pk"), "order": 0})
	if uses := b.want(200, http.MethodGet, one+"used_by/", nil); uses.str("0.action") != "cascade" {
		t.Errorf("uses: %s", uses.text)
	}
	b.want(204, http.MethodDelete, one, nil)
	b.want(404, http.MethodGet, one, nil)
	if got := b.want(200, http.MethodGet, "policies/bindings/", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("a binding of nobody is left: %s", got.text)
	}
	b.want(201, http.MethodPost, "core/users/", fields{"username": "countess", "name": ""})
}

func jsonNumber(v any) string {
	n, _ := v.(float64)
	return string('0' + byte(n))
}

func TestUserRefusals(t *testing.T) {
	b := newBench(t)
	tests := map[string]struct {
		body  fields
		field string
		want  string
	}{
		"no name":              {fields{"username": "x"}, "name", "This field is required."},
		"a name that is taken": {fields{"username": "jane", "name": "J"}, "username", "This field must be unique."},
		"no address":           {fields{"username": "x", "name": "X", "email": "x"}, "email", "Enter a valid email address."},
		"no type":              {fields{"username": "x", "name": "X", "type": "king"}, "type", `"king" is not a valid choice.`},
		"no group":             {fields{"username": "x", "name": "X", "groups": []any{"3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"}}, "groups", `Invalid pk "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10" - object does not exist.`},
		"attributes in a list": {fields{"username": "x", "name": "X", "attributes": []any{}}, "attributes", "Value must be valid JSON."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b.t = t
			got := b.want(400, http.MethodPost, "core/users/", tt.body)
			if diff := cmp.Diff(fields{tt.field: []any{tt.want}}, got.json); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	b.t = t
	// A password in the wrong place is not taken.
	b.want(201, http.MethodPost, "core/users/", fields{"username": "x", "name": "X", "password": ""})
	b.want(201, http.MethodPost, "core/users/", fields{"username": "y", "name": "Y", "password": "secret"})
	for _, s := range b.views.now().users {
		if !s.Password.Empty() {
			t.Errorf("%s has a password", s.Username)
		}
	}
}

func TestSetPassword(t *testing.T) {
	b := newBench(t)
	for _, body := range []fields{{}, {"password": nil}, {"password": 5}, {"password": " "}, {"password": strings.Repeat("x", 5000)}} {
		b.want(400, http.MethodPost, "core/users/2/set_password/", body)
	}
	b.want(204, http.MethodPost, "core/users/2/set_password/", fields{"password": "Correct-horse-1"})
	got := b.views.now().users[b.callers[member].User]
	if got.Password.Reveal() != storedHash {
		t.Error("the password is not stored")
	}
	if s := b.views.now().sessions[sessionOf("jane")]; s.Status == "alive" {
		t.Error("whoever knew the old password is still logged in")
	}
	b.want(404, http.MethodPost, "core/users/99/set_password/", fields{"password": "x"})
	b.want(404, http.MethodGet, "core/users/x/", nil)
}

func TestUserFilters(t *testing.T) {
	b := newBench(t)
	b.want(201, http.MethodPost, "core/users/", fields{"username": "ada", "name": "Ada", "email": "a@example.org", "is_active": false, "path": "p", "attributes": fields{"k": "v"}})
	team := b.want(201, http.MethodPost, "core/groups/", fields{"name": "team", "is_superuser": true, "users": []any{2}}).str("pk")
	tests := map[string][]string{
		"":                                  {"ada", "jane", "root"},
		"?ordering=-username":               {"root", "jane", "ada"},
		"?username=jane":                    {"jane"},
		"?username=":                        {"ada", "jane", "root"},
		"?name=Ada":                         {"ada"},
		"?email=a@example.org":              {"ada"},
		"?search=ja":                        {"jane"},
		"?is_active=false":                  {"ada"},
		"?is_active=maybe":                  {"ada", "jane", "root"},
		"?is_superuser=true":                {"jane"},
		"?groups_by_name=team":              {"jane"},
		"?groups_by_pk=" + team:             {"jane"},
		"?path=p":                           {"ada"},
		"?uuid=" + b.callers[member].User:   {"jane"},
		"?attributes=%7B%22k%22:%22v%22%7D": {"ada"},
		"?page_size=2&page=2":               {"root"},
		"?username=nobody":                  {},
	}
	for query, want := range tests {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "core/users/"+query, nil).names("username")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	for _, query := range []string{
		"?date_joined=soon", "?last_login__gt=x", "?last_updated__lt=1", "?type=robot", "?roles_by_pk=x",
	} {
		b.want(400, http.MethodGet, "core/users/"+query, nil)
	}
	plain := b.want(200, http.MethodGet, "core/users/?include_groups=false&include_roles=false&username=jane", nil)
	if plain.at("results.0.groups_obj") != nil || plain.at("results.0.roles_obj") != nil || len(plain.names("groups")) != 1 {
		t.Errorf("without groups: %s", plain.text)
	}
	if got := b.want(200, http.MethodGet, "core/users/paths/", nil); !cmp.Equal(got.at("paths"), []any{"p", "users"}) {
		t.Errorf("paths: %s", got.text)
	}
	if got := b.want(200, http.MethodGet, "core/users/paths/?search=x", nil); !cmp.Equal(got.at("paths"), []any{}) {
		t.Errorf("paths: %s", got.text)
	}
	for _, query := range []string{"?uuid=x", "?groups_by_pk=x", "?attributes=%5B1"} {
		b.want(400, http.MethodGet, "core/users/"+query, nil)
	}
}

func TestMe(t *testing.T) {
	b := newBench(t)
	b.want(201, http.MethodPost, "core/groups/", fields{"name": "team", "users": []any{2}})
	got := b.do(member, http.MethodGet, "core/users/me/", nil)
	if got.status != 200 || got.str("user.username") != "jane" || got.at("user.pk") != 2.0 || got.at("user.is_superuser") != false || got.str("user.groups.0.name") != "team" {
		t.Errorf("got %d %s", got.status, got.text)
	}
	if got := b.do(stranger, http.MethodGet, "core/users/me/", nil); got.status != 403 {
		t.Errorf("a stranger gets %d", got.status)
	}
}

func TestPasswordHash(t *testing.T) {
	b := newBench(t)
	const path = "core/users/2/set_password_hash/"
	b.want(204, http.MethodPost, path, fields{"password": storedHash})
	if got := b.views.now().users[b.callers[member].User].Password.Reveal(); got != storedHash {
		t.Error("the hash is not stored")
	}
	for body, want := range map[string]string{
		`{}`: "This field is required.", `{"password": 5}`: "Not a valid string.", `{"password": "secret"}`: "This is no password hash of a known form.",
		`{"password": "md5$a$b"}`: "This is no password hash of a known form.", `{"password": ""}`: "This is no password hash of a known form.",
	} {
		if diff := cmp.Diff(fields{"password": []any{want}}, b.want(400, http.MethodPost, path, body).json); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	b.want(404, http.MethodPost, "core/users/99/set_password_hash/", fields{"password": storedHash})
}
