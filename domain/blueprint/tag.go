package blueprint

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A tag is a value that is known when its entry is processed
// (spec/blueprints.md 2).
type tag struct {
	name   string
	line   int
	scalar bool     // !Tag text, as opposed to !Tag [a, b]
	text   string   // of the scalar form
	args   []any    // of the sequence form
	raw    []string // the texts of args that are scalars, as written
	number int      // of !Index and !Value
}

// A form says how a tag may be written.
type form struct {
	scalar   bool
	min      int   // elements of the sequence form; 0 when there is none
	literals []int // elements that must be plain texts
	resolve  func(*resolver, *tag) (any, error)
}

// forms lists the tags. It is filled in init because resolving a tag resolves
// others.
var forms map[string]form

func init() {
	forms = map[string]form{
		"KeyOf":      {scalar: true, resolve: (*resolver).keyOf},
		"Find":       {min: 1, resolve: (*resolver).find},
		"FindObject": {min: 1, resolve: (*resolver).findObject},
		"Context":    {scalar: true, min: 1, literals: []int{0}, resolve: (*resolver).contextValue},
		"Env":        {scalar: true, min: 1, literals: []int{0}, resolve: (*resolver).environment},
		"File":       {scalar: true, min: 1, literals: []int{0}, resolve: (*resolver).file},
		"Format":     {min: 1, literals: []int{0}, resolve: (*resolver).format},
		"If":         {min: 1, resolve: (*resolver).choose},
		"Condition":  {min: 1, literals: []int{0}, resolve: (*resolver).condition},
		"Enumerate":  {min: 3, literals: []int{1}, resolve: (*resolver).enumerate},
		"Index":      {scalar: true, resolve: (*resolver).position},
		"Value":      {scalar: true, resolve: (*resolver).position},
		"AtIndex":    {min: 2, resolve: (*resolver).atIndex},
		"ParseJSON":  {scalar: true, resolve: (*resolver).parseJSON},
	}
}

// tag reads a node that carries one of the tags above.
func (l *loader) tag(n *yaml.Node, depth int) (loaded, *Error) {
	name := strings.TrimPrefix(n.Tag, "!")
	form, known := forms[name]
	if !known {
		return loaded{}, unknownTag(n)
	}
	t := &tag{name: name, line: n.Line}
	out := loaded{value: t, size: 1, depth: 1}
	switch {
	case n.Kind == yaml.ScalarNode && form.scalar:
		t.scalar, t.text = true, n.Value
	case n.Kind == yaml.SequenceNode && form.min > 0:
		list, err := l.sequence(n, depth)
		if err != nil {
			return loaded{}, err
		}
		t.args = list.value.([]any)
		out.size, out.depth = list.size, list.depth
		for _, item := range n.Content {
			t.raw = append(t.raw, item.Value)
		}
	default:
		return loaded{}, at(n, "the tag !"+name+" does not take this form")
	}
	if fault := t.check(form, n); fault != "" {
		return loaded{}, at(n, "the tag !"+name+" "+fault)
	}
	return out, nil
}

// check finds what makes the whole file invalid.
func (t *tag) check(f form, n *yaml.Node) string {
	if !t.scalar {
		if len(t.args) < f.min || t.name == "If" && len(t.args) == 2 {
			return "has too few elements"
		}
		for _, i := range f.literals {
			if _, isTag := t.args[i].(*tag); isTag || n.Content[i].Kind != yaml.ScalarNode {
				return "needs a text as element " + strconv.Itoa(i+1)
			}
		}
	}
	switch t.name {
	case "Index", "Value":
		number, err := strconv.Atoi(t.text)
		if err != nil || number < 0 {
			return "needs a number that is not negative"
		}
		t.number = number
	case "Find", "FindObject":
		for _, pair := range t.args[1:] {
			if list, ok := pair.([]any); !ok || len(list) < 2 {
				return "takes pairs of a field and a value after the model"
			}
		}
	}
	return ""
}

// key is the first literal: the text of the scalar form, or the first element.
func (t *tag) key() string {
	if t.scalar {
		return t.text
	}
	return t.raw[0]
}

// fallback is the default of the tags that have one.
func (t *tag) fallback() any {
	if len(t.args) > 1 {
		return t.args[1]
	}
	return nil
}
