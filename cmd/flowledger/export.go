package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/exporter"
)

func exportCommand() *subcommand {
	return &subcommand{
		name: "export", usage: "SLUG",
		about:   "writes a flow, with everything that it refers to, as a blueprint that another instance can import; secrets are left out",
		example: "flowledger export default-authentication-flow > login.yaml",
		run: func(ctx context.Context, c *call) error {
			var t target
			args, err := c.parse(t.flags(c))
			if err != nil {
				return err
			}
			if len(args) != 1 {
				return usagef("export wants the slug of one flow")
			}
			if t.server != "" {
				return t.remote().copy(ctx, "/api/v3/flows/instances/"+url.PathEscape(args[0])+"/export/", c.stdout)
			}
			if err := t.storage.exists(); err != nil {
				return err
			}
			return with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
				text, err := a.exportFlow(ctx, args[0])
				if err != nil {
					return err
				}
				_, err = c.stdout.Write(text)
				return err
			})
		},
	}
}

// exportFlow writes the flow with a slug.
func (a *app) exportFlow(ctx context.Context, slug string) ([]byte, error) {
	for _, t := range a.objects.Kind(object.FlowModel) {
		if t.Fields["slug"] == slug {
			return (&exports{a}).export(ctx, exporter.Job{Flow: t.ID, Meta: system("tenant")})
		}
	}
	return nil, fmt.Errorf("there is no flow %q", slug)
}

// exports writes flows as blueprints, for the administration API.
type exports struct{ app *app }

// Export implements adminapi.Exporter.
func (e *exports) Export(ctx context.Context, c session.Caller, flow string) ([]byte, error) {
	return e.export(ctx, exporter.Job{Flow: flow, By: c.User, Meta: caused("tenant", c)})
}

func (e *exports) export(ctx context.Context, j exporter.Job) ([]byte, error) {
	x := &exporter.Exporter{
		Audits: &e.app.auditHandler, Look: func(ctx context.Context) exporter.View { return e.app.shelf(ctx) }, Wait: e.app.wait,
		NewID: uuid.NewString,
	}
	return x.Export(ctx, j)
}
