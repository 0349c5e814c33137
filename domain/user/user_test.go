package user_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/user"
)

type spec = domaintest.Spec[user.State]

var (
	now  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old  = domain.NewSecret(forms["pbkdf2_sha1"].encoded)
	hash = domain.NewSecret(forms["argon2id"].encoded)

	created = user.UserCreated{
		Key: 5, Type: "internal", Active: true, Path: "users", Joined: now, By: "admin", Via: "admin",
		Username: "ada", Name: "Ada", Email: "ada@example.org", Attributes: map[string]any{"a": 1.0, "b": "x"},
	}
	withPassword = user.UserPasswordSet{Via: "admin", Algorithm: "pbkdf2_sha1", Changed: now, CredentialID: "c1", Hash: old}
)

func ptr[T any](v T) *T { return &v }

func given(events ...user.Event) []user.Event { return events }

func TestCreate(t *testing.T) {
	fields := user.Fields{Username: ptr("ada")}
	plain := user.UserCreated{Key: 5, Type: "internal", Active: true, Path: "users", Joined: now, Via: "bootstrap", Username: "ada"}
	domaintest.Run(t, map[string]spec{
		"a new user has defaults": {
			When: user.Create{Key: 5, Fields: fields, Via: "bootstrap", Now: now},
			Then: given(plain),
		},
		"what is given goes before the defaults": {
			When: user.Create{Key: 5, By: "admin", Via: "admin", Now: now, Fields: user.Fields{
				Username: ptr("ada"), Name: ptr("Ada"), Email: ptr("ada@example.org"), Type: ptr("external"), Path: ptr("p"),
				Active: ptr(false), Attributes: map[string]any{"a": 1},
			}},
			Then: given(user.UserCreated{
				Key: 5, Type: "external", Path: "p", Joined: now, By: "admin", Via: "admin",
				Username: "ada", Name: "Ada", Email: "ada@example.org", Attributes: map[string]any{"a": 1},
			}),
		},
		"a user may have a password at once": {
			When: user.Create{Key: 5, Fields: fields, Via: "bootstrap", Now: now, Hash: hash, Credential: "c1"},
			Then: given(plain, user.UserPasswordSet{
				Via: "bootstrap", Algorithm: "argon2", Changed: now, CredentialID: "c1", Hash: hash,
			}),
		},
		"a first password in no known form is refused": {
			When:  user.Create{Key: 5, Fields: fields, Now: now, Hash: domain.NewSecret("plain"), Credential: "c1"},
			Fails: domain.Invalid,
		},
		"creating the same user again changes nothing": {
			Given: given(created), When: user.Create{Key: 5, Fields: fields, Now: now},
		},
		"another user cannot have the same id":       {Given: given(created), When: user.Create{Key: 6, Fields: fields}, Fails: domain.Conflict},
		"a deleted user does not come back":          {Given: given(created, user.UserDeleted{}), When: user.Create{Key: 5, Fields: fields}, Fails: domain.Conflict},
		"a user without a key is refused":            {When: user.Create{Fields: fields}, Fails: domain.Invalid},
		"a user without a user name is refused":      {When: user.Create{Key: 5}, Fails: domain.Invalid},
		"an empty user name is refused":              {When: user.Create{Key: 5, Fields: user.Fields{Username: ptr("")}}, Fails: domain.Invalid},
		"an overlong user name is refused":           {When: user.Create{Key: 5, Fields: user.Fields{Username: ptr(strings.Repeat("ä", 151))}}, Fails: domain.Invalid},
		"an overlong e-mail address is refused":      {When: user.Create{Key: 5, Fields: user.Fields{Username: ptr("a"), Email: ptr(strings.Repeat("a", 255))}}, Fails: domain.Invalid},
		"a type that does not exist is refused":      {When: user.Create{Key: 5, Fields: user.Fields{Username: ptr("a"), Type: ptr("robot")}}, Fails: domain.Invalid},
		"a user name of 150 letters is not too long": {When: user.Create{Key: 5, Now: now, Via: "admin", Fields: user.Fields{Username: ptr(strings.Repeat("ä", 150))}}, Then: given(user.UserCreated{Key: 5, Type: "internal", Active: true, Path: "users", Joined: now, Via: "admin", Username: strings.Repeat("ä", 150)})},
	})
}

func TestWrite(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"what is the same is nothing to do": {
			Given: given(created),
			When: user.Write{Fields: user.Fields{
				Username: ptr("ada"), Name: ptr("Ada"), Email: ptr("ada@example.org"), Type: ptr("internal"), Path: ptr("users"),
				Active: ptr(true), Attributes: map[string]any{"a": 1, "b": "x"},
			}},
		},
		"nothing given is nothing to do": {Given: given(created), When: user.Write{}},
		"each change has its event": {
			Given: given(created),
			When: user.Write{By: "u", Via: "admin", Fields: user.Fields{
				Username: ptr("countess"), Name: ptr("Ada L"), Email: ptr(""), Type: ptr("external"), Path: ptr("gone"),
				Active: ptr(false), Attributes: map[string]any{"a": 2, "c": true},
			}},
			Then: given(
				user.UserRenamed{By: "u", Via: "admin", Username: "countess", Previous: "ada"},
				user.UserProfileChanged{
					Fields: []string{"name", "email", "attributes.a", "attributes.b", "attributes.c"}, By: "u", Via: "admin",
					Set:      user.Profile{Name: ptr("Ada L"), Email: ptr(""), Attributes: map[string]any{"a": 2, "c": true}},
					Previous: user.Profile{Name: ptr("Ada"), Email: ptr("ada@example.org"), Attributes: map[string]any{"a": 1.0, "b": "x"}},
				},
				user.UserTypeChanged{From: "internal", To: "external", By: "u"},
				user.UserMoved{From: "users", To: "gone", By: "u"},
				user.UserDeactivated{By: "u", Cause: "admin"},
			),
		},
		"attributes can be emptied": {
			Given: given(created),
			When:  user.Write{Fields: user.Fields{Attributes: map[string]any{}}},
			Then: given(user.UserProfileChanged{
				Fields: []string{"attributes.a", "attributes.b"}, Set: user.Profile{Attributes: map[string]any{}},
				Previous: user.Profile{Attributes: map[string]any{"a": 1.0, "b": "x"}},
			}),
		},
		"roles are those that are given": {
			Given: given(created, user.UserRolesChanged{Added: []string{"r1", "r2"}}),
			When:  user.Write{Fields: user.Fields{Roles: []string{"r3", "r2"}}, By: "u"},
			Then:  given(user.UserRolesChanged{Added: []string{"r3"}, Removed: []string{"r1"}, By: "u"}),
		},
		"the same roles in another order are the same": {
			Given: given(created, user.UserRolesChanged{Added: []string{"r1", "r2"}}),
			When:  user.Write{Fields: user.Fields{Roles: []string{"r2", "r1"}}},
		},
		"roles can be emptied": {
			Given: given(created, user.UserRolesChanged{Added: []string{"r1"}}),
			When:  user.Write{Fields: user.Fields{Roles: []string{}}}, Then: given(user.UserRolesChanged{Removed: []string{"r1"}}),
		},
		"a role is given": {
			Given: given(created, user.UserRolesChanged{Added: []string{"r1"}}),
			When:  user.Assign{Add: []string{"r2"}, By: "u"}, Then: given(user.UserRolesChanged{Added: []string{"r2"}, By: "u"}),
		},
		"a role is taken away": {
			Given: given(created, user.UserRolesChanged{Added: []string{"r1"}}),
			When:  user.Assign{Remove: []string{"r1", "r2"}, By: "u"}, Then: given(user.UserRolesChanged{Removed: []string{"r1"}, By: "u"}),
		},
		"a role is not given twice":            {Given: given(created, user.UserRolesChanged{Added: []string{"r1"}}), When: user.Assign{Add: []string{"r1"}}},
		"nobody has no roles":                  {When: user.Assign{Add: []string{"r1"}}, Fails: domain.NotFound},
		"a user name cannot be emptied":        {Given: given(created), When: user.Write{Fields: user.Fields{Username: ptr("")}}, Fails: domain.Invalid},
		"nobody cannot be written":             {When: user.Write{}, Fails: domain.NotFound},
		"a deleted user cannot be written":     {Given: given(created, user.UserDeleted{}), When: user.Write{}, Fails: domain.NotFound},
		"a user can be activated":              {Given: given(created, user.UserDeactivated{}), When: user.SetActive{Active: true, By: "u", Cause: "admin"}, Then: given(user.UserActivated{By: "u", Cause: "admin"})},
		"nobody cannot be activated":           {When: user.SetActive{Active: true}, Fails: domain.NotFound},
		"activating the active changes nought": {Given: given(created), When: user.SetActive{Active: true}},
	})
}

func TestCreateWithRoles(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"a new user has the roles that are given": {
			When: user.Create{Key: 5, Fields: user.Fields{Username: ptr("ada"), Roles: []string{"r1"}}, By: "u", Now: now},
			Then: given(
				user.UserCreated{Key: 5, Type: "internal", Active: true, Path: "users", Joined: now, By: "u", Username: "ada"},
				user.UserRolesChanged{Added: []string{"r1"}, By: "u"},
			),
		},
	})
}

func TestPassword(t *testing.T) {
	rehash := user.Rehash{Hash: hash, Credential: "c2", Replaces: "c1"}
	domaintest.Run(t, map[string]spec{
		"a password is set": {
			Given: given(created), When: user.SetPassword{Hash: hash, Credential: "c2", By: "u", Via: "admin", Now: now},
			Then: given(user.UserPasswordSet{By: "u", Via: "admin", Algorithm: "argon2", Changed: now, CredentialID: "c2", Hash: hash}),
		},
		"setting it with the same credential changes nothing": {
			Given: given(created, withPassword), When: user.SetPassword{Hash: old, Credential: "c1"},
		},
		"a hash in no known form is refused":    {Given: given(created), When: user.SetPassword{Hash: domain.NewSecret("x"), Credential: "c"}, Fails: domain.Invalid},
		"a password without credential is ours": {Given: given(created), When: user.SetPassword{Hash: hash}, Fails: domain.Internal},
		"nobody has a password":                 {When: user.SetPassword{Hash: hash, Credential: "c"}, Fails: domain.NotFound},
		"a proved password is stored anew": {
			Given: given(created, withPassword), When: rehash,
			Then: given(user.UserPasswordRehashed{Algorithm: "argon2", CredentialID: "c2", Hash: hash}),
		},
		"a rehash never replaces a newer password": {
			Given: given(created, withPassword, user.UserPasswordSet{CredentialID: "c9", Hash: old}), When: rehash,
		},
		"a rehash does not bring a removed password back": {
			Given: given(created, withPassword, user.UserPasswordRemoved{}), When: rehash,
		},
		"a rehash of nothing is not taken for one of no password": {
			Given: given(created), When: user.Rehash{Hash: hash, Credential: "c2"},
		},
		"repeating a rehash changes nothing": {
			Given: given(created, withPassword, user.UserPasswordRehashed{CredentialID: "c2", Hash: hash}), When: rehash,
		},
		"a rehash to an unknown form is ours": {
			Given: given(created, withPassword), When: user.Rehash{Hash: domain.NewSecret("x"), Credential: "c2", Replaces: "c1"}, Fails: domain.Internal,
		},
		"a password is removed": {
			Given: given(created, withPassword), When: user.RemovePassword{By: "u", Now: now},
			Then: given(user.UserPasswordRemoved{By: "u", Changed: now}),
		},
		"removing no password changes nothing": {Given: given(created), When: user.RemovePassword{}},
		"nobody has no password to remove":     {When: user.RemovePassword{}, Fails: domain.NotFound},
		"a user is deleted":                    {Given: given(created), When: user.Delete{By: "u", Via: "admin"}, Then: given(user.UserDeleted{By: "u", Via: "admin"})},
		"deleting nobody changes nothing":      {When: user.Delete{}},
	})
}

func TestFold(t *testing.T) {
	got := domain.Fold(user.State{}, given(
		created, withPassword,
		user.UserRenamed{Username: "countess", Previous: "ada"},
		user.UserProfileChanged{Set: user.Profile{Name: ptr("Ada L"), Email: ptr(""), Attributes: map[string]any{}}},
		user.UserTypeChanged{To: "external"}, user.UserMoved{To: "p"}, user.UserDeactivated{},
		user.UserPasswordRehashed{CredentialID: "c2", Hash: hash},
		user.UserRolesChanged{Added: []string{"r1", "r2"}}, user.UserRolesChanged{Added: []string{"r3"}, Removed: []string{"r1"}},
	)...)
	want := user.State{
		Status: user.Present, Key: 5, Username: "countess", Name: "Ada L", Type: "external", Path: "p",
		Attributes: map[string]any{}, Password: hash, Credential: "c2", PasswordChanged: now, Joined: now, Outworn: []string{"c1"},
		Roles: []string{"r2", "r3"},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(domain.Secret.Equal)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	later := now.Add(time.Hour)
	got = domain.Fold(got, given(user.UserActivated{}, user.UserPasswordRemoved{Changed: later})...)
	if !got.Active || !got.Password.Empty() || got.Credential != "" || !got.PasswordChanged.Equal(later) {
		t.Errorf("after activation and removal of the password: %+v", got)
	}
	got = domain.Fold(got, given(user.UserDeleted{})...)
	if diff := cmp.Diff(user.State{Status: user.Deleted, Key: 5, Outworn: []string{"c1", "c2"}}, got, cmp.Comparer(domain.Secret.Equal)); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
}

// What is forgotten is zero when it is decoded, and must not overwrite.
func TestForgottenChangeIsNone(t *testing.T) {
	got := domain.Fold(user.State{}, given(created, user.UserProfileChanged{Fields: []string{"name"}})...)
	if got.Name != "Ada" || got.Email != "ada@example.org" || len(got.Attributes) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestFieldsOf(t *testing.T) {
	got := user.FieldsOf(map[string]any{
		"username": "ada", "email": 5, "is_active": false, "attributes": map[string]any{"x": 1}, "groups": []any{"g"},
		"roles": []any{"r1", 5, "r1", "r2"},
	})
	want := user.Fields{Username: ptr("ada"), Active: ptr(false), Attributes: map[string]any{"x": 1}, Roles: []string{"r1", "r2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestClaim(t *testing.T) {
	held := []user.ClaimEvent{user.UsernameClaimed{User: "u1", Since: now}}
	taken := []user.ClaimEvent{user.UsernameClaimed{User: "u2", Since: now}}
	domaintest.Run(t, map[string]domaintest.Spec[user.Claimed]{
		"a free name is claimed":                      {When: user.Claim{User: "u2", Now: now}, Then: taken},
		"claiming it again changes nothing":           {Given: held, When: user.Claim{User: "u1"}},
		"a name that another user holds is refused":   {Given: held, When: user.Claim{User: "u2"}, Fails: domain.Conflict},
		"a name is taken over from its former holder": {Given: held, When: user.Claim{User: "u2", From: "u1", Now: now}, Then: taken},
		"a take-over from somebody else is refused":   {Given: held, When: user.Claim{User: "u2", From: "u3"}, Fails: domain.Conflict},
		"a released name is free":                     {Given: append(held, user.UsernameReleased{User: "u1"}), When: user.Claim{User: "u2", Now: now}, Then: taken},
		"the holder releases":                         {Given: held, When: user.Release{User: "u1"}, Then: []user.ClaimEvent{user.UsernameReleased{User: "u1"}}},
		"nobody else releases":                        {Given: held, When: user.Release{User: "u2"}},
		"nobody releases what nobody holds":           {When: user.Release{}},
	})
}

func TestCounter(t *testing.T) {
	advanced := func(to int) []user.CounterEvent { return []user.CounterEvent{user.CounterAdvanced{To: to}} }
	domaintest.Run(t, map[string]domaintest.Spec[user.Counter]{
		"the first key is one":      {When: user.Advance{}, Then: advanced(1)},
		"the next key is one above": {Given: advanced(41), When: user.Advance{}, Then: advanced(42)},
	})
}
