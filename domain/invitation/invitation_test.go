package invitation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/invitation"
)

type spec = domaintest.Spec[invitation.State]

func given(events ...invitation.Event) []invitation.Event { return events }

var (
	now    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	many   = invitation.InvitationCreated{Terms: invitation.Terms{Name: "many"}, Via: "api"}
	once   = invitation.InvitationCreated{Terms: invitation.Terms{Name: "once", SingleUse: true}, Via: "api"}
	short  = invitation.InvitationCreated{Terms: invitation.Terms{Name: "short", Expires: now.Add(time.Minute)}, Via: "api"}
	narrow = invitation.InvitationCreated{Terms: invitation.Terms{Name: "narrow", Flow: "f"}, Via: "api"}
	full   = invitation.Terms{Name: "n", Flow: "f", SingleUse: true, Expires: now, FixedData: map[string]any{"a": "b"}}
	made   = invitation.InvitationCreated{Terms: full, By: "u", Via: "api"}
	byX    = invitation.InvitationUsed{Execution: "x", At: now, Last: true}
)

func TestUse(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"an invitation lets an execution in": {
			Given: given(many), When: invitation.Use{Execution: "x", User: "u", Now: now},
			Then: given(invitation.InvitationUsed{Execution: "x", User: "u", At: now}),
		},
		"and the next one": {
			Given: given(many, invitation.InvitationUsed{Execution: "x", At: now}), When: invitation.Use{Execution: "y", Now: now},
			Then: given(invitation.InvitationUsed{Execution: "y", At: now}),
		},
		"one that works once is used up":      {Given: given(once), When: invitation.Use{Execution: "x", Now: now}, Then: given(byX)},
		"a second execution is refused":       {Given: given(once, byX), When: invitation.Use{Execution: "y", Now: now}, Fails: domain.Expired},
		"the first may repeat its use":        {Given: given(once, byX), When: invitation.Use{Execution: "x", Now: now.Add(time.Hour)}},
		"one may be taken from who never was": {Given: given(once, byX), When: invitation.Use{Execution: "y", From: "x", Now: now}, Then: given(invitation.InvitationUsed{Execution: "y", At: now, Last: true})},
		"but from nobody else":                {Given: given(once, byX), When: invitation.Use{Execution: "y", From: "z", Now: now}, Fails: domain.Expired},
		"after its time it is refused":        {Given: given(short), When: invitation.Use{Execution: "x", Now: now.Add(time.Minute)}, Fails: domain.Expired},
		"before its time it is not":           {Given: given(short), When: invitation.Use{Execution: "x", Now: now}, Then: given(invitation.InvitationUsed{Execution: "x", At: now})},
		"another flow is refused":             {Given: given(narrow), When: invitation.Use{Execution: "x", Flow: "g", Now: now}, Fails: domain.Expired},
		"its own flow is not":                 {Given: given(narrow), When: invitation.Use{Execution: "x", Flow: "f", Now: now}, Then: given(invitation.InvitationUsed{Execution: "x", At: now})},
		"what was taken back is refused":      {Given: given(many, invitation.InvitationRemoved{}), When: invitation.Use{Execution: "x", Now: now}, Fails: domain.Expired},
		"what never was is refused":           {When: invitation.Use{Execution: "x", Now: now}, Fails: domain.NotFound},
	})
}

func TestWrite(t *testing.T) {
	fields := invitation.Fields{
		"name": "n", "flow": "f", "single_use": true, "expires": "2026-11-22T12:00:00Z", "fixed_data": map[string]any{"a": "b"}, "created_by": "x",
	}
	other := full
	other.Name, other.FixedData = "m", nil
	bare := full
	bare.Flow, bare.Expires = "", time.Time{}
	domaintest.Run(t, map[string]spec{
		"an invitation is made": {When: invitation.Write{Fields: fields, By: "u", Via: "api"}, Then: given(made)},
		"a name is enough": {
			When: invitation.Write{Fields: invitation.Fields{"name": "many"}, Via: "api"}, Then: given(many),
		},
		"a name is needed":           {When: invitation.Write{Fields: invitation.Fields{"single_use": true}}, Fails: domain.Invalid},
		"the same again is nothing":  {Given: given(made), When: invitation.Write{Fields: fields}},
		"no data is as good as none": {Given: given(many), When: invitation.Write{Fields: invitation.Fields{"fixed_data": map[string]any{}}}},
		"what is null is taken away": {
			Given: given(made), When: invitation.Write{Fields: invitation.Fields{"flow": nil, "expires": nil}, By: "v", Via: "api"},
			Then: given(invitation.InvitationCreated{
				Terms: bare, Changed: []string{"flow", "expires"}, By: "v", Via: "api", Before: &invitation.Before{Flow: &full.Flow, Expires: &full.Expires},
			}),
		},
		"what guests are told is kept apart": {
			Given: given(made), When: invitation.Write{Fields: invitation.Fields{"name": "m", "fixed_data": nil}, Via: "api"},
			Then: given(invitation.InvitationCreated{
				Terms: other, Changed: []string{"name", "fixed_data"}, Via: "api", PreviousName: full.Name, PreviousData: full.FixedData,
			}),
		},
		"what is used up is gone": {Given: given(once, byX), When: invitation.Write{Fields: fields}, Fails: domain.NotFound},
	})
}

func TestEnd(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"an invitation is taken back":       {Given: given(many), When: invitation.Remove{By: "u", Via: "api"}, Then: given(invitation.InvitationRemoved{By: "u", Via: "api"})},
		"what is used up cannot be":         {Given: given(once, byX), When: invitation.Remove{}},
		"it expires at its time":            {Given: given(short), When: invitation.Expire{Now: now.Add(time.Minute)}, Then: given(invitation.InvitationExpired{})},
		"not before":                        {Given: given(short), When: invitation.Expire{Now: now}},
		"some never expire":                 {Given: given(many), When: invitation.Expire{Now: now.AddDate(100, 0, 0)}},
		"what has expired does not again":   {Given: given(short, invitation.InvitationExpired{}), When: invitation.Expire{Now: now.AddDate(1, 0, 0)}},
		"what has expired cannot be used":   {Given: given(short, invitation.InvitationExpired{}), When: invitation.Use{Execution: "x", Now: now}, Fails: domain.Expired},
		"what has expired cannot be edited": {Given: given(short, invitation.InvitationExpired{}), When: invitation.Write{}, Fails: domain.NotFound},
	})
}

func TestFold(t *testing.T) {
	got := domain.Fold(invitation.State{}, given(once, byX)...)
	want := invitation.State{Status: invitation.Used, Terms: once.Terms, UsedBy: "x", UsedAt: now}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	changed := domain.Fold(invitation.State{}, given(made, invitation.InvitationCreated{Terms: invitation.Terms{Name: "m"}, Changed: []string{"name"}, By: "v"})...)
	if changed.Name != "m" || changed.By != "u" || changed.Status != invitation.Open {
		t.Errorf("a changed one: %+v", changed)
	}
	if got.Abandoned(now.Add(time.Minute)) || !got.Abandoned(now.Add(time.Minute+1)) {
		t.Error("a use is abandoned after a minute")
	}
	if !got.Without().Admits("y", "", now) || !got.Admits("x", "", now) || got.Admits("y", "", now) || got.Admits("", "", now) {
		t.Error("only the execution that used it is let in again")
	}
}
