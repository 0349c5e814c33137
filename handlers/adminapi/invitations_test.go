package adminapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

func (v *views) Invitations(context.Context) ([]adminapi.Invitation, error) {
	var out []adminapi.Invitation
	for id, s := range v.now().invitations {
		if s.Status != invitation.Open {
			continue
		}
		f := fields{"name": s.Name, "flow": nil, "single_use": s.SingleUse, "expires": nil, "fixed_data": s.FixedData}
		if s.Flow != "" {
			f["flow"] = s.Flow
		}
		if s.FixedData == nil {
			f["fixed_data"] = fields{}
		}
		if !s.Expires.IsZero() {
			f["expires"] = s.Expires.Format(time.RFC3339Nano)
		}
		out = append(out, adminapi.Invitation{Thing: object.Thing{ID: id, Kind: object.InvitationModel, Name: s.Name, Fields: f}, Maker: s.By})
	}
	return out, nil
}

func (v *views) Invitation(ctx context.Context, id string) (adminapi.Invitation, bool, error) {
	all, err := v.Invitations(ctx)
	for _, i := range all {
		if i.ID == id {
			return i, true, err
		}
	}
	return adminapi.Invitation{}, false, err
}

const invitations = "stages/invitation/invitations/"

func TestInvitations(t *testing.T) {
	b := newBench(t)
	flow := b.flow("join")
	one := b.want(201, http.MethodPost, invitations, fields{
		"name": "one", "flow": flow, "single_use": true, "expires": "2026-12-01T00:00:00Z", "fixed_data": fields{"email": "guest@example.org"},
		"created_by": fields{"username": "somebody"},
	})
	if one.str("created_by.username") != "root" || one.str("flow_obj.slug") != "join" || one.at("single_use") != true ||
		one.str("expires") != "2026-12-01T00:00:00Z" || one.str("fixed_data.email") != "guest@example.org" {
		t.Errorf("made: %s", one.text)
	}
	path := invitations + one.str("pk") + "/"
	if diff := cmp.Diff(one.json, b.want(200, http.MethodGet, path, nil).json); diff != "" {
		t.Errorf("read (-made +got):\n%s", diff)
	}
	changed := b.want(200, http.MethodPatch, path, fields{"single_use": false, "expires": nil})
	if changed.at("single_use") != false || changed.at("expires") != nil || changed.str("fixed_data.email") == "" {
		t.Errorf("changed: %s", changed.text)
	}
	b.want(200, http.MethodPut, path, fields{"name": "one-b"})
	b.want(400, http.MethodPut, path, fields{"single_use": true})
	if got := b.want(200, http.MethodGet, path+"used_by/", nil); strings.TrimSpace(got.text) != "[]" {
		t.Errorf("used by %s", got.text)
	}
	b.want(201, http.MethodPost, invitations, fields{"name": "two", "flow": flow})
	for query, want := range map[string][]string{
		"":                           {"one-b", "two"},
		"?ordering=-name":            {"two", "one-b"},
		"?name=two":                  {"two"},
		"?flow__slug=join":           {"one-b", "two"},
		"?flow__slug=other":          {},
		"?created_by__username=root": {"one-b", "two"},
		"?created_by__username=jane": {},
		"?search=ONE":                {"one-b"},
		"?page_size=1&page=2":        {"two"},
	} {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, invitations+query, nil).names("name")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	b.want(204, http.MethodDelete, path, nil)
	b.want(404, http.MethodGet, path, nil)
	b.want(404, http.MethodDelete, path, nil)
	b.want(404, http.MethodGet, invitations+"x/", nil)
	for what, body := range map[string]fields{
		"no name": {}, "a name that is no slug": {"name": "a b"}, "a flow that is not": {"name": "x", "flow": uuid.NewString()},
		"data that is no object": {"name": "x", "fixed_data": []any{}}, "a time that is none": {"name": "x", "expires": "tomorrow"},
	} {
		if got := b.do(admin, http.MethodPost, invitations, body); got.status != 400 {
			t.Errorf("%s: %d %s", what, got.status, got.text)
		}
	}
	if got := b.do(member, http.MethodGet, invitations, nil); got.status != 403 {
		t.Errorf("an ordinary user: %d", got.status)
	}
}

// Who is used up is gone from the list, and the audit log tells by what.
func TestInvitationUsed(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	pk := b.want(201, http.MethodPost, invitations, fields{"name": "one", "flow": b.flow("join"), "single_use": true}).str("pk")
	_, err := b.server.Invitations.Handle(t.Context(), eventstore.Stream("invitation", pk), invitation.Use{Execution: "x", Flow: "", Now: now()}, b.meta)
	if err == nil {
		t.Fatal("it opens another flow")
	}
	flow := b.want(200, http.MethodGet, invitations+pk+"/", nil).str("flow")
	_, err = b.server.Invitations.Handle(t.Context(), eventstore.Stream("invitation", pk), invitation.Use{Execution: "x", Flow: flow, Now: now()}, b.meta)
	b.must(err)
	b.must(b.views.wait(t.Context()))
	b.want(404, http.MethodGet, invitations+pk+"/", nil)
	got := b.want(200, http.MethodGet, "events/events/?action=invitation_used", nil)
	if got.str("results.0.context.invitation_uuid") != strings.ReplaceAll(pk, "-", "") {
		t.Errorf("the audit log: %s", got.text)
	}
}
