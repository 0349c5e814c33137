package stage

import (
	"maps"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
)

// A match is what checking a typed password came to: with which backend it was
// right, and of an app password the token that it is the key of.
type match struct {
	Verified
	backend string
	token   domain.Ref
}

// method is the contract's name for how somebody proved who they are.
func (m match) method() string {
	if m.backend == TokenBackend {
		return "token"
	}
	return "password"
}

// learned is what policies and the login are told of it.
func (m match) learned(in Input) execution.Context {
	learned := execution.Context{execution.KeyAuthMethod: m.method()}
	if m.token.ID == "" {
		return learned
	}
	app, model, _ := strings.Cut(m.token.Kind, ".")
	args := map[string]any{}
	if before, ok := in.State.Context[execution.KeyAuthMethodArgs].(map[string]any); ok {
		maps.Copy(args, before)
	}
	args["token"] = map[string]any{"pk": m.token.ID, "app": app, "model_name": model, "name": m.token.Name}
	learned[execution.KeyAuthMethodArgs] = args
	return learned
}

// facts records that it was right.
func (m match) facts() []execution.Event {
	return []execution.Event{execution.FactorVerified{
		Factor: execution.Factor{Method: m.method(), Kind: "knowledge"}, Backend: m.backend,
	}}
}

// effects asks for a better stored form of a password, and for the record that
// an app password was used.
func (m match) effects(who user.Person) []execution.Effect {
	switch {
	case m.token.ID != "":
		return []execution.Effect{{UseToken: &execution.UseToken{Token: m.token.ID}}}
	case !m.Rehash.Empty():
		return []execution.Effect{{Rehash: &execution.Rehash{User: who.ID, Credential: m.Credential, Password: m.Rehash}}}
	}
	return nil
}
