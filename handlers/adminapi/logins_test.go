package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLogins(t *testing.T) {
	b := newBench(t)
	own := b.do(member, http.MethodGet, "core/authenticated_sessions/", nil)
	if diff := cmp.Diff([]string{sessionOf("jane")}, own.names("uuid")); diff != "" {
		t.Errorf("own sessions (-want +got):\n%s", diff)
	}
	if own.at("results.0.current") != true || own.at("results.0.user") != 2.0 || own.str("results.0.user_agent.user_agent.family") != "Firefox" {
		t.Errorf("session: %s", own.text)
	}
	if got := b.do(member, http.MethodGet, "core/authenticated_sessions/?user__username=root", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("somebody else's sessions: %s", got.text)
	}
	if got := b.want(200, http.MethodGet, "core/authenticated_sessions/", nil); got.at("pagination.count") != 2.0 {
		t.Errorf("all sessions: %s", got.text)
	}
	for query, want := range map[string]int{"?user__username=jane": 1, "?user__username=nobody": 0, "?session__last_ip=192.0.2.7": 2, "?session__last_ip=x": 0} {
		if got := b.want(200, http.MethodGet, "core/authenticated_sessions/"+query, nil); got.at("pagination.count") != float64(want) {
			t.Errorf("%s: %s", query, got.text)
		}
	}
	other := "core/authenticated_sessions/" + sessionOf("root") + "/"
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if got := b.do(member, method, other, nil); got.status != 404 {
			t.Errorf("%s of somebody else's session: %d", method, got.status)
		}
	}
	mine := "core/authenticated_sessions/" + sessionOf("jane") + "/"
	if got := b.do(member, http.MethodDelete, mine, nil); got.status != 204 {
		t.Errorf("delete: %d %s", got.status, got.text)
	}
	if s := b.views.now().sessions[sessionOf("jane")]; s.Status == "alive" {
		t.Error("the session lives on")
	}
	b.want(404, http.MethodGet, mine, nil)
	b.want(200, http.MethodGet, other, nil)
}

// All sessions of some users end at once.
func TestBulkDelete(t *testing.T) {
	b := newBench(t)
	const path = "core/authenticated_sessions/bulk_delete/"
	for query, want := range map[string]string{"": "This field is required.", "?user_pks=x": "A valid integer is required.", "?user_pks=": "This field is required."} {
		if diff := cmp.Diff(fields{"user_pks": []any{want}}, b.want(400, http.MethodDelete, path+query, nil).json); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if got := b.do(member, http.MethodDelete, path+"?user_pks=2", nil); got.status != 403 {
		t.Errorf("an ordinary user: %d", got.status)
	}
	if got := b.want(200, http.MethodDelete, path+"?user_pks=2&user_pks=2&user_pks=99", nil); got.at("deleted") != 1.0 {
		t.Errorf("deleted: %s", got.text)
	}
	if s := b.views.now().sessions; s[sessionOf("jane")].Status == "alive" || s[sessionOf("root")].Status != "alive" {
		t.Errorf("sessions: %v", s)
	}
	if got := b.want(200, http.MethodDelete, path+"?user_pks=1,2", nil); got.at("deleted") != 1.0 {
		t.Errorf("deleted: %s", got.text)
	}
}

func TestTokens(t *testing.T) {
	b := newBench(t)
	made := b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "robot", "user": 2, "description": "for a robot", "expiring": false})
	if made.str("key") != mintedKey || made.str("user_obj.username") != "jane" || made.str("intent") != "api" {
		t.Errorf("made %s", made.text)
	}
	s := b.views.now().tokens[made.str("pk")]
	if s.Digest.Reveal() != mintedDigest || s.User != b.callers[member].User {
		t.Errorf("stored %+v", s)
	}
	for _, path := range []string{"core/tokens/", "core/tokens/robot/", "core/tokens/robot/used_by/", "core/tokens/?user__username=jane"} {
		if got := b.want(200, http.MethodGet, path, nil); strings.Contains(got.text, mintedKey) || strings.Contains(got.text, mintedDigest) {
			t.Errorf("%s shows the key: %s", path, got.text)
		}
	}
	if got := b.want(403, http.MethodGet, "core/tokens/robot/view_key/", nil); !strings.Contains(got.str("detail"), "shown once") {
		t.Errorf("view_key: %s", got.text)
	}
	for field, body := range map[string]fields{
		"identifier": {"identifier": "robot"}, "intent": {"identifier": "x", "intent": "recovery"}, "user": {"identifier": "x", "user": 99},
		"expires": {"identifier": "x", "expires": "2020-01-01T00:00:00Z"}, "expiring": {"identifier": "x", "expiring": "maybe"},
	} {
		if got := b.want(400, http.MethodPost, "core/tokens/", body); got.at(field) == nil {
			t.Errorf("%s: %s", field, got.text)
		}
	}
	b.want(400, http.MethodPost, "core/tokens/", fields{"identifier": "a/b"})
	b.want(204, http.MethodDelete, "core/tokens/robot/", nil)
	b.want(404, http.MethodGet, "core/tokens/robot/", nil)
}
