package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// readContext reads a map from a file that somebody made, in JSON or YAML. The
// name - means the standard input, and no name an empty map.
func (c *call) readContext(file string) (map[string]any, error) {
	var text []byte
	var err error
	switch file {
	case "":
		return map[string]any{}, nil
	case "-":
		text, err = io.ReadAll(io.LimitReader(c.stdin, maxBlueprint))
	default:
		text, err = readBlueprint(file)
	}
	if err != nil {
		return nil, err
	}
	with := map[string]any{}
	if yamlErr := yaml.Unmarshal(text, &with); yamlErr != nil { // JSON with tabs is no YAML
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(&with) != nil {
			return nil, fmt.Errorf("%s: the context has to be a map in JSON or YAML: %w", file, yamlErr)
		}
	}
	return with, nil
}
