package stage

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
)

func init() {
	register(kind{
		Model: "authentik_stages_user_write.userwritestage", Path: "user_write", Name: "User Write Stage", Form: "ak-stage-user-write-form",
		About:  "Creates or changes the pending user with what was asked for.",
		Config: func() Stage { return &UserWrite{Mode: "create_when_required", Type: "external"} },
	})
}

// UserWrite creates or changes the pending user (spec/stages.md 3.5).
type UserWrite struct {
	Named
	Mode     string  `json:"user_creation_mode" catalog:"enum=never_create|create_when_required|always_create"`
	Inactive bool    `json:"create_users_as_inactive"`
	Group    *string `json:"create_users_group" catalog:"ref=group"`
	Type     string  `json:"user_type" catalog:"enum=internal|external|service_account|internal_service_account"`
	Path     string  `json:"user_path_template" catalog:"blank"`
}

// cannotWrite is all that a client is told of a user who cannot be written.
const cannotWrite = "Failed to update user. Please try again later."

// maxAttributes bounds the attributes of a user who is written, in bytes: an
// event about their change holds both what they were and what they are.
const maxAttributes = 100 << 10

// Enter implements [Stage].
func (u *UserWrite) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	data := in.State.Context.Map(execution.KeyPromptData)
	if data == nil {
		return execution.Deny{Message: "No Pending data."}, nil
	}
	who := in.Subject
	if !who.Exists() && in.State.Context[execution.KeyPendingUser] == nil {
		who = in.Visitor
	}
	w := execution.WriteUser{User: who.ID}
	base := map[string]any{"username": who.Username, "attributes": who.Attributes}
	if u.Mode == "always_create" {
		who = user.Person{} // a new user has nothing of the one who asks
	}
	if !who.Exists() {
		if u.Mode == "never_create" {
			return execution.Deny{Message: "No user found and can't create new user."}, nil
		}
		w = execution.WriteUser{Create: true}
		base = u.blank(in, who)
	}
	credential := u.collect(data, base)
	u.source(in, base)
	if base["username"] == "" {
		return execution.Deny{}, nil
	}
	// What a user cannot be is heard of here, for an effect cannot be refused.
	if _, err := (user.Create{Key: 1, Fields: user.FieldsOf(base)}).Decide(user.State{}); err != nil || credential.unknown() ||
		larger(copied(base["attributes"]), maxAttributes) {
		return execution.Deny{Message: cannotWrite}, nil
	}
	w.Fields, w.Groups, w.Password = base, u.groups(in), credential.hash
	if !credential.typed.Empty() {
		var err error
		if w.Password, err = in.Env.Policies().HashPassword(ctx, credential.typed); err != nil {
			return nil, err
		}
	}
	o := execution.Pass{Effects: []execution.Effect{{WriteUser: &w}}}
	if w.Create {
		o.Learned = execution.Context{execution.KeyUserBackend: InbuiltBackend}
	} else if credential.none && who.Credential != "" {
		o.Effects = append(o.Effects, execution.Effect{RemovePassword: &execution.RemovePassword{User: who.ID, Credential: who.Credential}})
	}
	return o, nil
}

// Respond implements [Stage].
func (u *UserWrite) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	return u.Enter(ctx, in)
}

// blank is a new user before anything typed is written to it.
func (u *UserWrite) blank(in Input, who user.Person) map[string]any {
	path, kind := in.State.Context.Text("user_path"), in.State.Context.Text("user_type")
	if path == "" {
		path = u.Path
	}
	if path == "" {
		path = "users"
	}
	if !slices.Contains([]string{"internal", "external", "service_account"}, kind) {
		kind = u.Type
	}
	if kind == "internal_service_account" {
		kind = "service_account"
	}
	return map[string]any{
		"username": who.Username, "email": who.Email, "name": "", "is_active": !u.Inactive,
		"path": path, "type": kind, "attributes": map[string]any{},
	}
}

// A credential is what the new password is to be: what was typed, a stored
// form, none at all, or none of these, where the password stays.
type credential struct {
	typed domain.Secret
	hash  domain.Secret
	none  bool
}

// unknown tells whether nothing could be verified against the stored form.
func (c credential) unknown() bool { return !c.hash.Empty() && !user.Known(c.hash) }

// collect writes what was typed over the fields of a user, and returns what
// becomes of the password. Keys that are no field are dropped. Where two keys
// are about one thing, the later one in the order of the alphabet counts: the
// ledger keeps no other.
func (u *UserWrite) collect(data, base map[string]any) credential {
	var c credential
	for _, key := range slices.Sorted(maps.Keys(data)) {
		v := data[key]
		switch {
		case strings.HasPrefix(key, "attributes.") || strings.HasPrefix(key, "attributes_"):
			path := strings.Split(strings.ReplaceAll(key, "_", "."), ".")[1:]
			base["attributes"] = nested(base["attributes"], path, v)
		case v == nil:
		case key == "password":
			c = credential{typed: secret(v)}
		case key == "password_from_hash":
			c = credential{hash: secret(v)}
		case key == "unusable_password":
			if truthy(open(v)) {
				c = credential{none: true}
			}
		case key == "attributes":
			if m, ok := v.(map[string]any); ok {
				attributes := copied(base["attributes"])
				maps.Copy(attributes, copied(open(m)))
				base["attributes"] = attributes
			}
		case slices.Contains([]string{"username", "name", "email", "path", "type"}, key):
			base[key] = display(open(v))
		case key == "is_active":
			active, faults := fields(data).truth(key)
			base[key] = active && faults == nil
		}
	}
	return c
}

// secret is a value that was sealed on its way. What is no text is none.
func secret(v any) domain.Secret {
	switch v := v.(type) {
	case domain.Secret:
		return v
	case string:
		return domain.NewSecret(v)
	}
	return domain.Secret{}
}

const (
	keyConnection    = "goauthentik.io/sources/connection" // from whom a source has the user
	attributeSources = "goauthentik.io/user/sources"
)

// source notes the name of the source that a user comes from.
func (u *UserWrite) source(in Input, base map[string]any) {
	of := in.State.Context.Map(keyConnection)["source"]
	if m, ok := of.(map[string]any); ok {
		of = m["name"]
	}
	name, ok := of.(string)
	if !ok || name == "" {
		return
	}
	attributes := copied(base["attributes"])
	names, _ := attributes[attributeSources].([]any)
	if !slices.Contains(names, any(name)) {
		names = append(slices.Clone(names), name)
	}
	attributes[attributeSources] = names
	base["attributes"] = attributes
}

// copied returns a map that may be written.
func copied(v any) map[string]any {
	m, _ := v.(map[string]any)
	out := make(map[string]any, len(m)+1)
	maps.Copy(out, m)
	return out
}

// nested sets a value below a map without writing what is there.
func nested(v any, path []string, value any) map[string]any {
	out := copied(v)
	if len(path) == 1 {
		out[path[0]] = open(value)
		return out
	}
	out[path[0]] = nested(out[path[0]], path[1:], value)
	return out
}

// open reveals secrets in what becomes a field of a user: from there on it is
// personal, and sealed as that.
func open(v any) any {
	switch v := v.(type) {
	case domain.Secret:
		return v.Reveal()
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = open(item)
		}
		return out
	}
	return v
}

// groups are those that the user is put into.
func (u *UserWrite) groups(in Input) []string {
	var ids []string
	if u.Group != nil {
		ids = append(ids, *u.Group)
	}
	list, _ := in.State.Context["groups"].([]any)
	for _, item := range list {
		if m, ok := item.(map[string]any); ok { // a group as policies write one
			item = m["pk"]
		}
		id, _ := item.(string)
		if parsed, err := uuid.Parse(id); err == nil && !slices.Contains(ids, parsed.String()) {
			ids = append(ids, parsed.String())
		}
	}
	return ids
}
