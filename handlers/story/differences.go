package story

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// How a part of a state differs from what it was.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// A Difference is a part of a state that is another than before.
type Difference struct {
	Path string `json:"path"` // such as context.prompt_data.email
	How  string `json:"how"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// maxValue limits how much of a value is shown, in characters.
const maxValue = 200

// Differences lists what is different between two states, by its path.
func Differences(before, after Snapshot) []Difference {
	old, now := before.values(), after.values()
	out := []Difference{}
	for _, path := range slices.SortedFunc(maps.Keys(merged(old, now)), byWeight) {
		a, had := old[path]
		b, has := now[path]
		switch {
		case !had:
			out = append(out, Difference{Path: path, How: Added, New: cut(b)})
		case !has:
			out = append(out, Difference{Path: path, How: Removed, Old: cut(a)})
		case a != b:
			out = append(out, Difference{Path: path, How: Changed, Old: cut(a), New: cut(b)})
		}
	}
	return out
}

// byWeight puts what says most first: where the execution stands, then its
// plan, then what it knows.
func byWeight(a, b string) int {
	weight := func(path string) int {
		switch top, _, _ := strings.Cut(path, "."); top {
		case "status":
			return 0
		case "plan":
			return 2
		case "context":
			return 3
		}
		return 1
	}
	return cmp.Or(cmp.Compare(weight(a), weight(b)), cmp.Compare(a, b))
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// values are all parts of a state by their paths, as text. What is empty is
// not there.
func (s Snapshot) values() map[string]string {
	out := map[string]string{}
	set := func(path, value string) {
		if value != "" {
			out[path] = value
		}
	}
	set("status", string(s.Status))
	set("user", s.User)
	set("current stage", s.Current)
	set("challenge", s.Asked)
	if s.Restarts > 0 {
		set("restarts", strconv.Itoa(s.Restarts))
	}
	if s.Attempts > 0 {
		set("wrong answers", strconv.Itoa(s.Attempts))
	}
	for i, f := range s.Factors {
		set("factors."+strconv.Itoa(i), f.Method)
	}
	for i, st := range s.Stages {
		set(fmt.Sprintf("plan.%d %s", i+1, st.Stage.Name), words[st.State])
	}
	for _, v := range s.Values() {
		set("context."+v.Name, v.Text)
	}
	return out
}

// words are what became of stages, as people say it.
var words = map[string]string{
	Done: "done", Current: "current", ToCome: "to come", Skipped: "skipped", LeftOut: "left out of the plan",
	Stopped: "ended here", Unreached: "not reached",
}

// Word is what became of a stage, as people say it.
func (s Stage) Word() string { return words[s.State] }

// Values are the leaves of the context by their paths, in order.
func (s Snapshot) Values() []Value {
	text, err := json.Marshal(s.Context)
	var all map[string]any
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return []Value{{"?", "The context cannot be shown: " + err.Error()}}
	}
	return leaves(nil, "", all)
}

func leaves(out []Value, path string, v any) []Value {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 && path != "" {
			return append(out, Value{path, "{}"})
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = leaves(out, below(path, key), v[key])
		}
		return out
	case []any:
		if len(v) == 0 {
			return append(out, Value{path, "[]"})
		}
		for i, item := range v {
			out = leaves(out, below(path, strconv.Itoa(i)), item)
		}
		return out
	case string:
		return append(out, Value{path, v})
	case float64:
		return append(out, Value{path, strconv.FormatFloat(v, 'f', -1, 64)})
	case nil:
		return append(out, Value{path, "null"})
	}
	return append(out, Value{path, fmt.Sprint(v)})
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// cut shortens a long value, and says by how much.
func cut(text string) string {
	n := utf8.RuneCountInString(text)
	if n <= maxValue {
		return text
	}
	return fmt.Sprintf("%s… (%d characters)", string([]rune(text)[:maxValue]), n)
}
