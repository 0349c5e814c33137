package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
)

func tokenCommand() *subcommand {
	return &subcommand{
		name: "token", usage: "create USERNAME", about: "makes an API token for a user, and shows its key this once",
		example: "flowledger token create --ttl 720h akadmin",
		run: func(ctx context.Context, c *call) error {
			var t target
			fs := t.flags(c)
			ttl := fs.Duration("ttl", 365*24*time.Hour, "how long it works, as a `duration`; 0 for ever")
			scope := fs.String("scope", "", "`permissions` that it is limited to, as app.codename with commas between; by default it may all that the user may")
			identifier := fs.String("identifier", "", "`name` of the token; by default one is made up")
			args, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(args) != 2 || args[0] != "create" {
				return usagef("say token create USERNAME")
			}
			create := token.Create{Intent: token.API, Identifier: cmp.Or(*identifier, "cli-"+uuid.NewString()), Producer: "cli"}
			if create.Scope, err = permissionsIn(*scope); err != nil {
				return err
			}
			if *ttl > 0 {
				create.Expiring, create.Expires = true, time.Now().Add(*ttl)
			}
			var key string
			if t.server != "" {
				key, err = t.remote().createToken(ctx, args[1], create)
			} else {
				err = with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
					key, err = a.tokenFor(ctx, args[1], create)
					return err
				})
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.stdout, key)
			return err
		},
	}
}

// permissionsIn reads a list of permissions with commas between.
func permissionsIn(text string) ([]string, error) {
	var out []string
	for permission := range strings.SplitSeq(text, ",") {
		permission = strings.TrimSpace(permission)
		if permission == "" {
			continue
		}
		if _, known := role.Lookup(permission); !known {
			return nil, fmt.Errorf("there is no permission %q: GET /api/v3/rbac/permissions/ lists them, as app.codename", permission)
		}
		out = append(out, permission)
	}
	return out, nil
}

// tokenFor makes a token for the user of this name, and returns its key.
func (a *app) tokenFor(ctx context.Context, username string, create token.Create) (string, error) {
	if _, err := a.shipped(ctx); err != nil { // a folder that no server has seen has no users yet
		return "", err
	}
	who, err := a.users.FindPerson(ctx, []string{"username"}, username, false)
	if err != nil {
		return "", err
	}
	if !who.Exists() {
		return "", noUser(username)
	}
	create.User = who.ID
	key := newKey()
	_, err = a.createToken(ctx, create, key)
	return key, err
}

// createToken has the server make a token, and returns its key: the answer is
// the only place where it ever stands.
func (r *remote) createToken(ctx context.Context, username string, create token.Create) (string, error) {
	who, err := r.user(ctx, username)
	if err != nil {
		return "", err
	}
	wish := map[string]any{
		"identifier": create.Identifier, "intent": create.Intent, "user": who.Key, "expiring": create.Expiring,
	}
	if len(create.Scope) > 0 {
		wish["scope"] = create.Scope
	}
	if create.Expiring {
		wish["expires"] = create.Expires.UTC().Format(time.RFC3339)
	}
	var made struct {
		Key string `json:"key"`
	}
	err = r.post(ctx, "/api/v3/core/tokens/", wish, &made)
	return made.Key, err
}
