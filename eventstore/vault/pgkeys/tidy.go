package pgkeys

import (
	"context"
	"time"
)

// tidyEvery is the longest time for which destroyed rows keep their place in
// the table's file, and expired cookies theirs in the table.
const tidyEvery = time.Minute

// How long tidying may take: while running, and when the engine is closed.
const (
	tidyFor   = 45 * time.Second
	tidyAtEnd = 2 * time.Second
)

// purgeCookies leaves alone what another node is about to purge.
const purgeCookies = `DELETE FROM flowledger_keys.cookies WHERE digest IN (
	SELECT digest FROM flowledger_keys.cookies WHERE expires <= $1 LIMIT 10000 FOR UPDATE SKIP LOCKED)`

// tidyAlways does what nobody waits for, until the engine is closed. Its
// errors have no one to go to; the next minute tries again.
func (e *Engine) tidyAlways() {
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = e.tidy(tidyFor)
		case <-e.quit:
			_ = e.tidy(tidyAtEnd)
			return
		}
	}
}

func (e *Engine) tidy(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if _, err := e.pool.Exec(ctx, purgeCookies, e.now().UnixMicro()); err != nil {
		return err
	}
	return e.vacuum(ctx)
}

// vacuum gives the space of destroyed rows back to be used again. It takes a
// connection out of the pool, for it may need more time than other statements.
// What another node is vacuuming already is left to that.
func (e *Engine) vacuum(ctx context.Context) error {
	if !e.stale.Swap(false) {
		return nil
	}
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		e.stale.Store(true)
		return err
	}
	own := conn.Hijack()
	defer own.Close(ctx)
	for _, statement := range []string{`SET statement_timeout = 0`, `VACUUM (SKIP_LOCKED) flowledger_keys.secrets`} {
		if _, err := own.Exec(ctx, statement); err != nil {
			e.stale.Store(true)
			return err
		}
	}
	return nil
}
