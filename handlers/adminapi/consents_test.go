package adminapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

func (v *views) Agreed(_ context.Context, f adminapi.ConsentFilter, _ adminapi.Page) ([]adminapi.Consent, int, error) {
	var out []adminapi.Consent
	for id, s := range v.now().consents {
		if s.Status == consent.Given && (f.User == "" || f.User == s.User) && (f.Application == "" || f.Application == s.Application.ID) &&
			(f.Key == 0 || f.Key == s.Key) {
			out = append(out, adminapi.Consent{
				ID: id, Key: s.Key, User: s.User, Application: s.Application, Permissions: strings.Join(s.Permissions, " "), Expires: s.Expires,
			})
		}
	}
	return out, len(out), nil
}

// Everybody sees and takes back their own consents, superusers all.
func TestConsents(t *testing.T) {
	b := newBench(t)
	app := uuid.NewString()
	for i, who := range []string{member, admin} {
		id := b.callers[who].User
		_, err := b.server.Consents.Handle(t.Context(), eventstore.Stream("consent", uuid.NewString()), consent.Grant{ConsentGranted: consent.ConsentGranted{
			Key: i + 1, User: id, Application: consent.Application{ID: app, Name: "App"}, Permissions: []string{"email", "groups"}, Mode: "permanent", Execution: "x",
		}}, b.meta)
		b.must(err)
	}
	b.must(b.views.wait(t.Context()))
	const path = "core/user_consent/"
	own := b.do(member, http.MethodGet, path, nil)
	if own.at("pagination.count") != 1.0 || own.at("results.0.pk") != 1.0 || own.str("results.0.user.username") != "jane" ||
		own.str("results.0.application.name") != "App" || own.str("results.0.permissions") != "email groups" || own.at("results.0.expiring") != false {
		t.Errorf("own: %s", own.text)
	}
	for query, want := range map[string]int{"": 2, "?user=2": 1, "?user=99": 0, "?application=" + app: 2, "?application=x": 0} {
		if got := b.want(200, http.MethodGet, path+query, nil); got.at("pagination.count") != float64(want) {
			t.Errorf("%s: %s", query, got.text)
		}
	}
	b.want(400, http.MethodGet, path+"?user=x", nil)
	if got := b.do(member, http.MethodGet, path+"?user=1", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("somebody else's: %s", got.text)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if got := b.do(member, method, path+"2/", nil); got.status != 404 {
			t.Errorf("%s of somebody else's: %d", method, got.status)
		}
	}
	if got := b.do(stranger, http.MethodGet, path, nil); got.status != 403 {
		t.Errorf("a stranger: %d", got.status)
	}
	for i, who := range []string{member, admin} {
		one := fmt.Sprint(path, i+1, "/")
		if got := b.do(who, http.MethodGet, one, nil); got.status != 200 {
			t.Errorf("read: %d", got.status)
		}
		if got := b.do(who, http.MethodGet, one+"used_by/", nil); strings.TrimSpace(got.text) != "[]" {
			t.Errorf("used by %s", got.text)
		}
		if got := b.do(who, http.MethodDelete, one, nil); got.status != 204 {
			t.Errorf("take back: %d", got.status)
		}
		if got := b.do(who, http.MethodGet, one, nil); got.status != 404 {
			t.Errorf("after it: %d", got.status)
		}
	}
	b.want(404, http.MethodGet, path+"x/", nil)
}
