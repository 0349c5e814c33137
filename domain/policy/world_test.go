package policy_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// An env is what there is to look up.
type env struct {
	users    []user.Person
	policies map[string]policy.Policy
}

// in is what policies may look up in e.
func (e env) in() policy.Env { return policy.Env{Directory: e} }

// Users implements [policy.Directory].
func (e env) Users(_ context.Context, by map[string]any, limit int) ([]user.Person, int, error) {
	if by["username"] == "fault" {
		return nil, 0, errors.New("the store does not answer")
	}
	var found []user.Person
	for _, u := range e.users {
		if by["username"] == u.Username || by["email"] == u.Email {
			found = append(found, u)
		}
	}
	return found[:min(limit, len(found))], len(found), nil
}

// Groups implements [policy.Directory].
func (env) Groups(context.Context, map[string]any, int) ([]user.Group, int, error) {
	return nil, 0, nil
}

// Policy implements [policy.Directory].
func (e env) Policy(_ context.Context, name string) (policy.Policy, error) {
	return e.policies[name], nil
}

// A judge is a policy as tests want it.
type judge func(context.Context) (policy.Verdict, error)

// Passes implements [policy.Policy].
func (j judge) Passes(ctx context.Context, _ policy.Request) (policy.Verdict, error) { return j(ctx) }

var (
	now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ada = user.Person{
		ID: "u1", Key: 5, Username: "ada", Name: "Ada", Email: "ada@example.org", Active: true, Usable: true, Type: "internal",
		Attributes: map[string]any{"a": "b", "settings": map[string]any{"locale": "de"}}, GroupAttributes: map[string]any{"team": "x"},
		Groups: []user.Group{{ID: "g1", Name: "admins"}, {ID: "g2", Name: "Staff"}},
	}
	nobody = user.Person{}
)

// asked is a request about a person.
func asked(who user.Person) policy.Request {
	return policy.Request{
		User: who, Context: execution.Context{}, Clock: func() time.Time { return now }, Env: env{users: []user.Person{ada}}.in(),
		Target: domain.Ref{ID: "t", Name: "target"},
		HTTP: &policy.HTTP{
			Method: "POST", Path: "/api/v3/flows/executor/login/", Query: url.Values{"next": {"/x", "/y"}}, User: who,
			Brand: object.Brand{
				Domain: "authentik-default", Default: true, Title: "Example", Attributes: map[string]any{"settings": map[string]any{"theme": "dark"}},
			},
			Caller: session.Caller{
				BaseURL: "https://id.example.org",
				Network: session.Network{IP: "192.0.2.7", UserAgent: "agent", Forwarded: []string{"a", "b"}, AcceptLanguage: "de"},
			},
		},
	}
}

// ran evaluates an expression.
func ran(t *testing.T, source string, r policy.Request) (policy.Verdict, error) {
	t.Helper()
	return (&policy.Expression{Source: source}).Passes(t.Context(), r)
}

func says(passing bool, messages ...string) judge {
	return func(context.Context) (policy.Verdict, error) {
		return policy.Verdict{Passing: passing, Messages: messages}, nil
	}
}

func raises(err error) judge {
	return func(context.Context) (policy.Verdict, error) { return policy.Verdict{Passing: true}, err }
}

// bound binds something with its place as its name.
func bound(order int, j policy.Policy, change func(*object.PolicyBinding)) policy.Bound {
	id := string(rune('a' + order))
	b := policy.Bound{
		Ref: execution.BindingRef{ID: id, Order: order}, Binding: object.PolicyBinding{Enabled: true, Order: order}, Judge: j,
	}
	if j != nil {
		b.Policy = domain.Ref{ID: "policy " + id, Name: id}
	}
	if change != nil {
		change(&b.Binding)
	}
	return b
}

var alike = cmp.Options{cmp.Comparer(domain.Secret.Equal), cmpopts.EquateEmpty()}
