package feed

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

// The metadata of a message. Sealed is in base64 and Salt in hex; Header is
// JSON as it stands in the ledger.
const (
	Type       = "type"
	Schema     = "schema"
	Stream     = "stream"
	Revision   = "revision"
	Position   = "position"
	RecordedAt = "recorded_at" // RFC 3339, UTC
	Header     = "header"
	Sealed     = "sealed"
	Salt       = "salt"
)

// newMessage makes a message of an event. It shares nothing with another of
// the same event, whatever a reader did to that before he nacked it.
func newMessage(e eventstore.Recorded) *message.Message {
	m := message.NewMessage(e.ID.String(), bytes.Clone(e.Payload))
	m.Metadata = message.Metadata{
		Type:       e.Type,
		Schema:     strconv.Itoa(e.Schema),
		Stream:     string(e.Stream),
		Revision:   strconv.FormatInt(int64(e.Revision), 10),
		Position:   e.Position.String(),
		RecordedAt: e.RecordedAt.Format(time.RFC3339Nano),
		Header:     string(e.Header),
		Sealed:     base64.StdEncoding.EncodeToString(e.Sealed),
		Salt:       hex.EncodeToString(e.Salt[:]),
	}
	return m
}

// Recorded returns the event that m was made of, also if m has been copied or
// sent through a broker. Its bytes are shared with m.
func Recorded(m *message.Message) (eventstore.Recorded, error) {
	e, err := recorded(m)
	if err != nil {
		return eventstore.Recorded{}, fmt.Errorf("read message %q: %w", m.UUID, err)
	}
	return e, nil
}

func recorded(m *message.Message) (e eventstore.Recorded, err error) {
	if e.ID, err = uuid.Parse(m.UUID); err != nil {
		return e, err
	}
	if e.Schema, err = strconv.Atoi(m.Metadata[Schema]); err != nil {
		return e, fmt.Errorf("schema: %w", err)
	}
	revision, err := strconv.ParseInt(m.Metadata[Revision], 10, 64)
	if err != nil {
		return e, fmt.Errorf("revision: %w", err)
	}
	if e.Position, err = eventstore.ParsePosition(m.Metadata[Position]); err != nil {
		return e, err
	}
	if e.RecordedAt, err = time.Parse(time.RFC3339Nano, m.Metadata[RecordedAt]); err != nil {
		return e, fmt.Errorf("recorded_at: %w", err)
	}
	if e.Sealed, err = base64.StdEncoding.DecodeString(m.Metadata[Sealed]); err != nil {
		return e, fmt.Errorf("sealed: %w", err)
	}
	salt, err := hex.DecodeString(m.Metadata[Salt])
	if err != nil || len(salt) != len(e.Salt) {
		return e, errors.New("salt: not 16 bytes in hex")
	}
	e.Salt = [16]byte(salt)
	e.Type, e.Stream = m.Metadata[Type], eventstore.StreamID(m.Metadata[Stream])
	e.Revision, e.RecordedAt = eventstore.Revision(revision), e.RecordedAt.UTC()
	e.Header, e.Payload = []byte(m.Metadata[Header]), m.Payload
	return e, nil
}
