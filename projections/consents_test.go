package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/projections"
)

func TestConsents(t *testing.T) {
	w := newWorld(t)
	app := consent.Application{ID: "app", Name: "App", Slug: "app"}
	soon := start.Add(time.Minute)
	w.append(stream("consent", "a"), consent.ConsentGranted{Key: 1, User: id("ada"), Application: app, Permissions: []string{"email", "groups"}, Expires: soon})
	w.append(stream("consent", "b"), consent.ConsentGranted{Key: 2, User: id("bob"), Application: app})
	w.append(stream("consent", "c"), consent.ConsentGranted{Key: 3, User: id("ada"), Application: consent.Application{ID: "other"}}, consent.ConsentRevoked{})
	w.append(stream("consent", "d"), consent.ConsentGranted{Key: 4, User: id("ada"), Application: consent.Application{ID: "third"}}, consent.ConsentExpired{})
	w.run()
	keys := func(f projections.ConsentFilter) []int {
		t.Helper()
		w.settle()
		if f.At.IsZero() {
			f.At = start
		}
		found, total, err := w.consents.List(t.Context(), f, projections.Page{})
		if err != nil || total != len(found) {
			t.Errorf("%d of %d, %v", len(found), total, err)
		}
		var keys []int
		for _, c := range found {
			keys = append(keys, c.Key)
		}
		return keys
	}
	for name, tt := range map[string]struct {
		filter projections.ConsentFilter
		want   []int
	}{
		"all": {want: []int{1, 2}}, "user": {projections.ConsentFilter{User: id("ada")}, []int{1}},
		"application": {projections.ConsentFilter{Application: "app"}, []int{1, 2}}, "key": {projections.ConsentFilter{Key: 2}, []int{2}},
		"later": {projections.ConsentFilter{At: soon}, []int{2}}, "nobody": {projections.ConsentFilter{User: "x"}, nil},
	} {
		if diff := cmp.Diff(tt.want, keys(tt.filter)); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", name, diff)
		}
	}
	for at, want := range map[time.Time]int{start: 0, soon: 1} {
		if due, err := w.consents.Due(t.Context(), at, 9); err != nil || len(due) != want {
			t.Errorf("due at %s: %v, %v", at, due, err)
		}
	}
	w.append(stream("user", "bob"), user.UserDeleted{})
	if diff := cmp.Diff([]int{1}, keys(projections.ConsentFilter{})); diff != "" {
		t.Errorf("after a deletion (-want +got):\n%s", diff)
	}
}
