package eventstore

import (
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"
)

// Check returns the error with which a store refuses an append whatever the
// stream holds: a [*LimitError] for what is too large, another error for a
// stream or an event that cannot be told apart from others. Stores call it
// before anything else.
func Check(stream StreamID, events []NewEvent) error {
	if stream == "" {
		return errors.New("append to a stream without a name")
	}
	if err := within(stream, "stream name", len(stream), MaxStream); err != nil {
		return err
	}
	if err := within(stream, "number of events", len(events), MaxEvents); err != nil {
		return err
	}
	for i := range events {
		if err := checkEvent(stream, &events[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkEvent(stream StreamID, e *NewEvent) error {
	// The name of the type goes into the texts below, so it is judged first.
	if err := within(stream, "type", len(e.Type), MaxType); err != nil {
		return err
	}
	if e.ID == uuid.Nil {
		return fmt.Errorf("append to %s: %s has no id", stream, e.Type)
	}
	for _, part := range []struct {
		name        string
		size, limit int
	}{
		{"header", len(e.Header), MaxHeader},
		{"payload", len(e.Payload), MaxPayload},
		{"sealed", len(e.Sealed), MaxSealed},
		{"schema", e.Schema, math.MaxUint16}, // two bytes in a Merkle leaf, spec/events.md 7.1
	} {
		if part.size > part.limit {
			return within(stream, part.name+" of "+e.Type, part.size, part.limit)
		}
	}
	if e.Schema < 0 {
		return fmt.Errorf("append to %s: schema of %s is %d", stream, e.Type, e.Schema)
	}
	return nil
}

func within(stream StreamID, what string, size, limit int) error {
	if size <= limit {
		return nil
	}
	if len(stream) > MaxStream {
		stream = stream[:MaxStream] // an error text has limits, too
	}
	return &LimitError{Stream: stream, What: what, Size: size, Limit: limit}
}
