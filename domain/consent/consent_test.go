package consent_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/domaintest"
)

type spec = domaintest.Spec[consent.State]

func given(events ...consent.Event) []consent.Event { return events }

func TestConsent(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	app := consent.Application{ID: "a", Name: "App"}
	first := consent.ConsentGranted{Key: 7, User: "u", Application: app, Permissions: []string{"email"}, Mode: "expiring", Expires: now, Execution: "x", By: "u"}
	ever := first
	ever.Mode, ever.Expires = "permanent", time.Time{}
	second := ever
	second.Key, second.Execution, second.Permissions = 8, "y", []string{"email", "groups"}
	kept := second
	kept.Key = 7
	nobody := first
	nobody.User = ""
	domaintest.Run(t, map[string]spec{
		"consent is given":                {When: consent.Grant{ConsentGranted: first}, Then: given(first)},
		"the execution may repeat it":     {Given: given(first), When: consent.Grant{ConsentGranted: first}},
		"another takes its place and key": {Given: given(first), When: consent.Grant{ConsentGranted: second}, Then: given(kept)},
		"nobody gives none":               {When: consent.Grant{ConsentGranted: nobody}, Fails: domain.Internal},
		"it is taken back":                {Given: given(first), When: consent.Revoke{By: "u", Cause: "user"}, Then: given(consent.ConsentRevoked{By: "u", Cause: "user"})},
		"what was taken back stays so":    {Given: given(first, consent.ConsentRevoked{}), When: consent.Revoke{}},
		"after that it is given again": {
			Given: given(first, consent.ConsentRevoked{}), When: consent.Grant{ConsentGranted: second}, Then: given(kept),
		},
		"it expires at its time": {Given: given(first), When: consent.Expire{Now: now}, Then: given(consent.ConsentExpired{})},
		"not before":             {Given: given(first), When: consent.Expire{Now: now.Add(-1)}},
		"some never do":          {Given: given(ever), When: consent.Expire{Now: now.AddDate(100, 0, 0)}},
		"what expired is over":   {Given: given(first, consent.ConsentExpired{}), When: consent.Expire{Now: now}},
	})
	if s := domain.Fold(consent.State{}, given(first)...); s.Stands(now) || !s.Stands(now.Add(-1)) {
		t.Error("it stands until its time is over")
	}
}
