package esdb

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// envelope is what an event holds beside its payload. The parts are base64,
// for they must come back byte for byte.
type envelope struct {
	Schema int    `json:"schema"`
	Header []byte `json:"header"`
	Sealed []byte `json:"sealed,omitempty"`
	Salt   []byte `json:"salt"`
	// RecordedAt is the time of an event from another ledger. Others have
	// the server's.
	RecordedAt string `json:"recorded_at,omitempty"`
}

// encode returns e as the engine keeps it.
func encode(e *eventstore.NewEvent, recordedAt string) (esdb.EventData, error) {
	beside, err := json.Marshal(envelope{Schema: e.Schema, Header: e.Header, Sealed: e.Sealed, Salt: e.Salt[:], RecordedAt: recordedAt})
	if err != nil {
		return esdb.EventData{}, err
	}
	data := esdb.EventData{EventID: e.ID, EventType: e.Type, Data: e.Payload, Metadata: beside}
	if json.Valid(e.Payload) {
		data.ContentType = esdb.ContentTypeJson
	}
	return data, nil
}

// sizeOf returns what e counts towards [MaxAppend], or a little more.
func sizeOf(e *eventstore.NewEvent) int {
	const keys = 160 // keys, salt and numbers of the metadata
	return len(e.Payload) + base64.StdEncoding.EncodedLen(len(e.Header)) + base64.StdEncoding.EncodedLen(len(e.Sealed)) + 2*len(e.Type) + keys
}

// decode returns an event of the engine as one of the ledger.
func decode(e *esdb.RecordedEvent) (eventstore.Recorded, error) {
	var beside envelope
	if err := json.Unmarshal(e.UserMetadata, &beside); err != nil || len(beside.Salt) != 16 {
		return eventstore.Recorded{}, fmt.Errorf("revision %d of %s is no event of this ledger", e.EventNumber, e.StreamID)
	}
	at := e.CreatedDate
	if beside.RecordedAt != "" {
		var err error
		if at, err = time.Parse(time.RFC3339Nano, beside.RecordedAt); err != nil {
			return eventstore.Recorded{}, fmt.Errorf("revision %d of %s: %w", e.EventNumber, e.StreamID, err)
		}
	}
	return eventstore.Recorded{
		NewEvent: eventstore.NewEvent{
			ID: e.EventID, Type: e.EventType, Schema: beside.Schema,
			Header: beside.Header, Payload: e.Data, Sealed: beside.Sealed, Salt: [16]byte(beside.Salt),
		},
		Stream:     eventstore.StreamID(e.StreamID),
		Revision:   eventstore.Revision(e.EventNumber),
		Position:   eventstore.PositionOf(e.Position.Commit),
		RecordedAt: at.UTC().Truncate(time.Microsecond),
	}, nil
}
