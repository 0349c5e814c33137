package projections_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/projections"
)

func TestUserLookups(t *testing.T) {
	w := people(t)
	tests := map[string]struct {
		by   map[string]any
		want []int
	}{
		"nothing":                 {nil, []int{3, 7}},
		"a key":                   {map[string]any{"pk": int64(7)}, []int{7}},
		"several keys":            {map[string]any{"pk__in": []any{int64(3), int64(9)}}, []int{3}},
		"no keys":                 {map[string]any{"pk__in": []any{}}, nil},
		"larger keys":             {map[string]any{"pk__gt": int64(3)}, []int{7}},
		"a name":                  {map[string]any{"username": "Ada"}, []int{7}},
		"a name in another case":  {map[string]any{"username": "ada"}, nil},
		"a name in any case":      {map[string]any{"username__iexact": "aDA"}, []int{7}},
		"an e-mail in any case":   {map[string]any{"email__iexact": "ADA@example.org"}, []int{3, 7}},
		"the start of an e-mail":  {map[string]any{"email__startswith": "Ada@"}, []int{7}},
		"the start in any case":   {map[string]any{"email__istartswith": "Ada@"}, []int{3, 7}},
		"the end of an e-mail":    {map[string]any{"email__endswith": "Example.org"}, []int{7}},
		"the end in any case":     {map[string]any{"email__iendswith": "Example.org"}, []int{3, 7}},
		"an empty end":            {map[string]any{"email__endswith": ""}, []int{3, 7}},
		"a part of a name":        {map[string]any{"name__contains": "Love"}, []int{7}},
		"wildcards mean nothing":  {map[string]any{"name__contains": "%"}, nil},
		"several":                 {map[string]any{"username__in": []any{"bob", "Ada"}, "is_active": true}, []int{7}},
		"superusers":              {map[string]any{"is_superuser": true}, []int{7}},
		"no superusers":           {map[string]any{"is_superuser": false}, []int{3}},
		"a group":                 {map[string]any{"groups__name": "c side"}, []int{3, 7}},
		"groups, not those above": {map[string]any{"groups__name": "a top"}, nil},
		"a group's key":           {map[string]any{"groups__pk__in": []any{id("mid")}}, []int{7}},
		"an attribute":            {map[string]any{"attributes__deep__er": "x"}, []int{7}},
		"an attribute's number":   {map[string]any{"attributes__n": int64(5)}, []int{7}},
		"a time":                  {map[string]any{"date_joined__lte": start}, []int{3, 7}},
		"an earlier time":         {map[string]any{"date_joined__lt": start}, nil},
		"never is no time":        {map[string]any{"last_login__lt": start.Add(time.Hour)}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, total, err := w.users.Lookup(t.Context(), tt.by, projections.Page{Limit: 10})
			var keys []int
			for _, u := range found {
				keys = append(keys, u.Key)
			}
			if err != nil || !slices.Equal(keys, tt.want) || total != len(tt.want) {
				t.Errorf("got %v of %d, %v; want %v", keys, total, err, tt.want)
			}
		})
	}
	for _, key := range []string{"nonsense", "username__regex", "name__iexact", "groups", "attributes__", `attributes__a"b`, "username__in"} {
		_, _, err := w.users.Lookup(t.Context(), map[string]any{key: 1}, projections.Page{Limit: 10})
		if code, _ := domain.Explain(err); code != domain.Invalid && key != "attributes__" {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestGroupLookups(t *testing.T) {
	w := people(t)
	for sentence, tt := range map[string]struct {
		by   map[string]any
		want string
	}{
		"a name":           {map[string]any{"name": "a top"}, "[a top]"},
		"part of a name":   {map[string]any{"name__icontains": "SID"}, "[c side]"},
		"a right":          {map[string]any{"is_superuser": true}, "[a top]"},
		"an attribute":     {map[string]any{"attributes__x": "mid"}, "[b mid]"},
		"a member":         {map[string]any{"users": "7"}, "[b mid c side]"},
		"several members":  {map[string]any{"users__in": []any{"3", "4"}}, "[c side]"},
		"a group above":    {map[string]any{"parents": id("top")}, "[b mid]"},
		"a group below":    {map[string]any{"children": id("mid")}, "[a top]"},
		"several by key":   {map[string]any{"pk__in": []any{id("top"), id("side")}}, "[a top c side]"},
		"everything about": {map[string]any{"name__startswith": "b", "users": "7", "parents": id("top")}, "[b mid]"},
	} {
		found, total, err := w.groups.Lookup(t.Context(), tt.by, projections.Page{Limit: 10})
		var names []string
		for _, g := range found {
			names = append(names, g.Name)
		}
		if got := fmt.Sprint(names); err != nil || got != tt.want || total != len(found) {
			t.Errorf("%s: got %s of %d, %v; want %s", sentence, got, total, err, tt.want)
		}
	}
}
