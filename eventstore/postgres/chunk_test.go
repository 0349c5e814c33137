package postgres

import (
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// TestChunkBytes holds that large events make short chunks.
func TestChunkBytes(t *testing.T) {
	s, err := Open(t.Context(), postgrestest.Start(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const fit = chunkBytes / eventstore.MaxSealed
	for range 2 * fit {
		e := eventstore.NewEvent{ID: uuid.Must(uuid.NewV7()), Type: "X", Sealed: make([]byte, eventstore.MaxSealed)}
		if _, err := s.Append(t.Context(), "a-1", eventstore.Any, e); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.ledgerChunk(t.Context(), eventstore.Position{}, 2*fit)
	if err != nil || len(all) != fit {
		t.Errorf("a chunk of the ledger has %d events, error %v, want %d", len(all), err, fit)
	}
	stream, more, err := s.chunk(t.Context(), chunkRows, streamChunk, "a-1", 0, chunkRows, chunkBytes)
	if err != nil || len(stream) != fit || !more {
		t.Errorf("a chunk of the stream has %d events, more %v, error %v, want %d and more", len(stream), more, err, fit)
	}
}
