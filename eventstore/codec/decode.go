package codec

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// Decode makes the event that r stores. Fields whose key is destroyed are
// zero, and [Decoded.Forgotten] says so: that is no error. Of a type that is
// not registered, there is an [*UnknownTypeError]. No error quotes what was
// sealed.
func (c *Codec) Decode(ctx context.Context, r eventstore.Recorded) (Decoded, error) {
	d, texts, err := begin(r)
	if err != nil {
		return Decoded{}, err
	}
	if err := c.open(ctx, &d, texts); err != nil {
		return Decoded{}, fmt.Errorf("decode %s %d of %s: %w", r.Type, r.Revision, r.Stream, err)
	}
	return finish(d, texts)
}

// DecodeClear does without the sealed parts: their fields are zero. It needs
// no key and costs a fraction of [Codec.Decode].
func (c *Codec) DecodeClear(r eventstore.Recorded) (Decoded, error) {
	d, texts, err := begin(r)
	if err != nil {
		return Decoded{}, err
	}
	return finish(d, texts)
}

func begin(r eventstore.Recorded) (Decoded, map[domain.Sealed][]byte, error) {
	d := Decoded{Recorded: r}
	if !Known(r.Type, r.Schema) {
		return d, nil, &UnknownTypeError{Type: r.Type, Schema: r.Schema}
	}
	if err := json.Unmarshal(r.Header, &d.Header); err != nil {
		return d, nil, fmt.Errorf("decode %s %d of %s: header: %w", r.Type, r.Revision, r.Stream, err)
	}
	return d, map[domain.Sealed][]byte{unsealed: r.Payload}, nil
}

// finish builds the event from its texts.
func finish(d Decoded, texts map[domain.Sealed][]byte) (Decoded, error) {
	typ := lookup(d.Type, d.Schema)
	var err error
	if d.Schema < typ.schema {
		texts, err = typ.upcast(d.Schema, texts)
	}
	if err == nil {
		d.Event, err = typ.build(texts)
	}
	if err != nil {
		return Decoded{}, fmt.Errorf("decode %s %d of %s: %w", d.Type, d.Revision, d.Stream, err)
	}
	return d, nil
}

// misshapen explains err, of the JSON package. Where the text was sealed it
// leaves err out, which may quote it.
func misshapen(class domain.Sealed, err error) error {
	if class == unsealed {
		return fmt.Errorf("payload: %w", err)
	}
	return fmt.Errorf("sealed class %c: %w", class, errMalformed)
}

// open opens the sealed parts of d into texts, as far as their keys exist.
func (c *Codec) open(ctx context.Context, d *Decoded, texts map[domain.Sealed][]byte) error {
	parts, err := parseParts(d.Sealed)
	if err != nil {
		return err
	}
	for number := range parts {
		p := &parts[number]
		if texts[p.class] != nil {
			return fmt.Errorf("sealed part %d: %w", number, errMalformed)
		}
		key, since, err := c.keyOf(ctx, owner{p.class, p.subject, p.epoch})
		if err != nil {
			return fmt.Errorf("sealed part %d: %w", number, err)
		}
		if key == nil {
			d.Forgotten = append(d.Forgotten, Forgotten{Class: p.class, Since: since})
			continue
		}
		text, err := p.open(place{d.ID, d.Stream, d.Type, d.Schema, number}, key)
		if err != nil {
			return fmt.Errorf("sealed part %d: %w", number, err)
		}
		texts[p.class] = text
		if p.class == domain.Network {
			if d.Network, err = networkOf(text); err != nil {
				return misshapen(p.class, err)
			}
		}
	}
	return nil
}

// keyOf makes the data key again, or returns nil and since when there is none.
func (c *Codec) keyOf(ctx context.Context, of owner) (key []byte, since time.Time, err error) {
	var halves [2][]byte
	for i, id := range of.secretsOf() {
		if halves[i], since, err = c.Vault.Key(ctx, id); err != nil || halves[i] == nil {
			return nil, since, err
		}
	}
	key, err = dataKey(halves[0], halves[1], c.Tenant, of.class)
	return key, time.Time{}, err
}

func networkOf(text []byte) (json.RawMessage, error) {
	var part struct {
		Network json.RawMessage `json:"network"`
	}
	err := json.Unmarshal(text, &part)
	return part.Network, err
}
