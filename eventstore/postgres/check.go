package postgres

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/flowledger/flowledger/eventstore"
)

// check refuses what no ledger takes, and what PostgreSQL does not take for
// text, which would fail the neighbours, too.
func check(stream eventstore.StreamID, events []eventstore.NewEvent) error {
	if err := eventstore.Check(stream, events); err != nil {
		return err
	}
	if err := checkText(string(stream)); err != nil {
		return fmt.Errorf("append to %q: %w", stream, err)
	}
	for i := range events {
		if err := checkText(events[i].Type); err != nil {
			return fmt.Errorf("append to %s: type %q: %w", stream, events[i].Type, err)
		}
	}
	return nil
}

func checkText(s string) error {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return errors.New("the name is no text")
	}
	return nil
}
