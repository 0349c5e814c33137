package eventstoretest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

func testLimits(t *testing.T, s suite) {
	store := s.open(t)
	long := eventstore.StreamID("a-" + strings.Repeat("x", eventstore.MaxStream-2))
	allowed := func(change func(*eventstore.NewEvent)) []eventstore.NewEvent {
		e := event("x")
		change(&e)
		return []eventstore.NewEvent{event("before"), e}
	}
	none := func(*eventstore.NewEvent) {}
	for name, test := range map[string]struct {
		stream eventstore.StreamID
		events []eventstore.NewEvent
		limit  int // 0: refused for another reason
		size   int // 0: allowed
	}{
		"name, allowed":    {long, allowed(none), eventstore.MaxStream, 0},
		"name, too long":   {long + "x", allowed(none), eventstore.MaxStream, eventstore.MaxStream + 1},
		"name, none":       {"", allowed(none), 0, 1},
		"events, too many": {"b-1", numbered(eventstore.MaxEvents + 1), eventstore.MaxEvents, eventstore.MaxEvents + 1},
		"type, allowed": {"b-2", allowed(func(e *eventstore.NewEvent) {
			e.Type = strings.Repeat("T", eventstore.MaxType)
		}), eventstore.MaxType, 0},
		"type, too long": {"b-3", allowed(func(e *eventstore.NewEvent) {
			e.Type = strings.Repeat("T", eventstore.MaxType+1)
		}), eventstore.MaxType, eventstore.MaxType + 1},
		"header, too long": {"b-4", allowed(func(e *eventstore.NewEvent) {
			e.Header = make([]byte, eventstore.MaxHeader+1)
		}), eventstore.MaxHeader, eventstore.MaxHeader + 1},
		"payload, too long": {"b-5", allowed(func(e *eventstore.NewEvent) {
			e.Payload = make([]byte, eventstore.MaxPayload+1)
		}), eventstore.MaxPayload, eventstore.MaxPayload + 1},
		"sealed, too long": {"b-6", allowed(func(e *eventstore.NewEvent) {
			e.Sealed = make([]byte, eventstore.MaxSealed+1)
		}), eventstore.MaxSealed, eventstore.MaxSealed + 1},
		"schema, too large": {"b-7", allowed(func(e *eventstore.NewEvent) { e.Schema = 65536 }), 65535, 65536},
		"schema, negative":  {"b-8", allowed(func(e *eventstore.NewEvent) { e.Schema = -1 }), 0, 1},
		"id, none":          {"b-9", allowed(func(e *eventstore.NewEvent) { e.ID = uuid.Nil }), 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Append(t.Context(), test.stream, eventstore.Any, test.events...)
			if test.size == 0 {
				if err != nil {
					t.Errorf("error %v, want none", err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			if got := readStream(t, store, test.stream); len(got) != 0 {
				t.Errorf("%d events were appended", len(got))
			}
			if test.limit == 0 {
				return
			}
			limit, ok := errors.AsType[*eventstore.LimitError](err)
			if !ok || limit.Limit != test.limit || limit.Size != test.size {
				t.Errorf("error %v, want a LimitError of %d over %d", err, test.size, test.limit)
			}
		})
	}
}
