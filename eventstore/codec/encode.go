package codec

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// networkKey is where the network of an append stands in its sealed part.
const networkKey = "network"

// An owner is whose key seals a part.
type owner struct {
	class   domain.Sealed
	subject string
	epoch   string
}

// A draft is a part that awaits its key.
type draft struct {
	owner owner
	text  []byte
}

// Encode makes events ready for stream. The keys that they are sealed with are
// durable when it returns.
func (c *Codec) Encode(
	ctx context.Context, stream eventstore.StreamID, meta Meta, events ...Event,
) ([]eventstore.NewEvent, error) {
	meta.Tenant, meta.Writer, meta.Net = c.Tenant, c.Writer, ""
	network, err := networkText(meta.Network)
	if err != nil {
		return nil, fmt.Errorf("encode for %s: %w", stream, err)
	}
	encoded := make([]eventstore.NewEvent, len(events))
	drafts := make([][]draft, len(events))
	for i, event := range events {
		if encoded[i], drafts[i], err = c.draft(&meta, i, event, network); err != nil {
			return nil, fmt.Errorf("encode %s for %s: %w", event.EventType(), stream, err)
		}
		if network != nil {
			network, meta.Net = nil, encoded[0].ID.String()
		}
	}
	keys, err := c.dataKeys(ctx, drafts)
	if err != nil {
		return nil, fmt.Errorf("encode for %s: %w", stream, err)
	}
	for i := range encoded {
		if err := sealAll(&encoded[i], stream, drafts[i], keys); err != nil {
			return nil, fmt.Errorf("encode %s for %s: %w", encoded[i].Type, stream, err)
		}
	}
	return encoded, nil
}

// networkText returns the text to seal for an append's network, nil if there
// is nothing in it.
func networkText(network any) ([]byte, error) {
	text, err := json.Marshal(network)
	if err != nil || string(text) == "null" || string(text) == "{}" {
		return nil, err
	}
	return slices.Concat([]byte(`{"`+networkKey+`":`), text, []byte("}")), nil
}

// draft does all for one event that needs no key.
func (c *Codec) draft(
	meta *Meta, index int, event Event, network []byte,
) (e eventstore.NewEvent, drafts []draft, err error) {
	typ := typeOf(event)
	if typ == nil {
		return e, nil, &UnknownTypeError{Type: event.EventType()}
	}
	e.Type, e.Schema = typ.name, typ.schema
	rand.Read(e.Salt[:])
	if e.ID, err = meta.id(index, event); err != nil {
		return e, nil, err
	}
	if e.Header, err = json.Marshal(meta.Header); err != nil {
		return e, nil, err
	}
	value := reflect.ValueOf(event)
	leak := func(key string) {
		if c.Leak != nil {
			c.Leak(typ.name, key)
		}
	}
	if e.Payload, err = typ.payload.marshal(value, leak); err != nil {
		return e, nil, err
	}
	for _, class := range classes {
		text, err := typ.textOf(class, value, network)
		if err != nil {
			return e, nil, fmt.Errorf("class %c: %w", class, err)
		}
		if text == nil {
			continue
		}
		of, err := meta.ownerOf(class, event)
		if err != nil {
			return e, nil, fmt.Errorf("class %c: %w", class, err)
		}
		drafts = append(drafts, draft{of, text})
	}
	return e, drafts, nil
}

// textOf returns the JSON object to seal under class, nil if it is empty.
func (t *eventType) textOf(class domain.Sealed, event reflect.Value, network []byte) ([]byte, error) {
	var text []byte
	if shape := t.sealed[class]; shape != nil {
		var err error
		if text, err = shape.marshal(event, nil); err != nil {
			return nil, err
		}
	}
	if len(text) <= len("{}") {
		text = nil
	}
	switch {
	case class != domain.Network || network == nil:
		return text, nil
	case text == nil:
		return network, nil
	default: // one object of both
		return slices.Concat(network[:len(network)-1], []byte(","), text[1:]), nil
	}
}

// id returns the id of the event at index: its own, if others refer to it
// already, or by chance, or from the command, so that encoding it again gives
// the same.
func (m *Meta) id(index int, event Event) (uuid.UUID, error) {
	if e, ok := event.(interface{ EventID() string }); ok && e.EventID() != "" {
		return uuid.Parse(e.EventID())
	}
	if m.Command == uuid.Nil {
		return uuid.NewV7()
	}
	return uuid.NewSHA1(m.Command, []byte(strconv.Itoa(index))), nil
}

// ownerOf says whose key seals a class of event (spec/events.md 6.1, 6.2).
func (m *Meta) ownerOf(class domain.Sealed, event Event) (owner, error) {
	of := owner{class: class, subject: m.Subject}
	if e, ok := event.(interface{ SealSubject() string }); ok && class != domain.Network {
		of.subject = e.SealSubject()
	}
	if class == domain.Network && m.Client != "" {
		of.subject = m.Client
	}
	switch class {
	case domain.Trace, domain.Network:
		if m.Time.IsZero() {
			return of, errors.New("the time is missing")
		}
		of.epoch = m.Time.UTC().Format("2006-01")
	case domain.Credential:
		if e, ok := event.(interface{ Credential() string }); ok {
			of.subject = "credential:" + e.Credential()
		}
	case domain.Transient:
		of.subject = ""
		if e, ok := event.(interface{ SealTransient() string }); ok {
			of.subject = e.SealTransient()
		} else if m.Execution != "" {
			of.subject = "execution:" + m.Execution
		}
	}
	if of.subject == "" {
		return of, errors.New("the subject is missing")
	}
	return of, nil
}

// secretsOf returns the ids of the secrets that a data key is made of: the
// subject's and, if there is an epoch, the epoch's.
func (o owner) secretsOf() []string {
	ids := []string{string(rune(o.class)) + "/" + o.subject}
	if o.epoch != "" {
		ids = append(ids, string(rune(o.class))+"/"+o.epoch)
	}
	return ids
}

// dataKeys makes the keys of all drafts, with one call of the vault.
func (c *Codec) dataKeys(ctx context.Context, drafts [][]draft) (map[owner][]byte, error) {
	var owners []owner
	var ids []string
	for _, d := range slices.Concat(drafts...) {
		if slices.Contains(owners, d.owner) {
			continue
		}
		owners = append(owners, d.owner)
		for _, id := range d.owner.secretsOf() {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(owners) == 0 {
		return nil, nil
	}
	secrets, err := c.Vault.Make(ctx, ids...)
	if err != nil {
		return nil, err
	}
	keys := make(map[owner][]byte, len(owners))
	for _, of := range owners {
		var halves [2][]byte
		for i, id := range of.secretsOf() {
			halves[i] = secrets[slices.Index(ids, id)]
		}
		if keys[of], err = dataKey(halves[0], halves[1], c.Tenant, of.class); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func sealAll(e *eventstore.NewEvent, stream eventstore.StreamID, drafts []draft, keys map[owner][]byte) error {
	if len(drafts) == 0 {
		return nil
	}
	e.Sealed = []byte{byte(len(drafts))}
	for number, d := range drafts {
		p := part{class: d.owner.class, subject: d.owner.subject, epoch: d.owner.epoch}
		rand.Read(p.nonce[:])
		at := place{e.ID, stream, e.Type, e.Schema, number}
		if err := p.seal(at, keys[d.owner], d.text); err != nil {
			return err
		}
		e.Sealed = p.append(e.Sealed)
	}
	return nil
}
