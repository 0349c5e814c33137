package codec

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// Reveal returns the payload of r as it was recorded, and in it the fields
// that are sealed under these classes. What is forgotten is not there. It
// never opens a part of another class.
func (c *Codec) Reveal(ctx context.Context, r eventstore.Recorded, classes ...domain.Sealed) (json.RawMessage, error) {
	parts, err := parseParts(r.Sealed)
	if err != nil {
		return nil, fmt.Errorf("reveal %s %d of %s: %w", r.Type, r.Revision, r.Stream, err)
	}
	var fields map[string]json.RawMessage
	for number := range parts {
		p := &parts[number]
		if !slices.Contains(classes, p.class) {
			continue
		}
		if fields == nil {
			if err := json.Unmarshal(r.Payload, &fields); err != nil {
				return nil, fmt.Errorf("reveal %s %d of %s: %w", r.Type, r.Revision, r.Stream, misshapen(unsealed, err))
			}
		}
		if err := c.revealPart(ctx, r, number, p, &fields); err != nil {
			return nil, fmt.Errorf("reveal %s %d of %s: sealed part %d: %w", r.Type, r.Revision, r.Stream, number, err)
		}
	}
	if fields == nil {
		return r.Payload, nil
	}
	return json.Marshal(fields)
}

// revealPart adds the fields of one sealed part, as far as its key exists.
func (c *Codec) revealPart(ctx context.Context, r eventstore.Recorded, number int, p *part, fields *map[string]json.RawMessage) error {
	key, _, err := c.keyOf(ctx, owner{p.class, p.subject, p.epoch})
	if err != nil || key == nil {
		return err
	}
	text, err := p.open(place{r.ID, r.Stream, r.Type, r.Schema, number}, key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, fields); err != nil {
		return misshapen(p.class, err)
	}
	return nil
}
