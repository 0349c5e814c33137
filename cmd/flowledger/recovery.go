package main

import (
	"context"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/executor"
)

// Recover implements adminapi.Keys.
func (d *directory) Recover(ctx context.Context, c session.Caller, r adminapi.Recovery) (string, error) {
	return d.app.executor.Recover(ctx, executor.Recovery(r), c)
}

// Drop implements adminapi.Keys.
func (d *directory) Drop(ctx context.Context, id string) error { return d.app.forgetToken(ctx, id) }
