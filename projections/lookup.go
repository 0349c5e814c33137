package projections

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// A lookup is a field that Django's look-ups can name. Its column is compared;
// with in it, the ids of what it leads to are selected.
type lookup struct {
	column string
	folded string // column without case; empty where there is none
	in     string // condition with the column's one for %s
}

const (
	inGroups  = "users.id IN (SELECT m.user FROM groups_members m JOIN groups g USING(id) WHERE %s)"
	toUsers   = "id IN (SELECT m.id FROM groups_members m JOIN users u ON u.id = m.user WHERE %s)"
	toParents = "id IN (SELECT p.id FROM groups_parents p WHERE %s)"
	fromBelow = "id IN (SELECT p.parent FROM groups_parents p WHERE %s)"
)

// userLookups and groupLookups are the fields by the contract's names.
var (
	userLookups = map[string]lookup{
		"pk": {column: "key"}, "uuid": {column: "id"}, "username": {column: "username", folded: "username_folded"},
		"email": {column: "email", folded: "email_folded"}, "name": {column: "name"}, "type": {column: "type"}, "path": {column: "path"},
		"is_active": {column: "active"}, "is_superuser": {column: "(users.id IN (" + superusers + "))"},
		"date_joined": {column: "nullif(joined, 0)"}, "last_login": {column: "nullif(last_login, 0)"},
		"password_change_date": {column: "nullif(password_changed, 0)"},
		"groups__name":         {column: "g.name", in: inGroups}, "groups__pk": {column: "g.id", in: inGroups},
	}
	groupLookups = map[string]lookup{
		"pk": {column: "id"}, "name": {column: "name", folded: "folded"}, "is_superuser": {column: "superuser"},
		"users": {column: "u.key", in: toUsers}, "parents": {column: "p.parent", in: toParents}, "children": {column: "p.id", in: fromBelow},
	}
)

// lookups wants what Django's look-ups say, by field: text__operator, where
// attributes__ leads into the attributes.
func (w *where) lookups(by map[string]any, fields map[string]lookup) error {
	for _, key := range slices.Sorted(maps.Keys(by)) {
		if path, ok := strings.CutPrefix(key, "attributes__"); ok {
			if err := w.attributes(map[string]any{path: by[key]}); err != nil {
				return err
			}
			continue
		}
		field, op := key, "exact"
		l, ok := fields[key]
		if i := strings.LastIndex(key, "__"); !ok && i > 0 {
			field, op = key[:i], key[i+2:]
			l, ok = fields[field]
		}
		if !ok || !w.compare(l, op, by[key]) {
			return domain.Errorf(domain.Invalid, "There is no look-up %s.", key)
		}
	}
	return nil
}

// operators are how a column is compared with one value.
var operators = map[string]string{
	"exact": "%s = ?", "gt": "%s > ?", "gte": "%s >= ?", "lt": "%s < ?", "lte": "%s <= ?",
	"contains": "instr(%s, ?) > 0", "startswith": "substr(%s, 1, length(?)) = ?", "endswith": "substr(%s, -length(?)) = ?",
}

// compare adds one comparison; false if there is none of this name for the
// field.
func (w *where) compare(l lookup, op string, value any) bool {
	column := l.column
	if plain, ok := strings.CutPrefix(op, "i"); ok && op != "in" {
		text, isText := value.(string)
		if column, op, value = l.folded, plain, fold(text); column == "" || !isText {
			return false
		}
	}
	condition, args := "", []any{stored(value)}
	switch format := operators[op]; {
	case op == "in":
		items, ok := value.([]any)
		if !ok {
			return false
		}
		// One parameter for all of them: there can be more than a statement takes.
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = stored(item)
		}
		text, err := json.Marshal(list)
		if err != nil {
			return false
		}
		condition, args = column+" IN (SELECT value FROM json_each(?))", []any{string(text)}
	case format == "":
		return false
	case value == "" && (op == "endswith" || op == "contains"):
		condition, args = column+" IS NOT NULL", nil
	default:
		condition = fmt.Sprintf(format, column)
		if strings.Count(format, "?") == 2 {
			args = append(args, args[0])
		}
	}
	if l.in != "" {
		condition = fmt.Sprintf(l.in, condition)
	}
	w.add(condition, args...)
	return true
}

// stored is a value as the tables have it.
func stored(v any) any {
	if t, ok := v.(time.Time); ok {
		return micros(t)
	}
	return v
}
