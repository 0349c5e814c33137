package eventstore_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

func TestParsePosition(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "7": 7, "18446744073709551615": 1<<64 - 1} {
		got, err := eventstore.ParsePosition(text)
		if err != nil || got != eventstore.PositionOf(want) || got.String() != text {
			t.Errorf("ParsePosition(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "+1", "1x", " 1", "0x1", "18446744073709551616"} {
		if got, err := eventstore.ParsePosition(text); err == nil {
			t.Errorf("ParsePosition(%q) = %v, want an error", text, got)
		}
	}
}

// TestErrorTexts are short whatever was too long.
func TestErrorTexts(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, err := range []error{
		eventstore.Check(eventstore.StreamID(long), nil),
		eventstore.Check("a-1", []eventstore.NewEvent{{ID: uuid.New(), Type: long}}),
		eventstore.Check("a-1", []eventstore.NewEvent{{ID: uuid.New(), Type: "T", Payload: []byte(long)}}),
	} {
		if err == nil || len(err.Error()) > 300 {
			t.Errorf("error %.300v", err)
		}
	}
}
