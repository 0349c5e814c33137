package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/story"
)

func executionCommand() *subcommand {
	return &subcommand{
		name: "execution", usage: "ID", about: "tells the story of one execution, or its plan and context as of a revision",
		example: "flowledger execution --at 9 0199e2a4-5c7e-7c4b-8a55-1d6f4c0a9b31",
		run: func(ctx context.Context, c *call) error {
			var t target
			fs := t.flags(c)
			at := fs.Int64("at", -1, "print plan and context as of this `revision`")
			args, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(args) != 1 {
				return usagef("execution wants the id of one execution")
			}
			if t.server != "" {
				return t.remote().execution(ctx, c.stdout, args[0], *at)
			}
			if err := t.storage.exists(); err != nil {
				return err
			}
			return with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
				if *at >= 0 {
					return a.State(ctx, c.stdout, args[0], eventstore.Revision(*at))
				}
				return a.Story(ctx, c.stdout, args[0])
			})
		},
	}
}

func noExecution(id string) error {
	return domain.Errorf(domain.NotFound, "There is no execution %q.", id)
}

// execution prints what a server tells of an execution.
func (r *remote) execution(ctx context.Context, out io.Writer, id string, at int64) error {
	path := "/api/v3/flows/executions/" + url.PathEscape(id)
	if at >= 0 {
		return r.copy(ctx, fmt.Sprintf("%s/state/?revision=%d", path, at), out)
	}
	return r.copy(ctx, path+"/story/", out)
}

// teller tells executions from the ledger of the app.
func (a *app) teller() *story.Teller {
	return &story.Teller{Store: a.store, Codec: a.codec, People: a.users, Objects: a.objects, ObjectAt: a.objectAt, Index: a.audit}
}

// Story prints what happened, a sentence an event.
func (a *app) Story(ctx context.Context, out io.Writer, id string) error {
	told, err := a.teller().Story(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Execution %s, begun %s\n\n", id, told.Started.Format("2006-01-02 15:04:05 MST"))
	for _, step := range told.Steps {
		if !step.Own {
			continue
		}
		if _, err := fmt.Fprintf(out, "%3d  %+8.3f s  %-20s %s\n", step.Revision, step.Offset.Seconds(), step.Type, step.Sentence); err != nil {
			return err
		}
		for _, d := range step.Details {
			fmt.Fprintf(out, "%39s%s\n", "", d)
		}
	}
	return nil
}

// State prints plan and context as of a revision.
func (a *app) State(ctx context.Context, out io.Writer, id string, at eventstore.Revision) error {
	view, err := a.teller().State(ctx, id, at)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(view)
}
