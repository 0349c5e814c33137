package policy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

// A directory is one that knows few look-ups and keeps what it was asked.
type directory struct {
	env
	groups []user.Group
	asked  []string
}

// Users implements [policy.Directory].
func (d *directory) Users(_ context.Context, by map[string]any, limit int) ([]user.Person, int, error) {
	d.asked = append(d.asked, fmt.Sprint(by, " ", limit))
	var found []user.Person
	for _, u := range d.users {
		ok := true
		for key, v := range by {
			switch key {
			case "username":
				ok = ok && u.Username == v
			case "username__in":
				items, _ := v.([]any)
				ok = ok && slices.Contains(items, any(u.Username))
			case "email__iexact":
				s, _ := v.(string)
				ok = ok && strings.EqualFold(u.Email, s)
			case "pk":
				ok = ok && int64(u.Key) == v
			case "is_active":
				ok = ok && u.Active == v
			case "groups__name":
				ok = ok && slices.ContainsFunc(u.Groups, func(g user.Group) bool { return g.Name == v && !g.Inherited })
			case "groups__pk":
				ok = ok && slices.ContainsFunc(u.Groups, func(g user.Group) bool { return g.ID == v && !g.Inherited })
			case "attributes__team":
				ok = ok && u.Attributes["team"] == v
			case "path":
				return nil, 0, errors.New("the store does not answer")
			default:
				return nil, 0, domain.Errorf(domain.Invalid, "There is no look-up %s.", key)
			}
		}
		if ok {
			found = append(found, u)
		}
	}
	return found[:min(limit, len(found))], len(found), nil
}

// Groups implements [policy.Directory].
func (d *directory) Groups(_ context.Context, by map[string]any, limit int) ([]user.Group, int, error) {
	d.asked = append(d.asked, fmt.Sprint(by, " ", limit))
	var found []user.Group
	for _, g := range d.groups {
		if name, ok := by["name"]; ok && g.Name != name || by["children"] != nil && g.ID != "g0" {
			continue
		}
		found = append(found, g)
	}
	return found[:min(limit, len(found))], len(found), nil
}

func town() *directory {
	staff := user.Group{ID: "g1", Name: "staff", Attributes: map[string]any{"level": 2.0}}
	top := user.Group{ID: "g0", Name: "all", Superuser: true}
	inherited := top
	inherited.Inherited = true
	return &directory{
		env: env{users: []user.Person{
			{ID: "u1", Key: 5, Username: "ada", Name: "Ada", Email: "ada@example.org", Active: true, Joined: now,
				Attributes: map[string]any{"team": "x", "roles": []any{"a", "b"}, "deep": map[string]any{"n": 3.0}},
				Groups:     []user.Group{inherited, staff}},
			{ID: "u2", Key: 6, Username: "eve", Name: "Eve", Email: "EVE@example.org", Joined: now.Add(time.Hour), LastLogin: now},
			{ID: "u3", Key: 7, Username: "bob", Name: "Bob", Email: "bob@other.example", Active: true, Joined: now.Add(-time.Hour)},
		}},
		groups: []user.Group{top, staff},
	}
}

const models = "from authentik.core.models import User, Group\n"

// looked evaluates an expression about the first user of a town.
func looked(t *testing.T, d *directory, source string) (policy.Verdict, error) {
	t.Helper()
	r := asked(d.users[0])
	r.Env = policy.Env{Directory: d}
	return ran(t, models+source, r)
}

// TestQueries states what is found: each is true.
func TestQueries(t *testing.T) {
	for name, source := range map[string]string{
		"one by name":              `return User.objects.filter(username="ada").first().pk == 5`,
		"none":                     `return User.objects.filter(username="x").first() is None and not User.objects.filter(username="x").exists()`,
		"some, counted":            `return User.objects.filter(is_active=True).count() == 2 and len(User.objects.all()) == 3`,
		"in a condition":           `return bool(User.objects.filter(pk=5)) and not User.objects.filter(pk="99")`,
		"looped over":              `return [u.username for u in User.objects.all()] == ["ada", "eve", "bob"]`,
		"but some":                 `return [u.username for u in User.objects.exclude(username="ada").filter(is_active=True)] == ["bob"]`,
		"but who meets all":        `return User.objects.exclude(username="ada", is_active=False).count() == 3`,
		"chained on one field":     `return User.objects.filter(username__in=["ada", "eve"]).filter(username__in=["eve", "bob"]).get().pk == 6`,
		"without case":             `return User.objects.filter(email__iexact="eve@EXAMPLE.org").exists()`,
		"by part of a name":        `return User.objects.filter(name__icontains="A").count() == 1`,
		"by either end of a name":  `return User.objects.filter(name__istartswith="b").count() == 1 and User.objects.filter(name__iendswith="VE").count() == 1`,
		"by attribute":             `return User.objects.filter(attributes__team="x").get().username == "ada"`,
		"by deeper attribute":      `return User.objects.exclude(attributes__deep__n=3).count() == 2`,
		"by a number's size":       `return User.objects.exclude(attributes__deep__n__gte=3).count() == 2`,
		"by item of a list":        `return User.objects.exclude(attributes__roles__contains="a").count() == 2 and User.objects.exclude(attributes__roles__contains=["a", "c"]).count() == 3`,
		"by lack of an attribute":  `return User.objects.exclude(attributes__team__isnull=True).count() == 1`,
		"by group":                 `return User.objects.filter(groups__name="staff").count() == 1 and User.objects.filter(ak_groups__name="all").count() == 0`,
		"by a group itself":        `return User.objects.filter(groups=Group.objects.get(name="staff")).count() == 1`,
		"by a group's attribute":   `return User.objects.filter(groups__attributes__level=2).count() == 1`,
		"by who never came":        `return User.objects.exclude(last_login=None).count() == 1 and User.objects.exclude(last_login__isnull=False).count() == 2`,
		"in order":                 `return [u.username for u in User.objects.order_by("-username")] == ["eve", "bob", "ada"]`,
		"in order of several":      `return list(User.objects.order_by("is_active", "-date_joined").values_list("username", flat=True)) == ["eve", "ada", "bob"]`,
		"the last":                 `return User.objects.order_by("date_joined").last().username == "eve" and User.objects.filter(username="x").last() is None`,
		"a part":                   `return [u.pk for u in User.objects.all()[1:]] == [6, 7] and User.objects.all()[0].pk == 5 and len(User.objects.all()[:2]) == 2`,
		"a part of a part":         `return [u.pk for u in User.objects.order_by("-id")[:2][1:2]] == [6]`,
		"nothing of it":            `return len(User.objects.all()[2:1]) == 0 and User.objects.all()[5:].count() == 0`,
		"some fields":              `return User.objects.filter(pk=5).values_list("username", "email")[0] == ("ada", "ada@example.org")`,
		"some fields by name":      `return User.objects.filter(pk=5).values("id")[0] == {"id": 5}`,
		"get or not":               "try:\n  User.objects.get(username='x')\nexcept User.DoesNotExist as e:\n  return str(e) == 'User matching query does not exist.'",
		"get or too many":          "try:\n  User.objects.get(is_active=True)\nexcept User.MultipleObjectsReturned:\n  return True",
		"get, caught by Django":    "from django.core.exceptions import ObjectDoesNotExist\ntry:\n  Group.objects.get(name='x')\nexcept ObjectDoesNotExist:\n  return True",
		"a query in a query":       `return User.objects.filter(username__in=User.objects.filter(pk=5).values_list("username", flat=True)).count() == 1`,
		"membership of a query":    `return request.user in User.objects.filter(is_active=True) and request.user not in User.objects.filter(username="eve")`,
		"classes":                  `return isinstance(request.user, User) and not isinstance(request.user, Group) and isinstance(user.groups.first(), (Group, int))`,
		"texts":                    `return str(User.objects.filter(pk=5)) == "<QuerySet [<User: ada>]>"`,
		"direct groups":            `return [g.name for g in user.groups.all()] == ["staff"] and [g.name for g in user.all_groups()] == ["all", "staff"]`,
		"what groups have":         `return user.groups.first().attributes["level"] == 2 and not user.groups.first().is_superuser and user.groups.first().is_member(user)`,
		"groups by what they may":  `return ak_is_group_member(user, is_superuser=True) and ak_is_group_member(user, attributes__level=2) and not ak_is_group_member(user, name__iexact="x")`,
		"who is in a group":        `return user.groups.first().users.filter(username="ada").exists()`,
		"groups above":             `return user.groups.first().parents.first().name == "all"`,
		"times":                    `return user.date_joined.year == 2026 and user.last_login is None`,
		"the same query, asked on": "q = User.objects.all()\na = q.filter(username='ada')\nb = q.filter(username='eve')\nreturn a.get().pk == 5 and b.get().pk == 6 and q.count() == 3",
		"a broken filter by name":  `return ak_user_by(nonsense=1) is None and ak_user_by(pk="x") is None`,
		"some user by e-mail":      `return ak_user_by(email__iexact="EVE@EXAMPLE.ORG").username == "eve"`,
		"a query as a verdict":     `return User.objects.filter(pk=5)`,
		"no query":                 `return User.objects.none() == []`,
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := looked(t, town(), source); err != nil || !v.Passing {
				t.Errorf("got %t, %v", v.Passing, err)
			}
		})
	}
}

func TestQueriesFail(t *testing.T) {
	crowd := town()
	for i := range 1500 {
		crowd.users = append(crowd.users, user.Person{ID: fmt.Sprint("c", i), Key: 100 + i, Username: fmt.Sprint("c", i), Active: true})
	}
	for name, tt := range map[string]struct{ source, want string }{
		"an unknown field":          {`User.objects.filter(nonsense=1)`, "FieldError: Cannot resolve keyword 'nonsense' into field. Choices are: attributes, date_joined,"},
		"an unknown operator":       {`User.objects.filter(username__regex="x")`, "FieldError: Unsupported lookup 'regex' for field 'username'. Choices are: iexact,"},
		"a wrong operator":          {`User.objects.filter(is_active__gt=1)`, "FieldError: Unsupported lookup 'gt' for field 'is_active'"},
		"a wrong value":             {`User.objects.filter(pk="x")`, "ValueError: Field 'pk' expected a number but got 'x'."},
		"no list":                   {`User.objects.filter(username__in="ada")`, "TypeError: username__in wants a list"},
		"too many rows":             {`return [u for u in User.objects.all()]`, "RuntimeError: User.objects.all() has to look at 1503 rows; at most 1000 are allowed"},
		"too many to leave out":     {`return User.objects.exclude(pk=5).exists()`, "RuntimeError: User.objects.exclude(pk=5) has to look at 1503 rows"},
		"too many in a condition":   {`return User.objects.all() and True`, "has to look at 1503 rows"},
		"too large a part":          {`return list(User.objects.all()[:1200])`, "has to look at 1503 rows"},
		"too many returned":         {`return User.objects.all()`, "has to look at 1503 rows"},
		"a broken store":            {`return User.objects.filter(path="x").exists()`, "look a user up: the store does not answer"},
		"a negative index":          {`return User.objects.all()[-1]`, "ValueError: Negative indexing is not supported."},
		"an index too far":          {`return User.objects.filter(pk=5)[3]`, "IndexError: list index out of range"},
		"an order by nothing":       {`User.objects.order_by("x")`, "FieldError: Cannot resolve keyword 'x' into field."},
		"a change":                  {`User.objects.filter(pk=5).delete()`, "RuntimeError: delete() would change users or groups"},
		"a new user":                {`User(username="x")`, "TypeError: expressions cannot make objects of the class User"},
		"a change of a user":        {`user.set_password("x")`, "RuntimeError: set_password() would change users or groups"},
		"a filter of a part":        {`User.objects.all()[:1].filter(pk=5)`, "TypeError: Cannot filter a query once a slice has been taken."},
		"relations left out":        {`Group.objects.exclude(users=user)`, "FieldError: Unsupported lookup for field 'users' here"},
		"too many questions":        {"for i in range(1000):\n  ak_user_by(pk=i)", "RuntimeError: the expression looks too much up"},
		"no conditions":             {`User.objects.filter(1)`, "TypeError: filter() takes conditions like name=value"},
		"an unknown kind of device": {`ak_user_has_authenticator(user, "x")`, "ValueError: there is no device type 'x'; there are totp,"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := looked(t, crowd, tt.source)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %t, %v; want %s", v.Passing, err, tt.want)
			}
		})
	}
}

// What the directory can answer is not read to be compared here.
func TestQueriesAskForLittle(t *testing.T) {
	for source, want := range map[string][]string{
		`User.objects.filter(username="ada", is_active=True).exists()`:                                   {"map[is_active:true username:ada] 1"},
		`User.objects.filter(attributes__team="x").count()`:                                              {"map[attributes__team:x] 1"},
		`list(User.objects.filter(groups__name="staff")[:2])`:                                            {"map[groups__name:staff] 2"},
		`User.objects.filter(name__iexact="Ada").first()`:                                                {"map[] 1000"},
		`q = User.objects.filter(pk="5")` + "\nlen(q)\n[u for u in q]\nq.exists()\nq.count()\nq.first()": {"map[pk:5] 1000"},
		`user.groups.filter(name="x").exists()`:                                                          nil,
		`list(user.groups.first().users.all()[:1])`:                                                      {"map[groups__pk:g1] 1"},
	} {
		d := town()
		if _, err := looked(t, d, source); err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, d.asked, alike); diff != "" {
			t.Errorf("%s: asked (-want +got):\n%s", source, diff)
		}
	}
}

func TestLookUpsAreRecorded(t *testing.T) {
	d := town()
	d.policies = map[string]policy.Policy{"other": &policy.Expression{Source: "return ak_user_by(username='eve') is not None"}}
	r := asked(d.users[0])
	r.Env = policy.Env{Directory: d}
	r.Context = execution.Context{"prompt_data": map[string]any{"password": domain.NewSecret(`hun'ter"2`), "name": "ada"}}
	v, err := ran(t, models+strings.Join([]string{
		`typed = context["prompt_data"]["password"]`,
		`ak_user_by(username="ada")`,
		`ak_user_by(username=typed)`,
		`User.objects.filter(email__iexact="x").exclude(pk=request.user.pk).exists()`,
		`len(User.objects.all())`,
		`Group.objects.filter(name__in=["staff", typed]).count()`,
		`ak_call_policy("other", password="p", x=[typed])`,
		`user.groups.filter(name="staff").exists()`,
		`return True`,
	}, "\n"), r)
	if err != nil {
		t.Fatal(err)
	}
	const mask = "********************"
	want := []execution.Lookup{
		{Call: "ak_user_by(username='ada')", Answer: "user 5"},
		{Call: "ak_user_by(username=" + mask + ")", Answer: "nothing"},
		{Call: "User.objects.filter(email__iexact='x').exclude(pk=5).exists()", Answer: "false"},
		{Call: "User.objects.all()", Answer: "users 5, 6, 7"},
		{Call: "Group.objects.filter(name__in=['staff', '" + mask + "']).count()", Answer: "2"},
		{Call: "ak_user_by(username='eve')", Answer: "user 6"},
		{Call: "ak_call_policy('other', password=" + mask + ", x=['" + mask + "'])", Answer: "passing true"},
	}
	if diff := cmp.Diff(want, v.Detail.Lookups); diff != "" {
		t.Errorf("look-ups (-want +got):\n%s", diff)
	}
}

// Who watches a policy, or reads why it decided, looks nothing up by that.
func TestWatchingLooksNothingUp(t *testing.T) {
	d := town()
	r := asked(d.users[0])
	r.Env, r.Watch = policy.Env{Directory: d}, &policy.Watch{}
	v, err := ran(t, models+"q = User.objects.all()\nboth = [q, user.groups]\nother = {'x': q}\nreturn q is not None and len(both) == 2 and other", r)
	if err != nil || !v.Passing || len(d.asked) != 0 || len(v.Detail.Lookups) != 0 {
		t.Errorf("asked %q, kept %v, %v, %v", d.asked, v.Detail.Lookups, v.Detail.Names, err)
	}
}

func TestLookUpsAreBounded(t *testing.T) {
	v, err := looked(t, town(), "for i in range(99):\n  ak_user_by(username='x' * 2000)\nreturn True")
	if err != nil || len(v.Detail.Lookups) != 50 || len(v.Detail.Lookups[0].Call) > 310 {
		t.Errorf("kept %d look-ups, %v", len(v.Detail.Lookups), err)
	}
}
