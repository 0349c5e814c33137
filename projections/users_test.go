package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/projections"
)

func ptr[T any](v T) *T { return &v }

// hash is a stored password that can be right.
var hash = user.Hash(domain.NewSecret("pw"), make([]byte, user.SaltSize))

func ada() user.UserCreated {
	return user.UserCreated{
		Key: 7, Type: "internal", Active: true, Path: "users", Joined: start, Via: "admin",
		Username: "Ada", Name: "Ada Lovelace", Email: "Ada@Example.org",
		Attributes: map[string]any{"upn": "ada@corp", "n": 5, "deep": map[string]any{"er": "x"}, "list": []any{"u"}},
	}
}

func bob() user.UserCreated {
	return user.UserCreated{Key: 3, Type: "external", Path: "p/q", Joined: start, Via: "admin", Username: "bob", Email: "ada@example.org"}
}

// people fills a world with two users and three groups, one above the other.
func people(t *testing.T) *world {
	w := newWorld(t)
	w.append(stream("user", "ada"), ada(), user.UserPasswordSet{Via: "admin", Changed: start, CredentialID: "c1", Hash: hash})
	w.append(stream("user", "bob"), bob())
	w.append(stream("group", "top"),
		group.GroupCreated{Name: "a top", Superuser: true, Via: "api"},
		group.GroupAttributesChanged{Set: map[string]any{"list": []any{"t"}, "x": "top", "deep": map[string]any{"top": true}}})
	w.append(stream("group", "mid"),
		group.GroupCreated{Name: "b mid", Parents: []string{id("top")}, Via: "api"},
		group.GroupAttributesChanged{Set: map[string]any{"list": []any{"m"}, "x": "mid", "deep": "replaced"}},
		group.GroupMemberAdded{User: id("ada"), Via: "api"})
	w.append(stream("group", "side"),
		group.GroupCreated{Name: "c side", Via: "api"},
		group.GroupMemberAdded{User: id("ada"), Via: "api"}, group.GroupMemberAdded{User: id("bob"), Via: "api"})
	w.run()
	w.settle()
	return w
}

func TestPerson(t *testing.T) {
	w := people(t)
	got := must[user.Person](t)(w.users.Person(t.Context(), id("ada")))
	want := user.Person{
		ID: id("ada"), Key: 7, Username: "Ada", Name: "Ada Lovelace", Email: "Ada@Example.org", Active: true, Superuser: true,
		Usable: true, Type: "internal", Path: "users",
		Attributes: map[string]any{"upn": "ada@corp", "n": 5.0, "deep": map[string]any{"er": "x"}, "list": []any{"u"}},
		GroupAttributes: map[string]any{
			"upn": "ada@corp", "n": 5.0, "deep": map[string]any{"er": "x"}, "list": []any{"t", "m", "u"}, "x": "mid",
		},
		Groups: []user.Group{
			{ID: id("top"), Name: "a top", Superuser: true, Inherited: true,
				Attributes: map[string]any{"list": []any{"t"}, "x": "top", "deep": map[string]any{"top": true}}},
			{ID: id("mid"), Name: "b mid", Attributes: map[string]any{"list": []any{"m"}, "x": "mid", "deep": "replaced"}},
			{ID: id("side"), Name: "c side", Attributes: map[string]any{}},
		},
		Credential: "c1", PasswordChanged: start, Joined: start,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ada (-want +got):\n%s", diff)
	}
	b := must[user.Person](t)(w.users.Person(t.Context(), id("bob")))
	if b.Superuser || b.Usable || b.Active || len(b.Groups) != 1 {
		t.Errorf("bob: %+v", b)
	}
	for _, nobody := range []string{"", id("eve")} {
		if p := must[user.Person](t)(w.users.Person(t.Context(), nobody)); p.Exists() {
			t.Errorf("%q is %+v", nobody, p)
		}
	}
	direct := must[[]projections.Group](t)(w.users.Groups(t.Context(), id("ada"), false))
	if len(direct) != 2 || direct[0].Name != "b mid" || direct[1].Name != "c side" {
		t.Errorf("direct groups: %+v", direct)
	}
}

func TestFindUser(t *testing.T) {
	w := people(t)
	w.append(stream("user", "eve"), user.UserCreated{Key: 2, Joined: start, Username: "eve", Email: "Ada"})
	w.settle()
	all := []string{"username", "email", "upn"}
	for name, tt := range map[string]struct {
		fields []string
		value  string
		fold   bool
		want   string
	}{
		"by user name":                     {[]string{"username"}, "Ada", false, "ada"},
		"the lowest key of all fields":     {all, "Ada", false, "eve"},
		"case matters":                     {all, "ada", false, ""},
		"unless folded":                    {[]string{"username"}, "ADA", true, "ada"},
		"by e-mail, as it is stored":       {all, "ada@example.org", false, "bob"},
		"the lowest key wins":              {all, "ADA@example.ORG", true, "bob"},
		"by an attribute":                  {[]string{"upn"}, "ada@corp", false, "ada"},
		"by a folded attribute":            {[]string{"upn"}, "ADA@corp", true, "ada"},
		"only by the fields that count":    {[]string{"email"}, "bob", true, ""},
		"by no field":                      {nil, "Ada", false, ""},
		"an empty value finds nobody":      {all, "", true, ""},
		"nobody has what is like SQL":      {all, "' OR 1=1 --", true, ""},
		"inactive users are found as well": {all, "bob", false, "bob"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := w.users.FindPerson(t.Context(), tt.fields, tt.value, tt.fold)
			want := ""
			if tt.want != "" {
				want = id(tt.want)
			}
			if err != nil || got.ID != want {
				t.Errorf("got %+v, %v, want %s", got, err, tt.want)
			}
		})
	}
	if _, _, err := w.users.Find(t.Context(), []string{"password"}, "x", false); err == nil {
		t.Error("a field that is none is taken")
	}
}

func TestListUsers(t *testing.T) {
	w := people(t)
	for name, tt := range map[string]struct {
		filter projections.UserFilter
		want   []string
	}{
		"all":                          {projections.UserFilter{}, []string{"Ada", "bob"}},
		"by user name":                 {projections.UserFilter{Username: "bob"}, []string{"bob"}},
		"by id":                        {projections.UserFilter{ID: id("ada")}, []string{"Ada"}},
		"by e-mail":                    {projections.UserFilter{Email: "Ada@Example.org"}, []string{"Ada"}},
		"by name":                      {projections.UserFilter{Name: "Ada Lovelace"}, []string{"Ada"}},
		"by a word":                    {projections.UserFilter{Search: "LOVE"}, []string{"Ada"}},
		"by two words":                 {projections.UserFilter{Search: "ada EXAMPLE"}, []string{"Ada", "bob"}},
		"by words that none has":       {projections.UserFilter{Search: "ada zzz"}, nil},
		"a percent sign is a text":     {projections.UserFilter{Search: "%"}, nil},
		"active":                       {projections.UserFilter{Active: ptr(true)}, []string{"Ada"}},
		"inactive":                     {projections.UserFilter{Active: ptr(false)}, []string{"bob"}},
		"superusers":                   {projections.UserFilter{Superuser: ptr(true)}, []string{"Ada"}},
		"others":                       {projections.UserFilter{Superuser: ptr(false)}, []string{"bob"}},
		"types":                        {projections.UserFilter{Types: []string{"external", "service_account"}}, []string{"bob"}},
		"path":                         {projections.UserFilter{Path: "p/q"}, []string{"bob"}},
		"start of the path":            {projections.UserFilter{PathStart: "p"}, []string{"bob"}},
		"group":                        {projections.UserFilter{Groups: []string{id("mid")}}, []string{"Ada"}},
		"a group above does not count": {projections.UserFilter{Groups: []string{id("top")}}, nil},
		"group by name":                {projections.UserFilter{GroupNames: []string{"c side", "b mid"}}, []string{"Ada", "bob"}},
		"attribute":                    {projections.UserFilter{Attributes: map[string]any{"n": 5}}, []string{"Ada"}},
		"deep attribute":               {projections.UserFilter{Attributes: map[string]any{"deep__er": "x", "n": 5}}, []string{"Ada"}},
		"attribute of other value":     {projections.UserFilter{Attributes: map[string]any{"n": 6}}, nil},
		"missing attribute":            {projections.UserFilter{Attributes: map[string]any{"none": nil}}, nil},
		"joined then":                  {projections.UserFilter{Times: map[string]time.Time{"date_joined": start}}, []string{"Ada", "bob"}},
		"joined later":                 {projections.UserFilter{Times: map[string]time.Time{"date_joined__gt": start}}, nil},
		"joined before":                {projections.UserFilter{Times: map[string]time.Time{"date_joined__lt": start.Add(time.Hour)}}, []string{"Ada", "bob"}},
		"never is not before":          {projections.UserFilter{NoLogin: ptr(true), Times: map[string]time.Time{"last_login__lt": start.AddDate(9, 0, 0)}}, nil},
		"changed after":                {projections.UserFilter{Times: map[string]time.Time{"last_updated__gt": start.AddDate(9, 0, 0)}}, nil},
		"several at once":              {projections.UserFilter{Active: ptr(true), Username: "bob"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			users, total, err := w.users.List(t.Context(), tt.filter, "username", projections.Page{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range users {
				got = append(got, u.Username)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || total != len(tt.want) {
				t.Errorf("total %d (-want +got):\n%s", total, diff)
			}
		})
	}
	bad := projections.UserFilter{Attributes: map[string]any{`a"b`: 1}}
	if _, _, err := w.users.List(t.Context(), bad, "", projections.Page{}); err == nil {
		t.Error("an attribute with a quote is taken")
	}
}

func TestUserPages(t *testing.T) {
	w := people(t)
	for order, want := range map[string]string{"": "Ada", "username": "Ada", "-username": "bob", "pk": "bob", "-pk": "Ada", "x; DROP": "Ada"} {
		users, total, err := w.users.List(t.Context(), projections.UserFilter{}, order, projections.Page{Limit: 1})
		if err != nil || total != 2 || len(users) != 1 || users[0].Username != want {
			t.Errorf("order %q: %d of %d, %v, want %s", order, len(users), total, err, want)
		}
	}
	users, total, err := w.users.List(t.Context(), projections.UserFilter{}, "username", projections.Page{Limit: 5, Offset: 1})
	if err != nil || total != 2 || len(users) != 1 || users[0].Username != "bob" {
		t.Errorf("second page: %+v of %d, %v", users, total, err)
	}
}

func TestUserChanges(t *testing.T) {
	w := people(t)
	later := start.Add(time.Hour)
	w.append(stream("session", "s"), session.SessionBegun{Kind: "browser", Begun: start, Expires: later},
		session.SessionAuthenticated{User: id("bob"), Login: later, Expires: later})
	w.append(stream("user", "bob"),
		user.UserRenamed{Username: "Robert"},
		user.UserProfileChanged{Fields: []string{"name"}, Set: user.Profile{Name: ptr("Rob"), Email: ptr("r@x"), Attributes: map[string]any{"upn": "R@corp"}}},
		user.UserActivated{}, user.UserTypeChanged{To: "internal"}, user.UserMoved{To: "z"},
		user.UserPasswordSet{Changed: later, CredentialID: "c2", Hash: hash},
		user.UserPasswordRehashed{CredentialID: "c3", Hash: hash})
	w.settle()
	got, ok, err := w.users.ByKey(t.Context(), 3)
	want := projections.User{
		ID: id("bob"), Key: 3, Username: "Robert", Name: "Rob", Email: "r@x", Active: true, Type: "internal", Path: "z",
		Attributes: map[string]any{"upn": "R@corp"}, Usable: true, Credential: "c3", PasswordChanged: later,
		Joined: start, Updated: start, LastLogin: later,
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v (-want +got):\n%s", ok, err, diff)
	}
	for _, value := range []string{"robert", "r@corp", "r@x"} {
		if found, ok, err := w.users.Find(t.Context(), []string{"username", "email", "upn"}, value, true); err != nil || !ok || found.Key != 3 {
			t.Errorf("%s finds %+v, %v", value, found, err)
		}
	}
	w.append(stream("user", "bob"), user.UserPasswordRemoved{Changed: later}, user.UserDeactivated{})
	w.settle()
	if got, _, _ := w.users.ByID(t.Context(), id("bob")); got.Usable || got.Credential != "" || got.Active {
		t.Errorf("after the password is gone: %+v", got)
	}
	w.append(stream("user", "bob"), user.UserDeleted{Via: "admin"})
	w.settle()
	if got, ok, _ := w.users.ByID(t.Context(), id("bob")); ok {
		t.Errorf("the deleted user is still %+v", got)
	}
	if side, _, _ := w.groups.Group(t.Context(), id("side")); len(side.Members) != 1 {
		t.Errorf("the deleted user is still a member: %+v", side)
	}
}

// A user whose key is destroyed has no profile, and is there.
func TestForgottenUser(t *testing.T) {
	w := newWorld(t)
	w.append(stream("user", "ada"), ada(), user.UserPasswordSet{Changed: start, CredentialID: "c1", Hash: hash})
	if err := w.vault.Forget(t.Context(), []string{"user:" + id("ada"), "credential:c1"}, 'P', 'C'); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.settle()
	if err := w.runner.Ready(); err != nil {
		t.Fatal(err)
	}
	got, ok, err := w.users.ByID(t.Context(), id("ada"))
	if err != nil || !ok || got.Key != 7 || got.Username+got.Name+got.Email != "" || got.Usable || len(got.Attributes) != 0 {
		t.Errorf("%v, %v: %+v", ok, err, got)
	}
}

func TestGroups(t *testing.T) {
	w := people(t)
	got, total, err := w.groups.List(t.Context(), projections.GroupFilter{}, false, projections.Page{})
	want := []projections.Group{
		{ID: id("top"), Name: "a top", Superuser: true, Children: []string{id("mid")}, Attributes: map[string]any{
			"list": []any{"t"}, "x": "top", "deep": map[string]any{"top": true},
		}},
		{ID: id("mid"), Name: "b mid", Parents: []string{id("top")}, Members: []string{id("ada")}, Keys: []int{7}, Attributes: map[string]any{
			"list": []any{"m"}, "x": "mid", "deep": "replaced",
		}},
		{ID: id("side"), Name: "c side", Members: []string{id("bob"), id("ada")}, Keys: []int{3, 7}, Attributes: map[string]any{}},
	}
	if diff := cmp.Diff(want, got); diff != "" || total != 3 || err != nil {
		t.Errorf("%d, %v (-want +got):\n%s", total, err, diff)
	}
	for name, tt := range map[string]struct {
		filter projections.GroupFilter
		want   int
	}{
		"by name":      {projections.GroupFilter{Name: "a top"}, 1},
		"by a word":    {projections.GroupFilter{Search: "MID"}, 1},
		"superuser":    {projections.GroupFilter{Superuser: ptr(true)}, 1},
		"no superuser": {projections.GroupFilter{Superuser: ptr(false)}, 2},
		"by member":    {projections.GroupFilter{Members: []string{id("bob"), id("nobody")}}, 1},
		"by nothing":   {projections.GroupFilter{Name: "none"}, 0},
		"attributes":   {projections.GroupFilter{Attributes: map[string]any{"deep__top": true}}, 1},
		"no attribute": {projections.GroupFilter{Attributes: map[string]any{"x": "other"}}, 0},
	} {
		if got, total, err := w.groups.List(t.Context(), tt.filter, true, projections.Page{}); err != nil || len(got) != tt.want || total != tt.want {
			t.Errorf("%s: %d of %d, %v, want %d", name, len(got), total, err, tt.want)
		}
	}
	if _, ok, err := w.groups.Group(t.Context(), ""); ok || err != nil {
		t.Errorf("no id is a group: %v, %v", ok, err)
	}
}

func TestGroupChanges(t *testing.T) {
	w := people(t)
	w.append(stream("group", "mid"), group.GroupRenamed{To: "z"}, group.GroupParentsChanged{To: []string{id("side"), id("none")}},
		group.GroupMemberRemoved{User: id("ada")}, group.GroupAttributesChanged{Set: map[string]any{}})
	// A circle among groups must not go round for ever.
	w.append(stream("group", "side"), group.GroupParentsChanged{To: []string{id("mid")}}, group.GroupSuperuserChanged{To: true})
	w.append(stream("group", "top"), group.GroupDeleted{Via: "api"})
	w.settle()
	got, _, err := w.groups.List(t.Context(), projections.GroupFilter{}, false, projections.Page{})
	want := []projections.Group{
		{ID: id("side"), Name: "c side", Superuser: true, Parents: []string{id("mid")}, Children: []string{id("mid")}, Members: []string{id("bob"), id("ada")}, Keys: []int{3, 7}, Attributes: map[string]any{}},
		{ID: id("mid"), Name: "z", Parents: []string{id("side"), id("none")}, Children: []string{id("side")}, Attributes: map[string]any{}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	p := must[user.Person](t)(w.users.Person(t.Context(), id("bob")))
	if !p.Superuser || len(p.Groups) != 2 {
		t.Errorf("bob: %+v", p)
	}
}

func TestPaths(t *testing.T) {
	w := people(t)
	for search, want := range map[string][]string{"": {"p/q", "users"}, "USE": {"users"}, "%": nil} {
		got, err := w.users.Paths(t.Context(), search)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", search, err, diff)
		}
	}
}
