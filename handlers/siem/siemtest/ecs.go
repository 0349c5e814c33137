package siemtest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A field is one of ECS: its type, whether it is a list, and its values if they
// are given.
type field struct {
	typ     string
	list    bool
	allowed []string
}

var (
	ecsFields   = fieldsOf("testdata/ecs-fields.csv")
	ecsExpected = expectedOf("testdata/ecs-expected.csv")
)

// rows reads a table of this package, without its header.
func rows(name string) [][]string {
	text, err := data.ReadFile(name)
	if err == nil {
		var all [][]string
		if all, err = csv.NewReader(bytes.NewReader(text)).ReadAll(); err == nil && len(all) > 1 {
			return all[1:]
		}
	}
	panic(fmt.Sprintf("siemtest: %s: %v", name, err))
}

func fieldsOf(name string) map[string]field {
	out := map[string]field{}
	for _, r := range rows(name) {
		f := field{typ: r[1], list: r[2] != ""}
		if r[3] != "" {
			f.allowed = strings.Split(r[3], "|")
		}
		out[r[0]] = f
	}
	return out
}

func expectedOf(name string) map[string][]string {
	out := map[string][]string{}
	for _, r := range rows(name) {
		out[r[0]] = strings.Split(r[1], "|")
	}
	return out
}

// ECS tells what is wrong with one record: fields that ECS does not have, their
// types, values that are not allowed, and types of events that its categories
// do not expect.
func ECS(line []byte) (complaints []string) {
	in := json.NewDecoder(bytes.NewReader(line))
	in.UseNumber()
	var record map[string]any
	if err := in.Decode(&record); err != nil {
		return []string{"no JSON object: " + err.Error()}
	}
	for _, name := range []string{"@timestamp", "ecs", "event"} {
		if record[name] == nil {
			complaints = append(complaints, name+" is required")
		}
	}
	complaints = append(complaints, ecsObject("", record)...)
	return append(complaints, ecsKinds(record)...)
}

func ecsObject(at string, value map[string]any) (complaints []string) {
	for name, v := range value {
		here := strings.TrimPrefix(at+"."+name, ".")
		if f, ok := ecsFields[here]; ok {
			if wrong := f.wrong(v); wrong != "" {
				complaints = append(complaints, here+": "+wrong)
			}
			continue
		}
		inner, ok := v.(map[string]any)
		if !ok || !prefixes(here) {
			complaints = append(complaints, here+": there is no such field")
			continue
		}
		if len(inner) == 0 {
			complaints = append(complaints, here+": it is empty")
		}
		complaints = append(complaints, ecsObject(here, inner)...)
	}
	return complaints
}

// prefixes tells whether fields are nested below a name.
func prefixes(name string) bool {
	for field := range ecsFields {
		if strings.HasPrefix(field, name+".") {
			return true
		}
	}
	return false
}

func (f field) wrong(v any) string {
	if !f.list {
		return f.wrongOne(v)
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return "it should be a list of something"
	}
	for _, one := range list {
		if wrong := f.wrongOne(one); wrong != "" {
			return wrong
		}
	}
	return ""
}

func (f field) wrongOne(v any) string {
	switch f.typ {
	case "long", "float":
		if _, ok := v.(json.Number); !ok {
			return "it should be a number"
		}
		return ""
	case "object":
		return wrongLabels(v)
	case "geo_point":
		if p, ok := v.(map[string]any); !ok || len(p) != 2 || p["lat"] == nil || p["lon"] == nil {
			return "it should have lat and lon"
		}
		return ""
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return "it should be a text"
	}
	if f.allowed != nil && !slices.Contains(f.allowed, s) {
		return s + " is not allowed"
	}
	switch f.typ {
	case "ip":
		if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
			return "it is no address"
		}
	case "date":
		if _, err := time.Parse(time.RFC3339Nano, s); err != nil {
			return "it is no time"
		}
	}
	return ""
}

// wrongLabels checks labels: texts, none nested, no dots in their names.
func wrongLabels(v any) string {
	labels, ok := v.(map[string]any)
	if !ok {
		return "it should be an object"
	}
	for name, v := range labels {
		if s, ok := v.(string); !ok || s == "" || strings.Contains(name, ".") {
			return "label " + name + " should be a text without a dot in its name"
		}
	}
	return ""
}

// ecsKinds checks that each type of the event is expected by one of its
// categories.
func ecsKinds(record map[string]any) (complaints []string) {
	event, _ := record["event"].(map[string]any)
	var expected []string
	categories, _ := event["category"].([]any)
	for _, c := range categories {
		expected = append(expected, ecsExpected[text(c)]...)
	}
	types, _ := event["type"].([]any)
	for _, t := range types {
		if !slices.Contains(expected, text(t)) {
			complaints = append(complaints, fmt.Sprintf("event.type %v is not expected in %v", t, categories))
		}
	}
	if len(types) == 0 || len(categories) == 0 {
		complaints = append(complaints, "event.category and event.type are required")
	}
	return complaints
}
