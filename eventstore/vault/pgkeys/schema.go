package pgkeys

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// lockMigrations keeps nodes that start at the same time from making the
// tables twice. The number is as good as any; nothing else here uses it.
const lockMigrations = `SELECT pg_advisory_xact_lock(7351920464128301)`

// migrations are the steps from one shape of the tables to the next. A step
// that was once released never changes.
//
// One row is a secret's whole life: wrapped, then destroyed. So its primary
// key alone decides between a node that makes it and one that destroys it.
// Rows have room beside them for the update that destroys.
var migrations = []string{`
CREATE TABLE flowledger_keys.secrets(
	id      text COLLATE "C" PRIMARY KEY,
	wrapped bytea,
	since   bigint, -- µs since 1970
	CHECK ((wrapped IS NULL) <> (since IS NULL))
) WITH (fillfactor = 85, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
CREATE TABLE flowledger_keys.cookies(
	digest     bytea PRIMARY KEY,
	session    text COLLATE "C" NOT NULL,
	generation integer NOT NULL,
	expires    bigint NOT NULL -- µs since 1970
);
CREATE INDEX cookies_by_session ON flowledger_keys.cookies(session);
CREATE INDEX cookies_by_expires ON flowledger_keys.cookies(expires);
`}

// migrate makes the tables, or brings them up to date, each step in its
// transaction: a crash leaves the shape before or after it.
func (e *Engine) migrate(ctx context.Context, conn *pgx.Conn) error {
	version, err := e.version(ctx, conn)
	for err == nil && version < len(migrations) {
		if err = e.step(ctx, conn, version); err == nil {
			version, err = e.version(ctx, conn)
		}
	}
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("the tables in schema flowledger_keys have version %d, which a newer program made; this one knows %d",
			version, len(migrations))
	}
	return nil
}

// hasTables asks the catalogue's own tables. What a session remembers of names,
// which to_regclass asks, can be older than the lock on migrations. Just to say
// CREATE … IF NOT EXISTS needs a right that whoever uses the tables may not
// have.
const hasTables = `SELECT EXISTS(SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'flowledger_keys' AND c.relname = 'version')`

// version is how many migrations the tables have behind them.
func (e *Engine) version(ctx context.Context, conn *pgx.Conn) (version int, err error) {
	var made bool
	err = conn.QueryRow(ctx, hasTables).Scan(&made)
	if err != nil || !made {
		return 0, err
	}
	err = conn.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM flowledger_keys.version`).Scan(&version)
	return version, err
}

// step runs the migration after version, unless another node has done so
// meanwhile.
func (e *Engine) step(ctx context.Context, conn *pgx.Conn, version int) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockMigrations); err != nil {
			return err
		}
		if now, err := e.version(ctx, tx.Conn()); err != nil || now != version {
			return err
		}
		if version == 0 {
			if _, err := tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS flowledger_keys;
				CREATE TABLE IF NOT EXISTS flowledger_keys.version(version integer PRIMARY KEY)`); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, migrations[version]); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO flowledger_keys.version(version) VALUES($1)`, version+1)
		return err
	})
}
