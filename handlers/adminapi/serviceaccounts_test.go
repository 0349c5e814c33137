package adminapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/session"
)

func TestServiceAccounts(t *testing.T) {
	b := newBench(t)
	const path = "core/users/service_account/"
	made := b.want(200, http.MethodPost, path, fields{"name": "Back up!", "create_group": true, "expires": "2027-01-01T00:00:00Z"})
	if made.str("username") != "Back up!" || made.str("token") != mintedKey || made.at("user_pk") != 3.0 || made.str("user_uid") == "" {
		t.Errorf("made %s", made.text)
	}
	who := b.want(200, http.MethodGet, "core/users/3/", nil)
	if who.str("type") != "service_account" || who.str("path") != "goauthentik.io/service-accounts" || who.at("is_active") != true ||
		who.str("groups.0") != made.str("group_pk") || who.str("groups_obj.0.name") != "Back up!" || who.at("is_superuser") != false {
		t.Errorf("user %s", who.text)
	}
	password := b.want(200, http.MethodGet, "core/tokens/service-account-back-up-password/", nil)
	if password.str("intent") != "app_password" || password.at("user") != 3.0 || password.str("expires") != "2027-01-01T00:00:00Z" || password.at("key") != nil {
		t.Errorf("token %s", password.text)
	}
	plain := b.want(200, http.MethodPost, path, fields{"name": "plain", "expiring": false})
	if plain.at("group_pk") != nil {
		t.Errorf("made %s", plain.text)
	}
	if got := b.want(200, http.MethodGet, "core/tokens/service-account-plain-password/", nil); got.at("expiring") != false || got.at("expires") != nil {
		t.Errorf("token %s", got.text)
	}
	b.want(201, http.MethodPost, "core/groups/", fields{"name": "band"})
	for name, tt := range map[string]struct {
		body        fields
		field, want string
	}{
		"no name":                  {fields{}, "name", "This field is required."},
		"a blank name":             {fields{"name": " "}, "name", "This field may not be blank."},
		"a user's name":            {fields{"name": "jane"}, "name", "This field must be unique."},
		"a group's name":           {fields{"name": "band", "create_group": true}, "name", "Group with this name already exists."},
		"a name that is too alike": {fields{"name": "PLAIN"}, "name", "Token with this identifier already exists."},
		"a time that is over":      {fields{"name": "x", "expires": "2020-01-01T00:00:00Z"}, "expires", "The time is over already."},
		"no boolean":               {fields{"name": "x", "create_group": "maybe"}, "create_group", "Must be a valid boolean."},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			if diff := cmp.Diff(fields{tt.field: []any{tt.want}}, b.want(400, http.MethodPost, path, tt.body).json); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	b.t = t
	for name, tt := range map[string]struct {
		may  []string
		body fields
		want int
	}{
		"an ordinary user":              {nil, fields{"name": "x"}, 403},
		"who may make users":            {[]string{"add_user"}, fields{"name": "x"}, 403},
		"and tokens":                    {[]string{"add_user", "add_token"}, fields{"name": "y"}, 200},
		"but no groups":                 {[]string{"add_user", "add_token"}, fields{"name": "x", "create_group": true}, 403},
		"who may make all that is made": {[]string{"add_user", "add_token", "add_group"}, fields{"name": "z", "create_group": true}, 200},
	} {
		c := b.callers[member]
		c.Granted = session.Grants{}
		for _, p := range tt.may {
			c.Granted["authentik_core."+p] = true
		}
		b.callers[member] = c
		if got := b.do(member, http.MethodPost, path, tt.body); got.status != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.text, tt.want)
		}
	}
}
