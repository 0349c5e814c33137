package stage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

func TestUserWrite(t *testing.T) {
	type data = map[string]any
	s := domain.NewSecret
	const (
		g2, g3 = "aaaaaaaa-0000-4000-8000-000000000002", "aaaaaaaa-0000-4000-8000-000000000003"
		bcrypt = "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
	)
	with := func(base, over data) data {
		out := data{}
		for k, v := range base {
			out[k] = v
		}
		for k, v := range over {
			out[k] = v
		}
		return out
	}
	writes := func(w execution.WriteUser) told {
		return told{
			Pass: true, Learned: execution.Context{"user_backend": stage.InbuiltBackend}, Effects: []execution.Effect{{WriteUser: &w}},
		}
	}
	changes := func(w execution.WriteUser) told {
		return told{Pass: true, Effects: []execution.Effect{{WriteUser: &w}}}
	}
	updated := func(over data) told {
		return changes(execution.WriteUser{User: "u1", Fields: with(data{"username": "ada", "attributes": ada.Attributes}, over)})
	}
	blank := data{
		"username": "new", "email": "", "name": "", "is_active": true, "path": "users", "type": "external", "attributes": data{},
	}
	made := func(over data) told { return writes(execution.WriteUser{Create: true, Fields: with(blank, over)}) }
	grouped := execution.WriteUser{Create: true, Fields: blank, Groups: []string{"g1", g2, g3}}
	hashed := execution.WriteUser{User: "u1", Fields: with(data{"username": "ada"}, data{"attributes": ada.Attributes}), Password: s("hash of pw")}
	form := execution.WriteUser{User: "u1", Fields: with(data{"username": "ada"}, data{"attributes": ada.Attributes}), Password: s(bcrypt)}
	unusable := updated(nil)
	unusable.Effects = append(unusable.Effects, execution.Effect{RemovePassword: &execution.RemovePassword{User: "u1", Credential: "c1"}})
	from := func(source any) func(*stage.Input) {
		return func(in *stage.Input) { in.State.Context["goauthentik.io/sources/connection"] = data{"source": source} }
	}
	sources := func(names ...any) told {
		return updated(data{"attributes": data{"upn": "ada@corp", "a": "b", "goauthentik.io/user/sources": names}})
	}
	mode := func(m string) func(*stage.UserWrite) { return func(u *stage.UserWrite) { u.Mode = m } }
	visitor := func(in *stage.Input) { in.Visitor = ada }
	const refused = ": Failed to update user. Please try again later."
	tests := map[string]struct {
		who    user.Person
		change func(*stage.UserWrite)
		in     func(*stage.Input)
		data   data // nil for none
		want   told
	}{
		"nothing was asked for":                    {ada, nil, nil, nil, told{Deny: ": No Pending data."}},
		"the pending user is changed":              {ada, nil, nil, data{"name": "Ada L."}, updated(data{"name": "Ada L."})},
		"else the browser's user":                  {nobody, nil, visitor, data{"name": "Ada L."}, updated(data{"name": "Ada L."})},
		"keys that are no field are dropped":       {ada, nil, nil, data{"attribute_x": 1, "groups": "g", "pk": 1, "id": 2, "is_superuser": true, "component": "c"}, updated(nil)},
		"a password is hashed":                     {ada, nil, nil, data{"password": s("pw"), "password_repeat": s("pw")}, changes(hashed)},
		"so is one that a policy sets":             {ada, nil, nil, data{"password": "pw"}, changes(hashed)},
		"a stored form is taken as it is":          {ada, nil, nil, data{"password": s("pw"), "password_from_hash": s(bcrypt)}, changes(form)},
		"a form that nobody knows is refused":      {ada, nil, nil, data{"password_from_hash": s("md5$x")}, told{Deny: refused}},
		"a password can be taken away":             {ada, nil, nil, data{"password": s("pw"), "unusable_password": true}, unusable},
		"or not":                                   {ada, nil, nil, data{"unusable_password": false}, updated(nil)},
		"who has none keeps none":                  {idle, nil, nil, data{"unusable_password": true}, changes(execution.WriteUser{User: "u2", Fields: data{"username": "idle", "attributes": data(nil)}})},
		"a new user can be without one":            {nobody, nil, nil, data{"username": "new", "unusable_password": "x"}, made(nil)},
		"what is not a typed password is none":     {ada, nil, nil, data{"password": 5}, updated(nil)},
		"nothing changes nothing":                  {ada, nil, nil, data{"name": nil}, updated(nil)},
		"an attribute is written below others":     {ada, nil, nil, data{"attributes.some.custom-attribute": "x"}, updated(data{"attributes": data{"upn": "ada@corp", "a": "b", "some": data{"custom-attribute": "x"}}})},
		"underscores are dots there":               {ada, nil, nil, data{"attributes_some_x": "y"}, updated(data{"attributes": data{"upn": "ada@corp", "a": "b", "some": data{"x": "y"}}})},
		"an attribute goes before what was there":  {ada, nil, nil, data{"attributes.a.b": "x"}, updated(data{"attributes": data{"upn": "ada@corp", "a": data{"b": "x"}}})},
		"attributes are merged":                    {ada, nil, nil, data{"attributes": data{"a": "c", "k": s("x")}}, updated(data{"attributes": data{"upn": "ada@corp", "a": "c", "k": "x"}})},
		"attributes must be a map":                 {ada, nil, nil, data{"attributes": "x"}, updated(nil)},
		"a typed secret becomes a field":           {ada, nil, nil, data{"attributes.pin": s("1"), "name": s("n")}, updated(data{"name": "n", "attributes": data{"upn": "ada@corp", "a": "b", "pin": "1"}})},
		"what is no text becomes one":              {ada, nil, nil, data{"name": int64(5)}, updated(data{"name": "5"})},
		"activity is true or false":                {ada, nil, nil, data{"is_active": "no"}, updated(data{"is_active": false})},
		"nonsense is not active":                   {ada, nil, nil, data{"is_active": []any{1}}, updated(data{"is_active": false})},
		"an attribute may be nothing":              {ada, nil, nil, data{"attributes.a": nil}, updated(data{"attributes": data{"upn": "ada@corp", "a": nil}})},
		"attributes have a limit":                  {ada, nil, nil, data{"attributes.x": strings.Repeat("x", 100<<10)}, told{Deny: refused}},
		"a large number is written out":            {ada, nil, nil, data{"name": float64(1e6)}, updated(data{"name": "1000000"})},
		"a source is noted":                        {ada, nil, from("corp"), data{}, sources("corp")},
		"by its name":                              {ada, nil, from(data{"name": "corp", "pk": 1}), data{}, sources("corp")},
		"a source without a name is not":           {ada, nil, from(data{"pk": 1}), data{}, updated(nil)},
		"a new user":                               {nobody, nil, nil, data{"username": "new"}, made(nil)},
		"a new user has what was typed":            {nobody, nil, nil, data{"username": "new", "email": "n@example.org", "attributes.x": 1}, made(data{"email": "n@example.org", "attributes": data{"x": 1}})},
		"a pretended user becomes one":             {ghost, nil, nil, data{"name": "G"}, made(data{"username": "ghost", "email": "ghost", "name": "G"})},
		"a user may always be new":                 {ada, mode("always_create"), nil, data{"username": "new"}, made(nil)},
		"but needs a name of its own":              {ada, mode("always_create"), nil, data{"name": "x"}, told{Deny: ":"}},
		"also when somebody is logged in":          {nobody, mode("always_create"), visitor, data{"username": "new"}, made(nil)},
		"a user may never be new":                  {nobody, mode("never_create"), nil, data{"username": "new"}, told{Deny: ": No user found and can't create new user."}},
		"a name must not be blank":                 {nobody, nil, nil, data{"username": ""}, told{Deny: ":"}},
		"a name that is too long is heard of":      {nobody, nil, nil, data{"username": strings.Repeat("x", 151)}, told{Deny: refused}},
		"so is a type that does not exist":         {ada, nil, nil, data{"type": "robot"}, told{Deny: refused}},
		"so is an address that is too long":        {ada, nil, nil, data{"email": strings.Repeat("x", 255)}, told{Deny: refused}},
		"a new user may be inactive":               {nobody, func(u *stage.UserWrite) { u.Inactive = true }, nil, data{"username": "new"}, made(data{"is_active": false})},
		"a new user has the stage's path and type": {nobody, func(u *stage.UserWrite) { u.Path, u.Type = "p", "internal" }, nil, data{"username": "new"}, made(data{"path": "p", "type": "internal"})},
		"what policies say of them goes first": {nobody, func(u *stage.UserWrite) { u.Path = "p" }, func(in *stage.Input) {
			in.State.Context["user_path"], in.State.Context["user_type"] = "q", "internal"
		}, data{"username": "new"}, made(data{"path": "q", "type": "internal"})},
		"a type that they make up does not":  {nobody, nil, func(in *stage.Input) { in.State.Context["user_type"] = "robot" }, data{"username": "new"}, made(nil)},
		"nobody becomes an internal service": {nobody, func(u *stage.UserWrite) { u.Type = "internal_service_account" }, nil, data{"username": "new"}, made(data{"type": "service_account"})},
		"groups of the stage and of policies": {nobody, func(u *stage.UserWrite) { u.Group = ptr("g1") }, func(in *stage.Input) {
			in.State.Context["groups"] = []any{g2, 5, "no id", data{"pk": strings.ReplaceAll(g3, "-", ""), "name": "three"}, g2, data{}}
		}, data{"username": "new"}, writes(grouped)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), tt.who)
			if tt.data != nil {
				in.State.Context["prompt_data"] = tt.data
			}
			if tt.who.Username != "" && !tt.who.Exists() {
				in.State.Context["pending_user"] = data{"username": tt.who.Username}
			}
			if tt.in != nil {
				tt.in(&in)
			}
			u := &stage.UserWrite{Mode: "create_when_required", Type: "external"}
			if tt.change != nil {
				tt.change(u)
			}
			o, err := u.Enter(t.Context(), in)
			compare(t, tt.want, o, err)
			o, err = u.Respond(t.Context(), in, nil)
			compare(t, tt.want, o, err)
			if ada.Attributes["a"] != "b" || len(ada.Attributes) != 2 {
				t.Fatal("the stage writes the user that it was given")
			}
		})
	}
}

func TestUserWritePassesFaultsOn(t *testing.T) {
	e := world()
	e.broken = errDown
	in := at(e, ada)
	in.State.Context["prompt_data"] = map[string]any{"password": domain.NewSecret("pw")}
	if _, err := (&stage.UserWrite{}).Enter(t.Context(), in); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}
