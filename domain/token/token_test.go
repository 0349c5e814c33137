package token_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/token"
)

type spec = domaintest.Spec[token.State]

func given(events ...token.Event) []token.Event { return events }

var (
	now    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	digest = domain.NewSecret("d1")
	api    = token.TokenCreated{Intent: token.API, User: "u", Identifier: "t", Digest: digest, CredentialID: "c"}
	link   = token.TokenCreated{Intent: token.Recovery, User: "u", Identifier: "t", Digest: digest, CredentialID: "c", Expiring: true, Expires: now.Add(time.Minute)}
)

func TestCreate(t *testing.T) {
	ok := token.Create{
		Intent: token.Recovery, Flow: "f", User: "u", Identifier: "t", Description: "d", Expires: now, Expiring: true,
		RevokeOnExecution: true, By: "admin", Producer: "api", Digest: digest, Credential: "c",
	}
	onward := token.Resumption{From: "x", Confirm: true, Plan: "[]", Secrets: map[string]domain.Secret{"a": domain.NewSecret("b")}}
	with := func(change func(*token.Create)) token.Create {
		c := ok
		change(&c)
		return c
	}
	domaintest.Run(t, map[string]spec{
		"a token is made": {When: ok, Then: given(token.TokenCreated{
			Intent: token.Recovery, Flow: "f", User: "u", Identifier: "t", Description: "d", Expires: now, Expiring: true,
			RevokeOnExecution: true, By: "admin", Producer: "api", Digest: digest, CredentialID: "c",
		})},
		"a token that leads on keeps where to": {When: with(func(c *token.Create) { c.Token, c.Resumption = "t", onward }), Then: given(token.TokenCreated{
			Token: "t", Intent: token.Recovery, Flow: "f", User: "u", Identifier: "t", Description: "d", Expires: now, Expiring: true,
			RevokeOnExecution: true, By: "admin", Producer: "api", Digest: digest, CredentialID: "c", Resumption: onward,
		})},
		"secrets without an owner are ours": {When: with(func(c *token.Create) { c.Resumption = onward }), Fails: domain.Internal},
		"making it again changes nothing":   {Given: given(link), When: ok},
		"another cannot have the same id":   {Given: given(api), When: with(func(c *token.Create) { c.Identifier = "x" }), Fails: domain.Conflict},
		"an unknown intent is refused":      {When: with(func(c *token.Create) { c.Intent = "x" }), Fails: domain.Invalid},
		"no identifier is refused":          {When: with(func(c *token.Create) { c.Identifier = "" }), Fails: domain.Invalid},
		"a long identifier is refused":      {When: with(func(c *token.Create) { c.Identifier = strings.Repeat("x", 256) }), Fails: domain.Invalid},
		"no user is refused":                {When: with(func(c *token.Create) { c.User = "" }), Fails: domain.Invalid},
		"expiring needs a time":             {When: with(func(c *token.Create) { c.Expires = time.Time{} }), Fails: domain.Invalid},
		"no digest is ours":                 {When: with(func(c *token.Create) { c.Digest = domain.Secret{} }), Fails: domain.Internal},
		"no credential is ours":             {When: with(func(c *token.Create) { c.Credential = "" }), Fails: domain.Internal},
	})
}

func TestUse(t *testing.T) {
	used := token.TokenUsed{At: now, Execution: "x", First: true, Last: true}
	domaintest.Run(t, map[string]spec{
		"a recovery token is used up":           {Given: given(link), When: token.Use{Execution: "x", Now: now}, Then: given(used)},
		"a second use is refused":               {Given: given(link, used), When: token.Use{Execution: "y", Now: now}, Fails: domain.Expired},
		"a second use by nobody is refused":     {Given: given(link, token.TokenUsed{At: now, Last: true}), When: token.Use{Now: now}, Fails: domain.Expired},
		"the same execution may repeat its use": {Given: given(link, used), When: token.Use{Execution: "x", Now: now.Add(time.Hour)}},
		"after its time it is refused":          {Given: given(link), When: token.Use{Execution: "x", Now: now.Add(time.Minute)}, Fails: domain.Expired},
		"a revoked token is refused":            {Given: given(api, token.TokenRevoked{}), When: token.Use{Now: now}, Fails: domain.Expired},
		"what is not there cannot be used":      {When: token.Use{Now: now}, Fails: domain.NotFound},
		"an API token is used more than once": {
			Given: given(api, token.TokenUsed{At: now.Add(-time.Hour)}), When: token.Use{Now: now}, Then: given(token.TokenUsed{At: now}),
		},
		"uses within an hour are one": {Given: given(api, token.TokenUsed{At: now.Add(-59 * time.Minute)}), When: token.Use{Now: now}},
	})
}

func TestEnd(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"a token is revoked":              {Given: given(api), When: token.Revoke{By: "u", Cause: "admin"}, Then: given(token.TokenRevoked{By: "u", Cause: "admin"})},
		"revoking the revoked is nothing": {Given: given(api, token.TokenRevoked{}), When: token.Revoke{}},
		"a token expires at its time":     {Given: given(link), When: token.Expire{Now: now.Add(time.Minute)}, Then: given(token.TokenExpired{})},
		"a token does not expire before":  {Given: given(link), When: token.Expire{Now: now}},
		"some tokens never expire":        {Given: given(api), When: token.Expire{Now: now.AddDate(100, 0, 0)}},
		"what has expired stays so":       {Given: given(link, token.TokenExpired{}), When: token.Expire{Now: now.AddDate(1, 0, 0)}},
		"looking at it is recorded":       {Given: given(api), When: token.View{By: "u", Now: now}, Then: given(token.TokenViewed{By: "u"})},
		"nobody looks at what is over":    {Given: given(api, token.TokenRevoked{}), When: token.View{By: "u", Now: now}, Fails: domain.NotFound},
	})
}

func TestFold(t *testing.T) {
	got := domain.Fold(token.State{}, given(link, token.TokenViewed{}, token.TokenUsed{At: now, Execution: "x", Last: true})...)
	want := token.State{
		Status: token.Used, Intent: token.Recovery, User: "u", Identifier: "t", Expires: now.Add(time.Minute), Expiring: true,
		Digest: digest, Credential: "c", LastUsed: now, UsedBy: "x",
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(domain.Secret.Equal)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if got := domain.Fold(token.State{}, given(link, token.TokenExpired{})...); got.Status != token.Expired || got.Valid(now) {
		t.Errorf("expired: %+v", got)
	}
}
