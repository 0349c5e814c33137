package codec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/flowledger/flowledger/domain"
)

// secretKey marks a secret that stands where the type does not say that one
// does, as {"$secret": "text"}. A map that looks like a mark gets one more $.
const secretKey = "$secret"

// reveal turns v into maps, lists and values that encoding/json writes with
// the text of each secret. In an interface secrets are marked, for otherwise
// nobody could tell them from texts when they are read again.
func reveal(v reflect.Value, inInterface bool) (any, error) {
	switch {
	case v.Type() == secretType:
		text := v.Interface().(domain.Secret).Reveal()
		if inInterface {
			return map[string]any{secretKey: text}, nil
		}
		return text, nil
	case v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		if v.Elem().Type() == secretType || !marshalsItself(v.Type()) {
			return reveal(v.Elem(), inInterface || v.Kind() == reflect.Interface)
		}
	}
	if marshalsItself(v.Type()) {
		return v.Interface(), nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return revealStruct(v, inInterface)
	case reflect.Map:
		return revealMap(v, inInterface)
	case reflect.Slice, reflect.Array:
		return revealList(v, inInterface)
	default:
		return v.Interface(), nil
	}
}

// hidesSecret tells whether a secret is anywhere in v. As REDACTED it would be
// read again as a text, and end as somebody's password.
func hidesSecret(v reflect.Value) bool {
	if !v.IsValid() || v.Type() == secretType {
		return v.IsValid()
	}
	if c := contentOf(v.Type()); !c.secret && !c.anything {
		return false
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return !v.IsNil() && hidesSecret(v.Elem())
	case reflect.Map:
		for _, inner := range v.Seq2() {
			if hidesSecret(inner) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if hidesSecret(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			if hidesSecret(v.FieldByIndex(f.index)) {
				return true
			}
		}
	}
	return false
}

func revealStruct(v reflect.Value, inInterface bool) (any, error) {
	object := map[string]any{}
	for _, f := range fieldsOf(v.Type()) {
		value := v.FieldByIndex(f.index)
		if f.omit && isEmpty(value) {
			continue
		}
		inner, err := reveal(value, inInterface)
		if err != nil {
			return nil, err
		}
		object[f.name] = inner
	}
	return object, nil
}

func revealMap(v reflect.Value, inInterface bool) (any, error) {
	if v.IsNil() {
		return nil, nil
	}
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%v: only texts can be keys", v.Type())
	}
	object := make(map[string]any, v.Len())
	for key, value := range v.Seq2() {
		inner, err := reveal(value, inInterface)
		if err != nil {
			return nil, err
		}
		name := key.String()
		if inInterface && v.Len() == 1 && isMark(name) {
			name = "$" + name
		}
		object[name] = inner
	}
	return object, nil
}

func revealList(v reflect.Value, inInterface bool) (any, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 || v.Kind() == reflect.Slice && v.IsNil() {
		return v.Interface(), nil
	}
	list := make([]any, v.Len())
	for i := range list {
		var err error
		if list[i], err = reveal(v.Index(i), inInterface); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func isMark(key string) bool {
	return strings.HasSuffix(key, secretKey) && strings.Trim(key[:len(key)-len(secretKey)], "$") == ""
}

// conceal sets to, which is addressable, from what reveal made: texts become
// secrets again.
func conceal(raw json.RawMessage, to reflect.Value) error {
	t := to.Type()
	content := contentOf(t)
	if !content.secret && !content.anything || t == rawType {
		return json.Unmarshal(raw, to.Addr().Interface())
	}
	if t == secretType {
		var text string
		err := json.Unmarshal(raw, &text)
		to.Set(reflect.ValueOf(domain.NewSecret(text)))
		return err
	}
	if string(raw) == "null" {
		to.SetZero()
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(t.Elem()))
		return conceal(raw, to.Elem())
	case reflect.Interface:
		var tree any
		err := json.Unmarshal(raw, &tree)
		if err == nil && t.NumMethod() == 0 {
			to.Set(reflect.ValueOf(concealTree(tree)))
			return nil
		}
		return json.Unmarshal(raw, to.Addr().Interface())
	case reflect.Struct:
		return concealStruct(raw, to)
	case reflect.Map:
		return concealMap(raw, to)
	default:
		return concealList(raw, to)
	}
}

func concealStruct(raw json.RawMessage, to reflect.Value) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return err
	}
	for _, f := range fieldsOf(to.Type()) {
		inner, ok := object[f.name]
		if !ok {
			continue
		}
		if err := conceal(inner, to.FieldByIndex(f.index)); err != nil {
			return err
		}
	}
	return nil
}

func concealMap(raw json.RawMessage, to reflect.Value) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return err
	}
	t := to.Type()
	to.Set(reflect.MakeMapWithSize(t, len(object)))
	for key, inner := range object {
		value := reflect.New(t.Elem()).Elem()
		if err := conceal(inner, value); err != nil {
			return err
		}
		to.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), value)
	}
	return nil
}

func concealList(raw json.RawMessage, to reflect.Value) error {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	if to.Kind() == reflect.Slice {
		to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	}
	for i, inner := range list[:min(len(list), to.Len())] {
		if err := conceal(inner, to.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// concealTree turns the marks in a tree of maps and lists into secrets.
func concealTree(tree any) any {
	switch tree := tree.(type) {
	case map[string]any:
		for key, inner := range tree {
			if len(tree) > 1 || !isMark(key) {
				tree[key] = concealTree(inner)
			} else if text, ok := inner.(string); ok && key == secretKey {
				return domain.NewSecret(text)
			} else {
				return map[string]any{strings.TrimPrefix(key, "$"): concealTree(inner)}
			}
		}
	case []any:
		for i, inner := range tree {
			tree[i] = concealTree(inner)
		}
	}
	return tree
}
