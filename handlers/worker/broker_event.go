package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// cloudEventType is the media type of one event in structured mode.
const cloudEventType = "application/cloudevents+json; charset=utf-8"

// schemas is where the shapes of payloads are named. It need not be fetched.
const schemas = "https://github.com/flowledger/flowledger/events/"

// The metadata of a message that the bindings put where their brokers look.
const metaStream = "partitionkey"

// A cloudEvent is CloudEvents 1.0 in JSON, with the extensions of
// spec/events.md 9.3: sequence, partitioning, correlation, distributed tracing,
// auth context and dataref.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject"`
	Time            time.Time       `json:"time"`
	DataSchema      string          `json:"dataschema"`
	DataContentType string          `json:"datacontenttype,omitempty"`
	Sequence        string          `json:"sequence"`
	PartitionKey    string          `json:"partitionkey"`
	CorrelationID   string          `json:"correlationid,omitempty"`
	CausationID     string          `json:"causationid,omitempty"`
	TraceParent     string          `json:"traceparent,omitempty"`
	AuthType        string          `json:"authtype,omitempty"`
	AuthID          string          `json:"authid,omitempty"`
	DataRef         string          `json:"dataref,omitempty"`
	Data            json.RawMessage `json:"data,omitempty"`
}

// parcel makes the messages of an event.
func (b *Broker) parcel(ctx context.Context, e eventstore.Recorded) (parcel, error) {
	source, err := b.ledger(ctx)
	if err != nil {
		return parcel{}, err
	}
	var header codec.Header
	if err := json.Unmarshal(e.Header, &header); err != nil {
		return parcel{}, fmt.Errorf("read the header of event %s: %w", e.ID, err)
	}
	ce := envelope(e, header)
	ce.Source, ce.Data, ce.DataContentType = source, e.Payload, "application/json"
	if b.Personal {
		// Traces stay in: people type passwords where they are asked for names.
		if ce.Data, err = b.Codec.Reveal(ctx, e, domain.Profile, domain.Network); err != nil {
			return parcel{}, err
		}
	}
	p := parcel{at: e.Position, category: e.Stream.Category()}
	if p.message, err = ce.message(); err != nil {
		return parcel{}, err
	}
	ce.Data, ce.DataContentType = nil, ""
	where := url.Values{"stream": {string(e.Stream)}, "type": {e.Type}, "since": {e.RecordedAt.Format(time.RFC3339Nano)}}
	ce.DataRef = "/api/v3/ledger/events/?" + where.Encode()
	p.short, err = ce.message()
	return p, err
}

// ledger names the ledger, after its first event: every node finds the same
// name, and a copy of the ledger keeps it.
func (b *Broker) ledger(ctx context.Context) (string, error) {
	if b.source != "" {
		return b.source, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for first, err := range b.Store.ReadAll(ctx, Position{}) {
		if err != nil {
			return "", fmt.Errorf("read the first event: %w", err)
		}
		b.source = "/ledgers/" + first.ID.String()
		break
	}
	return b.source, nil
}

// envelope is all but source and data. Of the header only pseudonymous ids go
// out.
func envelope(e eventstore.Recorded, header codec.Header) cloudEvent {
	at := e.RecordedAt
	if !header.OccurredAt.IsZero() {
		at = header.OccurredAt
	}
	return cloudEvent{
		SpecVersion: "1.0", ID: e.ID.String(), Type: "io.flowledger." + e.Type, Subject: string(e.Stream), Time: at.UTC(),
		DataSchema:   fmt.Sprintf("%s%s/%d", schemas, e.Type, e.Schema),
		Sequence:     fmt.Sprintf("%020d", e.Position.Value()),
		PartitionKey: string(e.Stream), CorrelationID: word(header.Correlation), CausationID: word(header.Causation),
		TraceParent: word(header.Trace), AuthType: authTypes[header.Actor.Kind], AuthID: word(header.Actor.ID),
	}
}

// authTypes are the kinds of actors in the words of the auth context extension.
var authTypes = map[string]string{
	"anonymous": "unauthenticated", "user": "app_user", "admin": "app_user", "service": "service_account", "outpost": "service_account",
	"policy": "system", "blueprint": "system", "system": "system",
}

// word returns text that can be an attribute: a client's correlation id could
// be anything.
func word(text string) string {
	if len(text) > 200 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return text
}

// message writes the event in structured mode.
func (ce *cloudEvent) message() (*message.Message, error) {
	payload, err := json.Marshal(ce)
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", ce.ID, err)
	}
	m := message.NewMessage(ce.ID, payload)
	m.Metadata.Set(metaStream, ce.PartitionKey)
	return m, nil
}
