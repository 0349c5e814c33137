package blueprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseJSON is !ParseJSON.
func (r *resolver) parseJSON(t *tag) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(t.text))
	decoder.UseNumber()
	v, err := r.jsonValue(decoder, 0)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			return nil, faultf("Extra data: %s", placeIn(t.text, decoder.InputOffset()))
		}
		return v, nil
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return nil, f
	}
	// The value that cannot be read begins behind the last token.
	offset := decoder.InputOffset()
	rest := t.text[offset:]
	offset += int64(len(rest) - len(strings.TrimLeft(rest, " \t\r\n:,")))
	return nil, faultf("Expecting value: %s", placeIn(t.text, offset))
}

// placeIn names a place as Python's decoder does, with the character from 0.
func placeIn(text string, offset int64) string {
	before := text[:min(int(offset), len(text))]
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
	return fmt.Sprintf("line %d column %d (char %d)", line, column, len([]rune(before)))
}

// jsonValue reads one value and keeps the order of mappings, which a map of
// Go would lose.
func (r *resolver) jsonValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, overLimit("a JSON text is nested deeper than %d levels", maxDepth)
	}
	if err := r.spend(1); err != nil {
		return nil, err
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		if n, err := token.Int64(); err == nil {
			return n, nil
		}
		return token.Float64()
	case json.Delim:
		if token == '[' {
			return r.jsonList(decoder, depth)
		}
		return r.jsonMapping(decoder, depth)
	}
	return token, nil
}

func (r *resolver) jsonList(decoder *json.Decoder, depth int) (any, error) {
	list := []any{}
	for decoder.More() {
		v, err := r.jsonValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := decoder.Token()
	return list, err
}

func (r *resolver) jsonMapping(decoder *json.Decoder, depth int) (any, error) {
	m := newMapping()
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		v, err := r.jsonValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		text, _ := key.(string)
		m.set(text, v)
	}
	_, err := decoder.Token()
	return m, err
}
