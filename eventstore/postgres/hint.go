package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// period is the time between two looks at the end of the ledger. What other
// nodes append is mostly known before, by a notification; but those are hints,
// and get lost with a connection.
const period = 250 * time.Millisecond

// channel is the name under which nodes tell each other positions.
const channel = "flowledger"

// pollAlways asks for the end of the ledger until the store is closed. When
// the server cannot be reached, it wakes whoever waits for more: they have to
// hear of it.
func (s *Store) pollAlways() {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-s.closing:
			return
		case <-ticker.C:
		}
		var end int64
		err := s.ask(s.life, attempt, func(ctx context.Context, conn *pgx.Conn) error {
			return conn.QueryRow(ctx, findHead).Scan(&end)
		})
		if err != nil {
			s.tail.stir()
			continue
		}
		s.tail.advance(uint64(end))
	}
}

// listenAlways listens to other nodes until the store is closed. It has no
// error to tell anybody: polling does the same, and later.
func (s *Store) listenAlways(config *pgx.ConnConfig) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-s.closing:
			return
		case <-pause.C:
		}
		s.listen(s.life, config)
		pause.Reset(time.Second)
	}
}

// listen listens until its connection is lost. Nobody notices a silent network
// by waiting, so it asks the server from time to time.
func (s *Store) listen(ctx context.Context, config *pgx.ConnConfig) {
	conn, err := dial(ctx, patience, config)
	if err != nil {
		return
	}
	defer leave(conn)
	if err := answers(ctx, conn, "LISTEN "+channel); err != nil {
		return
	}
	for {
		waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
		n, err := conn.WaitForNotification(waiting)
		over := waiting.Err() != nil
		cancel()
		switch {
		case err == nil:
			if end, err := strconv.ParseUint(n.Payload, 10, 63); err == nil {
				s.tail.advance(end)
			}
		case !over || ctx.Err() != nil || answers(ctx, conn, "SELECT 1") != nil:
			return
		}
	}
}

// answers runs a statement that has to be done soon.
func answers(ctx context.Context, conn *pgx.Conn, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	_, err := conn.Exec(ctx, statement)
	return err
}
