package siemtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// OCSF tells what is wrong with one record: attributes that its class does not
// have, required ones that are missing, types, values outside of enums, captions
// that are not those of their numbers, and constraints.
func OCSF(line []byte) []string {
	in := json.NewDecoder(bytes.NewReader(line))
	in.UseNumber()
	var record map[string]any
	if err := in.Decode(&record); err != nil {
		return []string{"no JSON object: " + err.Error()}
	}
	if in.More() {
		return []string{"more than one JSON value"}
	}
	c, ok := ocsf.Classes[text(record["class_uid"])]
	if !ok {
		return []string{fmt.Sprintf("class %v is not written down", record["class_uid"])}
	}
	k := &checker{}
	k.profiles(record)
	k.object("", c.object, record)
	k.classification(c, record)
	return k.complaints
}

// A checker gathers complaints.
type checker struct {
	complaints []string
	applied    []string // profiles
}

func (k *checker) complain(at, format string, args ...any) {
	k.complaints = append(k.complaints, strings.TrimPrefix(at+": ", ": ")+fmt.Sprintf(format, args...))
}

func (k *checker) profiles(record map[string]any) {
	metadata, _ := record["metadata"].(map[string]any)
	list, _ := metadata["profiles"].([]any)
	for _, p := range list {
		if !slices.Contains(ocsf.Profiles, text(p)) {
			k.complain("metadata.profiles", "there is no profile %v", p)
		}
		k.applied = append(k.applied, text(p))
	}
}

// classification checks what follows from the class and the activity.
func (k *checker) classification(c class, record map[string]any) {
	is := func(at, want string) {
		if got := text(record[at]); got != want {
			k.complain(at, "it is %q and should be %q", got, want)
		}
	}
	activity := text(record["activity_id"])
	caption, ok := c.Activities[activity]
	if !ok {
		k.complain("activity_id", "%s has no activity %s", c.Caption, activity)
	}
	n, _ := strconv.Atoi(activity)
	is("type_uid", strconv.Itoa(c.UID*100+n))
	is("category_uid", strconv.Itoa(c.Category))
	is("category_name", ocsf.Enums["category_uid"][strconv.Itoa(c.Category)])
	is("class_name", c.Caption)
	name := text(record["activity_name"])
	if activity != "99" {
		is("activity_name", caption)
	} else if name == "" || name == caption {
		k.complain("activity_name", "another activity needs its own name")
	}
	is("type_name", c.Caption+": "+name)
	if metadata, ok := record["metadata"].(map[string]any); ok && text(metadata["version"]) != ocsf.Version {
		k.complain("metadata.version", "it is %v", metadata["version"])
	}
}

// object checks the attributes of a class or an object.
func (k *checker) object(at string, o object, value map[string]any) {
	for name, v := range value {
		here := strings.TrimPrefix(at+"."+name, ".")
		a, ok := o.Attributes[name]
		switch {
		case !ok:
			k.complain(here, "there is no such attribute")
		case a.Profile != "" && !slices.Contains(k.applied, a.Profile):
			k.complain(here, "it is of the profile %s, which is not applied", a.Profile)
		default:
			k.attribute(here, a, v)
			k.sibling(here, a, v, value)
		}
	}
	for name, a := range o.Attributes {
		if _, ok := value[name]; !ok && a.Requirement == "required" && (a.Profile == "" || slices.Contains(k.applied, a.Profile)) {
			k.complain(strings.TrimPrefix(at+"."+name, "."), "it is required")
		}
	}
	for rule, names := range o.Constraints {
		n := 0
		for _, name := range names {
			if _, ok := value[name]; ok {
				n++
			}
		}
		if n == 0 || rule == "just_one" && n > 1 {
			k.complain(at, "%s of %s: there are %d", rule, strings.Join(names, ", "), n)
		}
	}
}

// sibling checks that the caption beside a number is that of the number.
func (k *checker) sibling(at string, a attribute, v any, beside map[string]any) {
	caption, there := beside[a.Sibling]
	if a.Sibling == "" || a.Enum == "" {
		return
	}
	want := ocsf.Enums[a.Enum][text(v)]
	switch {
	case text(v) == "99" && !there:
		k.complain(at, "99 needs %s to say what it is", a.Sibling)
	case text(v) != "99" && there && text(caption) != want:
		k.complain(at, "%s is %v and should be %q", a.Sibling, caption, want)
	}
}

func (k *checker) attribute(at string, a attribute, v any) {
	if !a.Array {
		k.value(at, a, v)
		return
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		k.complain(at, "it should be a list of something")
		return
	}
	for i, one := range list {
		k.value(fmt.Sprintf("%s[%d]", at, i), a, one)
	}
}

func (k *checker) value(at string, a attribute, v any) {
	if a.Type == "object_t" {
		k.inner(at, a, v)
		return
	}
	if wrong := wrongType(a.Type, v); wrong != "" {
		k.complain(at, "%s", wrong)
	}
	if enum, ok := ocsf.Enums[a.Enum]; ok {
		if _, ok := enum[text(v)]; !ok {
			k.complain(at, "%v is not in the enum %s", v, a.Enum)
		}
	}
}

// inner checks an object. One without a name may hold anything.
func (k *checker) inner(at string, a attribute, v any) {
	value, ok := v.(map[string]any)
	if !ok {
		k.complain(at, "it should be an object")
		return
	}
	if a.Object == "" {
		return
	}
	o, ok := ocsf.Objects[a.Object]
	if !ok {
		k.complain(at, "the object %s is not written down", a.Object)
		return
	}
	if len(value) == 0 {
		k.complain(at, "it is empty")
	}
	k.object(at, o, value)
}

// wrongType tells why a value is not of a type; empty if it is.
func wrongType(typ string, v any) string {
	switch typ {
	case "json_t":
		return ""
	case "boolean_t":
		if _, ok := v.(bool); !ok {
			return "it should be true or false"
		}
	case "integer_t", "long_t", "timestamp_t", "port_t", "float_t":
		return wrongNumber(typ, v)
	default:
		s, ok := v.(string)
		if !ok || s == "" {
			return "it should be a text"
		}
		return wrongText(typ, s)
	}
	return ""
}

func wrongNumber(typ string, v any) string {
	n, ok := v.(json.Number)
	if !ok {
		return "it should be a number"
	}
	if typ == "float_t" {
		return ""
	}
	i, err := n.Int64()
	switch {
	case err != nil:
		return "it should be a whole number"
	case typ == "integer_t" && i != int64(int32(i)):
		return "it does not fit into 32 bits"
	case typ == "timestamp_t" && (i < 1e12 || i > 1e14):
		return "it should be milliseconds since 1970"
	case typ == "port_t" && (i < 0 || i > 65535):
		return "it is no port"
	}
	return ""
}

func wrongText(typ, s string) string {
	switch typ {
	case "ip_t":
		if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
			return "it is no address"
		}
	case "email_t":
		if name, host, ok := strings.Cut(s, "@"); !ok || name == "" || host == "" {
			return "it is no mail address"
		}
	}
	return ""
}

// text is a value as enums have it.
func text(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		return v
	}
	return ""
}
