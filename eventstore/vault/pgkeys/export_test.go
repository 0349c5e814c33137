package pgkeys

import (
	"context"
	"time"
)

// Tidy does what else is done each minute.
func (e *Engine) Tidy() error { return e.tidy(10 * time.Second) }

// Patience is for how long a call tries.
const Patience = patience

// Setting asks a connection of the engine's how it is set.
func (e *Engine) Setting(ctx context.Context, name string) (value string, err error) {
	err = e.pool.QueryRow(ctx, `SELECT current_setting($1)`, name).Scan(&value)
	return value, err
}
