package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/user"
)

func TestNames(t *testing.T) {
	w := people(t)
	got := must[map[string]string](t)(w.users.Names(t.Context(), []string{id("ada"), id("nobody"), id("bob"), id("bob")}))
	if diff := cmp.Diff(map[string]string{id("ada"): "Ada", id("bob"): "bob"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if none := must[map[string]string](t)(w.users.Names(t.Context(), nil)); len(none) > 0 {
		t.Errorf("nobody is called %v", none)
	}
	w.append(stream("user", "bob"), user.UserDeleted{Via: "admin"})
	w.settle()
	if gone := must[map[string]string](t)(w.users.Names(t.Context(), []string{id("bob")})); len(gone) > 0 {
		t.Errorf("whoever is deleted is called %v", gone)
	}
}
