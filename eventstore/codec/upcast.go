package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/flowledger/flowledger/domain"
)

// An Upcaster turns what one schema of an event stored into what the next
// would have. It cannot fail, asks nobody, and writes "unknown" where it
// cannot know.
type Upcaster func(*Shape)

// A Shape is an event as it was stored. Sealed has a map for every class,
// which is empty when the event has no such part or its key is destroyed.
// Numbers are [json.Number].
type Shape struct {
	Payload map[string]any
	Sealed  map[domain.Sealed]map[string]any
}

// upcast reads texts, the clear and the sealed JSON of an event of an older
// schema, and returns those of the newest.
func (t *eventType) upcast(schema int, texts map[domain.Sealed][]byte) (map[domain.Sealed][]byte, error) {
	old := &Shape{Sealed: map[domain.Sealed]map[string]any{}}
	var err error
	if old.Payload, err = objectOf(texts[unsealed]); err != nil {
		return nil, misshapen(unsealed, err)
	}
	for _, class := range classes {
		if old.Sealed[class], err = objectOf(texts[class]); err != nil {
			return nil, misshapen(class, err)
		}
	}
	for _, next := range t.upcasters[schema-1:] {
		next(old)
	}
	newest := map[domain.Sealed][]byte{}
	if newest[unsealed], err = json.Marshal(old.Payload); err != nil {
		return nil, err
	}
	for class, object := range old.Sealed {
		if len(object) == 0 {
			continue
		}
		if newest[class], err = json.Marshal(object); err != nil {
			return nil, err
		}
	}
	return newest, nil
}

func objectOf(text []byte) (map[string]any, error) {
	object := map[string]any{}
	if len(text) == 0 {
		return object, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("it is no object")
	}
	return object, nil
}

// build makes the event from its texts.
func (t *eventType) build(texts map[domain.Sealed][]byte) (Event, error) {
	event := reflect.New(t.goType).Elem()
	if err := t.payload.unmarshal(texts[unsealed], event); err != nil {
		return nil, misshapen(unsealed, err)
	}
	for class, shape := range t.sealed {
		if texts[class] == nil {
			continue
		}
		if err := shape.unmarshal(texts[class], event); err != nil {
			return nil, misshapen(class, err)
		}
	}
	return event.Interface().(Event), nil
}
