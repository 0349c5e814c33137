package auditapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Tail tells how far the ledger can be read, and that the read models have
// come as far.
type Tail interface {
	Applied() eventstore.Position
}

// How many streams there are at most: of one person, who may have as many
// windows, and in all.
const (
	streamsEach  = 8
	streamsInAll = 64
)

// The pace of streams. A stream looks for more every so often instead of being
// woken by each event: many streams then cost no more than few, however many
// events there are.
const (
	streamLook  = 150 * time.Millisecond
	streamBeat  = 15 * time.Second // between two signs of life
	streamCheck = time.Minute      // between two questions whether the caller may still look
	streamPage  = 500              // events that are read at once
	streamBlock = 32 << 10         // bytes that are written at once
	streamStall = 30 * time.Second // that a client may take for them
	streamRetry = 2 * time.Second  // after which a client comes again
)

// A pace can be another in tests. What is zero is as above.
type pace struct{ look, beat, check, stall time.Duration }

// stream answers with the events behind a position and with those that happen
// from then on, as server-sent events: the id is the position, the type is the
// event's, the data is what [Server.events] has. Whoever comes again with
// Last-Event-ID goes on where they were. Nothing is dropped: events are read
// when the client has taken those before.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	f, after := p.events(), s.begins(r, p)
	if err := p.strict(); err != nil {
		return err
	}
	leave, err := s.streams.enter(c.User, streamsEach, streamsInAll)
	if err != nil {
		return err
	}
	defer leave()
	if err := s.Looks.Queried(r.Context(), c, looked.Look{View: "stream", Filters: asked(r)}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store, no-transform")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	t := &streaming{server: s, w: w, r: r, user: c.User, rc: http.NewResponseController(w), filter: f, at: after}
	if err := t.run(); err != nil && !errors.Is(err, errGone) && !errors.Is(err, context.Canceled) {
		s.Log.ErrorContext(r.Context(), "stream ended", "at", t.at.String(), "error", err)
	}
	return nil
}

// begins tells behind which position a stream begins: the one that the client
// has seen, or the end.
func (s *Server) begins(r *http.Request, p *params) eventstore.Position {
	end := s.Tail.Applied()
	after := p.position("after")
	if seen := r.Header.Get("Last-Event-ID"); seen != "" {
		var err error
		if after, err = eventstore.ParsePosition(seen); err != nil {
			p.refuse("Last-Event-ID", "Enter a position of the ledger.")
		}
	} else if p.text("after") == "" {
		return end
	}
	// A position that is not there yet is of another ledger, and would wait for
	// long.
	if after.Compare(end) > 0 {
		p.refuse("after", "The ledger ends at position "+end.String()+".")
	}
	return after
}

// streaming is a stream under way. One goroutine owns it.
type streaming struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	rc     *http.ResponseController
	user   string
	filter projections.AuditFilter
	at     eventstore.Position // up to here, the client has all
	block  bytes.Buffer        // on its way
}

// run sends events until the client is gone or takes nothing, the caller may
// not look any more, or the program ends.
func (t *streaming) run() error {
	ctx, cancel := context.WithCancel(t.r.Context())
	var ending sync.WaitGroup
	defer ending.Wait()
	defer cancel()
	ending.Go(func() {
		select {
		case <-t.server.Ending:
			cancel()
			// It may be in the middle of a write.
			_ = t.rc.SetWriteDeadline(time.Now().Add(time.Second))
		case <-ctx.Done():
		}
	})
	fmt.Fprintf(&t.block, "retry: %d\nid: %s\n\n", streamRetry.Milliseconds(), t.at)
	if err := t.flush(ctx); err != nil {
		return err
	}
	return t.follow(ctx)
}

func (t *streaming) follow(ctx context.Context) error {
	p := t.server.pace
	look := time.NewTicker(cmp.Or(p.look, streamLook))
	defer look.Stop()
	beaten, checked := time.Now(), time.Now()
	for ctx.Err() == nil {
		if time.Since(checked) >= cmp.Or(p.check, streamCheck) {
			if !t.may() {
				return nil
			}
			checked = time.Now()
		}
		sent, more, err := t.advance(ctx)
		if err == nil && !sent && time.Since(beaten) >= cmp.Or(p.beat, streamBeat) {
			// The id is for a client whose filter has found nothing for long.
			fmt.Fprintf(&t.block, ":\nid: %s\n\n", t.at)
			sent, err = true, t.flush(ctx)
		}
		if err != nil {
			return err
		}
		if sent {
			beaten = time.Now()
		}
		if !more {
			select {
			case <-look.C:
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// may tells whether the caller is still there and may still look.
func (t *streaming) may() bool {
	c, err := t.server.Callers.Of(t.w, t.r)
	return err == nil && c.User == t.user && c.May(viewEvents)
}

// advance sends the next events, and tells whether there were any and whether
// there may be more.
func (t *streaming) advance(ctx context.Context) (sent, more bool, err error) {
	// What is behind this position may be missing in the index; what is not, is
	// in it.
	end := t.server.Tail.Applied()
	if end.Compare(t.at) <= 0 {
		return false, false, nil
	}
	page, err := t.server.following(ctx, t.filter, t.at, streamPage)
	if err != nil {
		return false, false, err
	}
	for _, e := range page {
		if err := t.event(e); err != nil {
			return false, false, err
		}
		t.at = e.Position
		if t.block.Len() >= streamBlock {
			if err := t.flush(ctx); err != nil {
				return false, false, err
			}
		}
	}
	more = len(page) == streamPage
	if !more && end.Compare(t.at) > 0 {
		t.at = end
	}
	return len(page) > 0, more, t.flush(ctx)
}

// event writes an event into the block. Each stream writes each event, so the
// header and the payload, which are JSON already, are not taken apart and put
// together once more; on one line they have to be.
func (t *streaming) event(e eventstore.Recorded) error {
	shown := EventOf(e)
	header, payload := oneLine(shown.Header), oneLine(shown.Payload)
	shown.Header, shown.Payload = nil, nil
	envelope, err := json.Marshal(shown)
	if err != nil {
		return fmt.Errorf("write event %s: %w", e.ID, err)
	}
	fmt.Fprintf(&t.block, "id: %s\nevent: %s\ndata: ", e.Position, e.Type)
	before, after, _ := bytes.Cut(envelope, []byte(`"header":null,"payload":null`))
	for _, part := range [][]byte{before, []byte(`"header":`), header, []byte(`,"payload":`), payload, after, []byte("\n\n")} {
		t.block.Write(part)
	}
	return nil
}

// oneLine is JSON without the ends of lines, which mean nothing in it.
func oneLine(text []byte) []byte {
	if len(text) == 0 {
		return []byte("null")
	}
	if !bytes.ContainsAny(text, "\r\n") {
		return text
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\n"), []byte(" ")), []byte("\r"), []byte(" "))
}

// flush sends the block. A client that does not take it in time is cut off:
// it knows the last id that it has.
func (t *streaming) flush(ctx context.Context) error {
	if t.block.Len() == 0 {
		return nil
	}
	stall := cmp.Or(t.server.pace.stall, streamStall)
	if err := t.rc.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return fmt.Errorf("follow the ledger: %w", err)
	}
	// Whoever ends the stream shortens the time of a write that began before.
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := t.block.WriteTo(t.w)
	if err == nil {
		err = t.rc.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
