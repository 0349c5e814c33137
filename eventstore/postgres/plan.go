package postgres

import (
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

// A plan is what a transaction is going to write. It decides in memory what
// becomes of each append, so that one that is refused does not hinder others,
// and all is written at once.
type plan struct {
	position, recordedAt, streams int64 // where the ledger ends, and then where it shall end
	now                           int64 // the server's clock, when the transaction began to write

	endings map[eventstore.StreamID]*ending
	known   map[uuid.UUID]place // IDs that were looked up, and those of the plan
	rows    rows
}

// An ending is where a stream ends, in the plan.
type ending struct {
	key      int64
	revision eventstore.Revision
	moved    bool
}

// A place is where an event stands.
type place struct {
	key      int64
	revision eventstore.Revision
}

// rows are the new events, column by column.
type rows struct {
	stream, revision, recordedAt  []int64
	id                            [][16]byte
	kind                          []string
	schema                        []int32
	header, payload, sealed, salt [][]byte
}

func newPlan() *plan {
	return &plan{endings: make(map[eventstore.StreamID]*ending), known: make(map[uuid.UUID]place)}
}

// ending returns the end of a stream that may not exist yet.
func (p *plan) ending(stream eventstore.StreamID) *ending {
	e := p.endings[stream]
	if e == nil {
		e = &ending{revision: -1}
		p.endings[stream] = e
	}
	return e
}

// unsure returns the IDs that have to be looked up. A claim that names the end
// as it is cannot be a replay, which saves the look-up in the common case.
func (p *plan) unsure(batch []*request, doubtful bool) (ids [][16]byte) {
	for _, r := range batch {
		for i := range r.restored {
			ids = append(ids, r.restored[i].ID)
		}
		if r.restored != nil || !doubtful && r.expected == eventstore.At(p.ending(r.stream).revision) {
			continue
		}
		for i := range r.events {
			ids = append(ids, r.events[i].ID)
		}
	}
	return ids
}

// answer decides about r, which sees those before it.
func (p *plan) answer(r *request) {
	r.revision, r.err = -1, nil
	if r.restored != nil {
		r.err = p.restore(r.restored)
		return
	}
	end := p.ending(r.stream)
	if last, ok := p.replayed(end, r); ok {
		r.revision = last
		return
	}
	if r.expected != eventstore.Any && r.expected != eventstore.At(end.revision) {
		r.refuse(end.revision, uuid.Nil)
		return
	}
	if id := p.repeated(r.events); id != uuid.Nil {
		r.refuse(end.revision, id)
		return
	}
	if len(r.events) > 0 {
		p.recordedAt = max(p.recordedAt, p.now) // the clock may have stepped back
	}
	for i := range r.events {
		p.put(r.stream, end, &r.events[i])
	}
	r.revision = end.revision
}

// refuse answers r with a false claim, or with an ID that is not new.
func (r *request) refuse(head eventstore.Revision, duplicate uuid.UUID) {
	r.err = &eventstore.WrongExpectedError{Stream: r.stream, Expected: r.expected, Actual: head, Duplicate: duplicate}
}

// replayed tells whether the events of r were appended to the stream before,
// together and under the same claim, and the revision of the last.
func (p *plan) replayed(end *ending, r *request) (last eventstore.Revision, ok bool) {
	if len(r.events) == 0 {
		return 0, false
	}
	first, ok := p.known[r.events[0].ID]
	if !ok || r.expected != eventstore.Any && r.expected != eventstore.At(first.revision-1) {
		return 0, false
	}
	for i := range r.events {
		at, ok := p.known[r.events[i].ID]
		if !ok || at != (place{end.key, first.revision + eventstore.Revision(i)}) {
			return 0, false
		}
	}
	return first.revision + eventstore.Revision(len(r.events)) - 1, true
}

// repeated returns an ID that stands in the ledger or twice among events.
func (p *plan) repeated(events []eventstore.NewEvent) uuid.UUID {
	seen := make(map[uuid.UUID]bool, len(events))
	for i := range events {
		id := events[i].ID
		if _, ok := p.known[id]; ok || seen[id] {
			return id
		}
		seen[id] = true
	}
	return uuid.Nil
}

// put plans one event at the end of its stream and of the ledger.
func (p *plan) put(stream eventstore.StreamID, end *ending, e *eventstore.NewEvent) {
	if end.key == 0 {
		p.streams++
		end.key = p.streams
	}
	end.revision++
	end.moved = true
	p.position++
	p.known[e.ID] = place{end.key, end.revision}
	n := &p.rows
	n.stream = append(n.stream, end.key)
	n.revision = append(n.revision, int64(end.revision))
	n.recordedAt = append(n.recordedAt, p.recordedAt)
	n.id = append(n.id, e.ID)
	n.kind = append(n.kind, e.Type)
	n.schema = append(n.schema, int32(e.Schema))
	n.header = append(n.header, some(e.Header))
	n.payload = append(n.payload, some(e.Payload))
	n.sealed = append(n.sealed, some(e.Sealed))
	n.salt = append(n.salt, e.Salt[:])
}

// some makes no bytes of nil, which would be NULL.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// moved returns the streams whose end is another than before.
func (p *plan) moved() (keys []int64, names []string, revisions []int64) {
	for name, e := range p.endings {
		if e.moved {
			keys, names, revisions = append(keys, e.key), append(names, string(name)), append(revisions, int64(e.revision))
		}
	}
	return keys, names, revisions
}

func microTime(n int64) time.Time { return time.UnixMicro(n).UTC() }
