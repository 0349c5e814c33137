package token_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/token"
)

func TestChange(t *testing.T) {
	before := token.Terms{Intent: token.API, User: "u", Identifier: "t"}
	with := func(change func(*token.Terms)) token.Terms {
		terms := before
		change(&terms)
		return terms
	}
	changed := func(field string, to token.Terms) []token.Event {
		return given(token.TokenChanged{Fields: []string{field}, From: before, To: to, By: "a", Via: "api", CredentialID: "c"})
	}
	domaintest.Run(t, map[string]spec{
		"a token is renamed": {Given: given(api), When: token.Change{Identifier: new("x"), By: "a", Via: "api"},
			Then: changed("identifier", with(func(to *token.Terms) { to.Identifier = "x" }))},
		"a token goes to another user": {Given: given(api), When: token.Change{User: new("v"), By: "a", Via: "api"},
			Then: changed("user", with(func(to *token.Terms) { to.User = "v" }))},
		"a token becomes a password": {Given: given(api), When: token.Change{Intent: new(token.AppPassword), By: "a", Via: "api"},
			Then: changed("intent", with(func(to *token.Terms) { to.Intent = token.AppPassword }))},
		"a token is limited, each permission once and in order": {
			Given: given(api), When: token.Change{Scope: &[]string{"b.c", "a.b", "b.c"}, By: "a", Via: "api"},
			Then: changed("scope", with(func(to *token.Terms) { to.Scope = []string{"a.b", "b.c"} })),
		},
		"the description is no part of the terms": {Given: given(api), When: token.Change{Description: new("d"), By: "a", Via: "api"}, Then: given(token.TokenChanged{
			Fields: []string{"description"}, From: before, To: before, By: "a", Via: "api", CredentialID: "c", Description: "d",
		})},
		"what is the same is nothing": {Given: given(api), When: token.Change{
			Identifier: new("t"), User: new("u"), Description: new(""), Scope: &[]string{}, Expiring: new(false),
		}},
		"a time and whether it counts": {Given: given(api), When: token.Change{Expires: &now, Expiring: new(true), Via: "api"}, Then: given(token.TokenChanged{
			Fields: []string{"expires", "expiring"}, From: before, Via: "api", CredentialID: "c",
			To: with(func(to *token.Terms) { to.Expires, to.Expiring = now, true }),
		})},
		"expiring needs a time":            {Given: given(api), When: token.Change{Expiring: new(true)}, Fails: domain.Invalid},
		"a token does not lead into flows": {Given: given(api), When: token.Change{Intent: new(token.Recovery)}, Fails: domain.Invalid},
		"no identifier is refused":         {Given: given(api), When: token.Change{Identifier: new("")}, Fails: domain.Invalid},
		"nobody is refused":                {Given: given(api), When: token.Change{User: new("")}, Fails: domain.Invalid},
		"a link stays as it is":            {Given: given(link), When: token.Change{Identifier: new("x")}, Fails: domain.Conflict},
		"a revoked token is refused":       {Given: given(api, token.TokenRevoked{}), When: token.Change{}, Fails: domain.NotFound},
		"no token is refused":              {When: token.Change{}, Fails: domain.NotFound},
	})
}

func TestRotate(t *testing.T) {
	other := domain.NewSecret("d2")
	domaintest.Run(t, map[string]spec{
		"a token gets another key": {Given: given(api), When: token.Rotate{Digest: other, By: "a", Via: "api"},
			Then: given(token.TokenRotated{By: "a", Via: "api", CredentialID: "c", Digest: other})},
		"the same key is nothing":    {Given: given(api), When: token.Rotate{Digest: digest}},
		"no digest is ours":          {Given: given(api), When: token.Rotate{}, Fails: domain.Internal},
		"a link keeps its key":       {Given: given(link), When: token.Rotate{Digest: other}, Fails: domain.Conflict},
		"a revoked token is refused": {Given: given(api, token.TokenRevoked{}), When: token.Rotate{Digest: other}, Fails: domain.NotFound},
	})
	if got := domain.Fold(token.State{}, given(api, token.TokenRotated{Digest: other})...); !got.Digest.Equal(other) {
		t.Error("the old key works")
	}
}

// A token of one scope has it from the beginning, in order.
func TestScope(t *testing.T) {
	made, err := token.Create{
		Intent: token.API, User: "u", Identifier: "t", Digest: digest, Credential: "c", Scope: []string{"b.c", "a.b", "b.c"},
	}.Decide(token.State{})
	if err != nil {
		t.Fatal(err)
	}
	s := domain.Fold(token.State{}, made...)
	if got := strings.Join(s.Scope, " "); got != "a.b b.c" {
		t.Errorf("scope %q", got)
	}
	later := domain.Fold(s, given(token.TokenChanged{To: token.Terms{Scope: []string{"x.y"}, Expires: now, Expiring: true}, Description: "d"})...)
	if strings.Join(later.Scope, " ") != "x.y" || later.Description != "d" || later.Valid(now.Add(time.Second)) {
		t.Errorf("changed: %+v", later)
	}
}

func TestCheckKey(t *testing.T) {
	for key, good := range map[string]bool{
		"bp-token-key-secret-0123456789abcdef": true, "app-password-off-0123456789": true, strings.Repeat("abcdefgh", 512): true,
		"": false, "short-key-0123456789"[:19]: false, strings.Repeat("a", 64): false, strings.Repeat("abcdefg", 9): false,
		"with space 0123456789abcdef": false, "umlaut-ü-0123456789abcdef": false, strings.Repeat("abcdefgh", 513): false,
	} {
		if got := token.CheckKey(domain.NewSecret(key)); (got == "") != good {
			t.Errorf("%q: %s", key, got)
		}
	}
}
