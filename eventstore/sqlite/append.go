package sqlite

import (
	"bytes"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
)

// append carries out r in the open transaction: its revision, or the error
// for its caller, is in r. The error that it returns is about the database.
func (w *writer) append(r *request) error {
	key, head, err := w.head(r.stream)
	if err != nil {
		return err
	}
	// A claim that names the end as it is cannot be a replay, which saves the
	// look-up in the common case.
	claimed := r.expected == eventstore.At(head)
	if !claimed && len(r.events) > 0 {
		last, ok, err := w.replayed(key, r)
		if err != nil {
			return err
		}
		if ok {
			r.revision = last
			return nil
		}
	}
	if !claimed && r.expected != eventstore.Any {
		r.refuse(head, uuid.Nil)
		return nil
	}
	if len(r.events) == 0 {
		r.revision = head
		return nil
	}
	return w.record(key, head, r)
}

// refuse answers r with a false claim, or with an ID that is not new.
func (r *request) refuse(head eventstore.Revision, duplicate uuid.UUID) {
	r.revision = -1
	r.err = &eventstore.WrongExpectedError{Stream: r.stream, Expected: r.expected, Actual: head, Duplicate: duplicate}
}

// head returns a stream's key and last revision, 0 and -1 if there is none.
func (w *writer) head(stream eventstore.StreamID) (key int64, head eventstore.Revision, err error) {
	stmt, err := w.conn.Prepare("SELECT id, revision FROM streams WHERE name = ?")
	if err != nil {
		return 0, 0, err
	}
	stmt.BindText(1, string(stream))
	found, err := stmt.Step()
	if err != nil || !found {
		return 0, -1, err
	}
	key, head = stmt.ColumnInt64(0), eventstore.Revision(stmt.ColumnInt64(1))
	return key, head, stmt.Reset()
}

// replayed tells whether the events of r were appended to the stream before,
// together and under the same claim, and the revision of the last.
func (w *writer) replayed(key int64, r *request) (last eventstore.Revision, ok bool, err error) {
	stmt, err := w.conn.Prepare(`
		SELECT revision FROM events
		WHERE stream = ?1 AND id = ?2 AND (?3 = -2 OR ?3 = revision - 1)`)
	if err != nil {
		return 0, false, err
	}
	first := r.events[0].ID
	stmt.BindInt64(1, key)
	stmt.BindBytes(2, first[:])
	stmt.BindInt64(3, int64(r.expected))
	found, err := stmt.Step()
	if err != nil || !found {
		return 0, false, err
	}
	last = eventstore.Revision(stmt.ColumnInt64(0))
	if err := stmt.Reset(); err != nil {
		return 0, false, err
	}
	for _, e := range r.events[1:] {
		last++
		if ok, err := w.stands(key, last, e.ID); err != nil || !ok {
			return 0, false, err
		}
	}
	return last, true, nil
}

// stands tells whether the event at revision has this ID.
func (w *writer) stands(key int64, revision eventstore.Revision, id uuid.UUID) (bool, error) {
	stmt, err := w.conn.Prepare("SELECT 1 FROM events WHERE stream = ? AND revision = ? AND id = ?")
	if err != nil {
		return false, err
	}
	stmt.BindInt64(1, key)
	stmt.BindInt64(2, int64(revision))
	stmt.BindBytes(3, id[:])
	found, err := stmt.Step()
	if err != nil || !found {
		return false, err
	}
	return true, stmt.Reset()
}

// record writes the stream's new end and its events. The unique index on IDs
// finds those that are known; what the append wrote before is then taken back.
func (w *writer) record(key int64, head eventstore.Revision, r *request) error {
	before, beforeAt := w.position, w.recordedAt
	w.recordedAt = laterOf(w.recordedAt, w.started)
	last := head + eventstore.Revision(len(r.events))
	key, err := w.setHead(key, head, last, r.stream)
	if err != nil {
		return err
	}
	for i := range r.events {
		repeats := i > 0 && bytes.Equal(r.events[i].Header, r.events[i-1].Header)
		fresh, err := w.insert(key, head+1+eventstore.Revision(i), &r.events[i], repeats)
		if err != nil {
			return err
		}
		if !fresh {
			r.refuse(head, r.events[i].ID)
			w.position, w.recordedAt = before, beforeAt
			return w.takeBack(key, head)
		}
	}
	r.revision = last
	return nil
}

// setHead moves a stream's end from head to last, or begins the stream, and
// returns its key.
func (w *writer) setHead(key int64, head, last eventstore.Revision, name eventstore.StreamID) (int64, error) {
	if head < 0 {
		stmt, err := w.conn.Prepare("INSERT INTO streams (name, revision) VALUES (?, ?)")
		if err != nil {
			return 0, err
		}
		stmt.BindText(1, string(name))
		stmt.BindInt64(2, int64(last))
		_, err = stmt.Step()
		return w.conn.LastInsertRowID(), err
	}
	stmt, err := w.conn.Prepare("UPDATE streams SET revision = ? WHERE id = ?")
	if err != nil {
		return 0, err
	}
	stmt.BindInt64(1, int64(last))
	stmt.BindInt64(2, key)
	_, err = stmt.Step()
	return key, err
}

// insert writes one event at the next position, unless its ID is known.
// Repeats tells that its header is that of the event before.
func (w *writer) insert(key int64, revision eventstore.Revision, e *eventstore.NewEvent, repeats bool) (fresh bool, err error) {
	stmt, err := w.conn.Prepare(`
		INSERT INTO events (position, stream, revision, id, type, schema, recorded_at, header, payload, sealed, salt)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`)
	if err != nil {
		return false, err
	}
	bindEvent(stmt, e)
	if repeats {
		stmt.BindNull(8)
	}
	stmt.BindInt64(1, w.position+1)
	stmt.BindInt64(2, key)
	stmt.BindInt64(3, int64(revision))
	stmt.BindInt64(7, w.recordedAt.UnixMicro())
	if _, err := stmt.Step(); err != nil {
		return false, err
	}
	if w.conn.Changes() == 0 {
		return false, nil
	}
	w.position++
	return true, nil
}

// bindEvent binds what the writer of e has said.
func bindEvent(stmt *sqlite.Stmt, e *eventstore.NewEvent) {
	stmt.BindBytes(4, e.ID[:])
	stmt.BindText(5, e.Type)
	stmt.BindInt64(6, int64(e.Schema))
	stmt.BindBytes(8, e.Header)
	stmt.BindBytes(9, e.Payload)
	stmt.BindBytes(10, e.Sealed)
	stmt.BindBytes(11, e.Salt[:])
}

// takeBack removes the events after the writer's position, and puts the
// stream back to head. The transaction goes on without them.
func (w *writer) takeBack(key int64, head eventstore.Revision) error {
	stmt, err := w.conn.Prepare("DELETE FROM events WHERE position > ?")
	if err != nil {
		return err
	}
	stmt.BindInt64(1, w.position)
	if _, err := stmt.Step(); err != nil {
		return err
	}
	if head >= 0 {
		_, err := w.setHead(key, head, head, "")
		return err
	}
	if stmt, err = w.conn.Prepare("DELETE FROM streams WHERE id = ?"); err != nil {
		return err
	}
	stmt.BindInt64(1, key)
	_, err = stmt.Step()
	return err
}
