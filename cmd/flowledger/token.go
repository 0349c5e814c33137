package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/token"
)

func tokenCommand() *subcommand {
	return &subcommand{
		name: "token", usage: "create USERNAME", about: "makes an API token for a user, and shows its key this once",
		example: "flowledger token create --ttl 720h akadmin",
		run: func(ctx context.Context, c *call) error {
			var t storage
			fs := c.flags()
			t.flags(fs)
			ttl := fs.Duration("ttl", 365*24*time.Hour, "how long it works, as a `duration`; 0 for ever")
			identifier := fs.String("identifier", "", "`name` of the token; by default one is made up")
			args, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(args) != 2 || args[0] != "create" {
				return usagef("say token create USERNAME")
			}
			return with(ctx, t, discard(), func(ctx context.Context, a *app) error {
				if _, err := a.shipped(ctx); err != nil { // a folder that no server has seen has no users yet
					return err
				}
				who, err := a.users.FindPerson(ctx, []string{"username"}, args[1], false)
				if err != nil {
					return err
				}
				if !who.Exists() {
					return noUser(args[1])
				}
				create := token.Create{Intent: token.API, User: who.ID, Identifier: *identifier, Producer: "cli"}
				if create.Identifier == "" {
					create.Identifier = "cli-" + uuid.NewString()
				}
				if *ttl > 0 {
					create.Expiring, create.Expires = true, time.Now().Add(*ttl)
				}
				key := newKey()
				if _, err := a.createToken(ctx, create, key); err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.stdout, key)
				return err
			})
		},
	}
}
