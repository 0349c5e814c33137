package esdbtest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// The claims of an append, as the real server counts them.
const (
	noStream     int64 = -1
	anyRevision  int64 = -2
	streamExists int64 = -4
)

// A record is one event in the log.
type record struct {
	id       uuid.UUID
	stream   string
	revision uint64
	position uint64
	created  time.Time
	metadata map[string]string // type and content type
	custom   []byte
	data     []byte
}

// A ledger is the log that the nodes of a cluster share: in the real one it
// is replicated, and a reader sees what a majority has.
type ledger struct {
	mu      sync.Mutex // guards all below
	records []record   // what is in it is never changed
	streams map[string][]int
	next    uint64        // position of the next record
	grown   chan struct{} // closed and replaced when records grows
	leader  *Server
}

func newLedger() *ledger {
	l := &ledger{streams: make(map[string][]int), next: 137, grown: make(chan struct{})}
	// The real server writes events of its own, from the first second on.
	l.append("$stats-127.0.0.1:2113", anyRevision, []record{{id: uuid.New(), metadata: map[string]string{"type": "$statsCollected", "content-type": "application/json"}, data: []byte("{}")}})
	return l
}

// A written is the answer to an append: the stream's end and the position of
// the last event, or a false claim and the end that there is.
type written struct {
	wrong    bool
	end      int64
	position uint64
}

// append judges the claim and adds events, all or none. Only a claim that
// names an earlier end is compared with the event IDs that stand behind it,
// and Any with those that the server happens to remember, here all. IDs of
// which only the first are known are a false claim. A claim that is true is
// never looked at: the same ID twice in a stream is nothing to the server.
func (l *ledger) append(stream string, expected int64, events []record) written {
	l.mu.Lock()
	defer l.mu.Unlock()
	places := l.streams[stream]
	end := int64(len(places)) - 1
	switch {
	case expected == streamExists && end < 0, expected >= 0 && expected > end:
		return written{wrong: true, end: end}
	case expected == anyRevision:
		if known := l.find(places, events); known >= 0 {
			return l.repeated(places, known, events)
		}
	case expected >= noStream && expected < end:
		return l.repeated(places, int(expected)+1, events)
	}
	now := time.Now().UTC()
	if n := len(l.records); n > 0 && now.Before(l.records[n-1].created) {
		now = l.records[n-1].created
	}
	for _, e := range events {
		end++
		e.stream, e.revision, e.position, e.created = stream, uint64(end), l.next, now
		l.next += uint64(100 + 2*len(stream) + len(e.data) + len(e.custom))
		l.streams[stream] = append(l.streams[stream], len(l.records))
		l.records = append(l.records, e)
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return written{end: end, position: l.records[len(l.records)-1].position}
}

// find returns where the first of events stands in the stream, or -1.
func (l *ledger) find(places []int, events []record) int {
	for n, i := range places {
		if len(events) > 0 && l.records[i].id == events[0].id {
			return n
		}
	}
	return -1
}

// repeated answers an append whose events would stand from revision first on.
// Which position the real server then tells is not known, and here it is the
// least helpful.
func (l *ledger) repeated(places []int, first int, events []record) written {
	last := first + len(events) - 1
	if len(events) == 0 || last >= len(places) {
		return written{wrong: true, end: int64(len(places)) - 1}
	}
	for n, e := range events {
		if l.records[places[first+n]].id != e.id {
			return written{wrong: true, end: int64(len(places)) - 1}
		}
	}
	return written{end: int64(last), position: l.records[places[first]].position}
}

// look returns what there is, and a channel that is closed when there is more.
func (l *ledger) look() ([]record, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records, l.grown
}

// stream returns the events of a stream that a reader may see: the last ones
// only, if the stream's metadata has a $maxCount.
func (l *ledger) stream(name string) (events []record, exists bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	places := l.streams[name]
	for _, i := range places[len(places)-min(len(places), l.maxCount(name)):] {
		events = append(events, l.records[i])
	}
	return events, len(places) > 0
}

func (l *ledger) maxCount(name string) int {
	if strings.HasPrefix(name, "$$") {
		return 1 // of metadata only the last event counts
	}
	places := l.streams["$$"+name]
	if len(places) == 0 {
		return math.MaxInt
	}
	var metadata struct {
		MaxCount int `json:"$maxCount"`
	}
	if json.Unmarshal(l.records[places[len(places)-1]].data, &metadata) != nil || metadata.MaxCount == 0 {
		return math.MaxInt
	}
	return metadata.MaxCount
}

// Dump returns what a stream holds as text: ID, type, content type, data and
// metadata of an event in a line.
func (s *Server) Dump(stream string) string {
	events, _ := s.ledger.stream(stream)
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s %s %s %s\n", e.id, e.metadata["type"], e.metadata["content-type"], e.data, e.custom)
	}
	return b.String()
}
