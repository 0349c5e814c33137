package blueprint

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A loader turns YAML nodes into values. Aliases share the value of their
// anchor, so they cost nothing here; what they would expand to is counted.
type loader struct {
	done   map[*yaml.Node]loaded
	inside map[*yaml.Node]bool // anchors that are being read, to see cycles
}

type loaded struct {
	value any
	size  int // values in it with all aliases expanded
	depth int // levels in it
}

// lineOf finds the place in a message of the YAML library.
var lineOf = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// load reads the one document of text.
func load(text []byte) (any, *Error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntaxError(err)
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, syntaxError(err)
	default:
		return nil, &Error{Line: second.Line, Message: "expected a single document in the stream"}
	}
	l := loader{done: map[*yaml.Node]loaded{}, inside: map[*yaml.Node]bool{}}
	got, err := l.node(&doc, 0)
	if err != nil {
		return nil, err
	}
	return got.value, nil
}

func syntaxError(err error) *Error {
	e := &Error{Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Message = m[2]
	}
	return e
}

func at(n *yaml.Node, message string) *Error {
	return &Error{Line: n.Line, Column: n.Column, Message: message}
}

// node reads one node, once.
func (l *loader) node(n *yaml.Node, depth int) (loaded, *Error) {
	if got, ok := l.done[n]; ok {
		return got, nil
	}
	if l.inside[n] {
		return loaded{}, at(n, "an anchor contains itself")
	}
	if depth > maxDepth {
		return loaded{}, at(n, "the document is nested deeper than "+strconv.Itoa(maxDepth)+" levels")
	}
	l.inside[n] = true
	got, err := l.kind(n, depth)
	delete(l.inside, n)
	if err != nil {
		return loaded{}, err
	}
	switch {
	case got.size > maxNodes:
		return loaded{}, at(n, "the document expands to more than "+strconv.Itoa(maxNodes)+" values")
	case got.depth > maxDepth:
		return loaded{}, at(n, "the document is nested deeper than "+strconv.Itoa(maxDepth)+" levels")
	}
	l.done[n] = got
	return got, nil
}

func (l *loader) kind(n *yaml.Node, depth int) (loaded, *Error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return l.node(n.Content[0], depth)
	case yaml.AliasNode:
		return l.node(n.Alias, depth)
	}
	if n.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(n.Tag, "!!") {
		return l.tag(n, depth)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		v, err := scalar(n)
		return loaded{v, 1, 1}, err
	case yaml.SequenceNode:
		if err := wantTag(n, "!!seq"); err != nil {
			return loaded{}, err
		}
		return l.sequence(n, depth)
	default:
		if err := wantTag(n, "!!map"); err != nil {
			return loaded{}, err
		}
		return l.mapping(n, depth)
	}
}

func (l *loader) sequence(n *yaml.Node, depth int) (loaded, *Error) {
	out := loaded{size: 1, depth: 1}
	list := make([]any, 0, len(n.Content))
	for _, item := range n.Content {
		got, err := l.node(item, depth+1)
		if err != nil {
			return loaded{}, err
		}
		list = append(list, got.value)
		out.size, out.depth = min(out.size+got.size, maxNodes+1), max(out.depth, got.depth+1)
	}
	out.value = list
	return out, nil
}

// mapping reads a mapping: the last of equal keys wins, and merge keys give
// what the mapping itself does not set.
func (l *loader) mapping(n *yaml.Node, depth int) (loaded, *Error) {
	out := loaded{size: 1, depth: 1}
	own, lines := newMapping(), map[string]int{}
	var merged []*mapping
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		got, err := l.node(value, depth+1)
		if err != nil {
			return loaded{}, err
		}
		out.size, out.depth = min(out.size+got.size, maxNodes+1), max(out.depth, got.depth+1)
		if key.Kind == yaml.ScalarNode && key.Tag == "!!merge" {
			from, err := mergeSources(value, got.value)
			if err != nil {
				return loaded{}, err
			}
			merged = append(merged, from...)
			continue
		}
		k, err := l.node(key, depth+1)
		if err != nil {
			return loaded{}, err
		}
		text, ok := keyText(k.value)
		if !ok {
			return loaded{}, at(key, "a key must be a scalar without a tag")
		}
		own.set(text, got.value)
		lines[text] = key.Line
	}
	// The size counts what is merged again and again, as aliases do.
	out.value = withMerged(own, merged)
	out.value.(*mapping).lines = lines
	return out, nil
}

// mergeSources lists the mappings that << names, the strongest first.
func mergeSources(n *yaml.Node, v any) ([]*mapping, *Error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []*mapping
	for _, item := range list {
		m, ok := item.(*mapping)
		if !ok {
			return nil, at(n, "expected a mapping or list of mappings for merging")
		}
		out = append(out, m)
	}
	return out, nil
}

func withMerged(own *mapping, sources []*mapping) *mapping {
	if len(sources) == 0 {
		return own
	}
	out := newMapping()
	for i := len(sources) - 1; i >= 0; i-- {
		for _, key := range sources[i].keys {
			out.set(key, sources[i].values[key])
		}
	}
	for _, key := range own.keys {
		out.set(key, own.values[key])
	}
	return out
}

// wantTag refuses tags of YAML's own that do not fit the node.
func wantTag(n *yaml.Node, tag string) *Error {
	if n.Style&yaml.TaggedStyle == 0 || n.Tag == tag {
		return nil
	}
	return unknownTag(n)
}

func unknownTag(n *yaml.Node) *Error {
	name := n.Tag
	if rest, ok := strings.CutPrefix(name, "!!"); ok {
		name = "tag:yaml.org,2002:" + rest
	}
	return at(n, "could not determine a constructor for the tag '"+name+"'")
}

// scalar gives the value of a scalar by its tag, its quotes or its text.
func scalar(n *yaml.Node) (any, *Error) {
	if n.Style&yaml.TaggedStyle == 0 {
		if n.Style != 0 {
			return n.Value, nil
		}
		return plainScalar(n.Value), nil
	}
	v := plainScalar(n.Value)
	ok := false
	switch n.Tag {
	case "!!str":
		return n.Value, nil
	case "!!null":
		return nil, nil
	case "!!bool":
		_, ok = v.(bool)
	case "!!int":
		_, ok = v.(int64)
	case "!!float":
		if i, isInt := v.(int64); isInt {
			v = float64(i)
		}
		_, ok = v.(float64)
	case "!!timestamp":
		_, ok = v.(stamp)
	default:
		return nil, unknownTag(n)
	}
	if !ok {
		return nil, at(n, strconv.Quote(n.Value)+" does not fit its tag "+n.Tag)
	}
	return v, nil
}
