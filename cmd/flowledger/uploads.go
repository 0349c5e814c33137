package main

import (
	"context"
	"errors"
	"strings"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/importer"
)

// uploads applies blueprints that the API is sent.
type uploads struct{ app *app }

// Import implements adminapi.Importer.
func (u *uploads) Import(
	ctx context.Context, c session.Caller, name string, text []byte, context map[string]any,
) (adminapi.ImportResult, error) {
	return u.run(ctx, importer.Job{File: name, Text: text, Context: context, By: c.User, Via: "import", Meta: caused("tenant", c)})
}

// DryRun implements adminapi.Importer.
func (u *uploads) DryRun(
	ctx context.Context, c session.Caller, name string, text []byte, context map[string]any,
) (adminapi.ImportResult, error) {
	return u.run(ctx, importer.Job{
		File: name, Text: text, Context: context, By: c.User, Via: "import", Meta: caused("tenant", c), DryRun: true,
	})
}

func (u *uploads) run(ctx context.Context, j importer.Job) (adminapi.ImportResult, error) {
	result, err := u.app.importer.Import(ctx, j)
	if fault, ok := errors.AsType[*blueprint.Error](err); ok {
		logs := append(result.Logs, blueprint.LogEvent{Level: "error", Event: fault.Error()})
		return adminapi.ImportResult{Logs: logs}, nil
	}
	if err != nil {
		return adminapi.ImportResult{}, err
	}
	differences, err := u.app.differences(ctx, result)
	return adminapi.ImportResult{Success: err == nil, Logs: append(result.Logs, reported(differences)...)}, err
}

// differences tells what an import did, or would do.
func (a *app) differences(ctx context.Context, result blueprint.Result) ([]blueprint.Difference, error) {
	view := a.shelf(ctx)
	return blueprint.Differences(view, result.All()), view.Fault()
}

// reported puts differences into a report. Their lines are an attribute, which
// the import command prints as it prints its own.
func reported(differences []blueprint.Difference) []blueprint.LogEvent {
	var logs []blueprint.LogEvent
	for _, d := range differences {
		e := blueprint.LogEvent{Level: "info", Event: d.String()}
		if len(d.Lines) > 0 {
			e.Attributes = map[string]any{diffAttribute: strings.Join(d.Lines, "\n")}
		}
		logs = append(logs, e)
	}
	return logs
}

// diffAttribute holds the lines of a difference.
const diffAttribute = "diff"
