package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// lockMigrations keeps nodes that start at the same time from making the
// tables twice. The number is as good as any; nothing else here uses it.
const lockMigrations = `SELECT pg_advisory_xact_lock(7351920464128302)`

// migrations are the steps from one shape of the tables to the next. A step
// that was once released never changes.
//
// Whoever has locked the one row of ledger is the only writer, and counts on
// from the last event and the last stream: no sequence is needed, which would
// leave gaps, and no foreign key, which would lock streams. The row holds no
// count of its own, for every new count would be a new version of it, which a
// dump that runs for hours keeps from being removed and every writer has to
// pass. Bytes are bytea, for jsonb would write them anew. Times are µs since
// 1970.
var migrations = []string{`
CREATE TABLE flowledger.ledger(
	one boolean PRIMARY KEY CHECK (one)
);
INSERT INTO flowledger.ledger(one) VALUES(true);
CREATE TABLE flowledger.streams(
	id       bigint PRIMARY KEY,
	name     text COLLATE "C" NOT NULL UNIQUE,
	revision bigint NOT NULL
) WITH (fillfactor = 80);
CREATE TABLE flowledger.events(
	position    bigint PRIMARY KEY,
	stream      bigint NOT NULL,
	revision    bigint NOT NULL,
	id          uuid NOT NULL UNIQUE,
	type        text COLLATE "C" NOT NULL,
	schema      integer NOT NULL,
	recorded_at bigint NOT NULL,
	header      bytea NOT NULL,
	payload     bytea NOT NULL,
	sealed      bytea NOT NULL,
	salt        bytea NOT NULL,
	UNIQUE(stream, revision)
);
CREATE TABLE flowledger.notes(
	name    text COLLATE "C" PRIMARY KEY,
	value   bytea NOT NULL,
	version bigint NOT NULL,
	written uuid NOT NULL -- by which call
) WITH (fillfactor = 50);
`}

// migrate makes the tables, or brings them up to date, each step in its
// transaction: a crash leaves the shape before or after it.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	version, err := version(ctx, conn)
	for err == nil && version < len(migrations) {
		version, err = step(ctx, conn, version)
	}
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("the tables in schema flowledger have version %d, which a newer program made; this one knows %d",
			version, len(migrations))
	}
	return nil
}

// hasTables asks the catalogue's own tables. What a session remembers of names,
// which to_regclass asks, can be older than the lock on migrations. Just to say
// CREATE … IF NOT EXISTS needs a right that whoever uses the tables may not
// have.
const hasTables = `SELECT EXISTS(SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'flowledger' AND c.relname = 'version')`

// version is how many migrations the tables have behind them.
func version(ctx context.Context, conn *pgx.Conn) (version int, err error) {
	var made bool
	err = conn.QueryRow(ctx, hasTables).Scan(&made)
	if err != nil || !made {
		return 0, err
	}
	err = conn.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM flowledger.version`).Scan(&version)
	return version, err
}

// step runs the migration after version, unless another node has done so
// meanwhile, and returns the version that there is then.
func step(ctx context.Context, conn *pgx.Conn, before int) (after int, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockMigrations); err != nil {
			return err
		}
		if after, err = version(ctx, tx.Conn()); err != nil || after != before {
			return err
		}
		if before == 0 {
			if _, err := tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS flowledger;
				CREATE TABLE flowledger.version(version integer PRIMARY KEY)`); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, migrations[before]); err != nil {
			return err
		}
		after = before + 1
		_, err := tx.Exec(ctx, `INSERT INTO flowledger.version(version) VALUES($1)`, after)
		return err
	})
	return after, err
}
