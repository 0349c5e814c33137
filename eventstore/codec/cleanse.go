package codec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
)

// mask stands where a value was that should not have been (spec/flows.md 11.4).
const mask = "********************"

var (
	secretName  = regexp.MustCompile(`(?i)API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE`)
	allowedName = regexp.MustCompile(`(?i)wauth|passing|password_change_date|^auth_method(_args)?$`)

	// harmlessField are keys of the catalogue (spec/events.md 2 to 4) whose
	// names alarm and whose values are ids, enumerations and names of keys.
	harmlessField = regexp.MustCompile(`^(authentication|token|keys|context_keys|merged_context_keys)$`)
)

func isSecretName(key string) bool {
	return secretName.MatchString(key) && !allowedName.MatchString(key)
}

// cleanse masks the texts that stand under the keys of secrets, and tells leak
// of each. Such a text is a bug of whoever made the event.
func cleanse(raw []byte, leak func(key string)) ([]byte, error) {
	if !secretName.Match(raw) {
		return raw, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	hits := 0
	tree = cleanseTree(tree, "", func(key string) { hits++; leak(key) })
	if hits == 0 {
		return raw, nil
	}
	return json.Marshal(tree)
}

// cleanseTree masks in place. A text in a list stands under the list's key.
func cleanseTree(tree any, key string, leak func(key string)) any {
	switch tree := tree.(type) {
	case map[string]any:
		for key, inner := range tree {
			tree[key] = cleanseTree(inner, key, leak)
		}
	case []any:
		for i, inner := range tree {
			tree[i] = cleanseTree(inner, key, leak)
		}
	case string:
		if tree != "" && isSecretName(key) {
			leak(key)
			return mask
		}
	}
	return tree
}

// suspect returns the name of a declared field, f or one inside it, that holds
// text and is called like a secret. Types with a name of their own, such as
// enumerations, are taken at their word.
func suspect(f field) (name string) {
	check := func(f field) {
		t := f.typ
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t != rawType {
			t = t.Elem()
		}
		text := t == reflect.TypeFor[string]() || t == rawType || t.Kind() == reflect.Interface
		if text && isSecretName(f.name) && !harmlessField.MatchString(f.name) {
			name = f.name
		}
	}
	check(f)
	walkType(f.typ, func(t reflect.Type) {
		if t.Kind() == reflect.Struct && !marshalsItself(t) {
			for _, inner := range fieldsOf(t) {
				if inner.tag.Get("cleanse") != "-" {
					check(inner)
				}
			}
		}
	}, map[reflect.Type]bool{})
	return name
}
