package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A fieldChange is one field of a configured thing as it was and as it is.
type fieldChange struct {
	Name     string
	How      string // set, changed or taken away
	Old, New string
	Lines    []diffLine // in place of both where the texts are long
	Secret   bool       // nobody sees either value
	Sealed   bool       // it describes a person
}

// longText is from how many bytes on a value is compared line by line.
const longText = 100

// fieldChanges sets the fields before and after a change side by side, by
// name. Fields that stayed are left out.
func fieldChanges(c ChangeContent) (out []fieldChange) {
	names := map[string]bool{}
	for _, fields := range []map[string]any{c.Before, c.After} {
		for name := range fields {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := c.Before[name]
		is, has := c.After[name]
		f := fieldChange{Name: name, How: how(had, has), Old: valueText(was), New: valueText(is)}
		if had && has && f.Old == f.New {
			continue
		}
		if slices.ContainsFunc([]string{f.Old, f.New}, func(text string) bool { return len(text) > longText || strings.Contains(text, "\n") }) {
			f.Lines = diff(f.Old, f.New)
		}
		out = append(out, f)
	}
	for _, name := range slices.Sorted(slices.Values(c.Secrets)) {
		out = append(out, fieldChange{Name: name, How: "set", Secret: true})
	}
	for _, name := range slices.Sorted(slices.Values(c.Sealed)) {
		out = append(out, fieldChange{Name: name, How: "changed", Sealed: true})
	}
	return out
}

func how(had, has bool) string {
	switch {
	case had && has:
		return "changed"
	case has:
		return "set"
	default:
		return "taken away"
	}
}

// valueText is a value as people read it: texts as they are, all else as JSON,
// in lines where it is long.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err == nil && len(text) > longText {
		text, err = json.MarshalIndent(v, "", "  ")
	}
	if err != nil {
		return fmt.Sprint(v) // what came from JSON goes back into it
	}
	return string(text)
}
