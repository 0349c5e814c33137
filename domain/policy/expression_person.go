package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/expr"
	"github.com/flowledger/flowledger/domain/user"
)

// person is a user as expressions see one.
type person struct {
	user.Person
	backend string
	e       *evaluation
}

// Type implements [expr.Value].
func (*person) Type() string { return "User" }

// Text implements [expr.Texter].
func (p *person) Text() string { return p.Username }

// Equal implements [expr.Equaler].
func (p *person) Equal(other expr.Value) bool {
	o, ok := other.(*person)
	return ok && o.ID == p.ID && o.Username == p.Username
}

func (p *person) lookupName() string { return strconv.Itoa(p.Key) }

// field implements [row].
func (p *person) field(name string) any {
	switch name {
	case "pk":
		return int64(p.Key)
	case "uuid":
		return p.ID
	case "username":
		return p.Username
	case "name":
		return p.Name
	case "email":
		return p.Email
	case "type":
		return p.Person.Type
	case "path":
		return p.Path
	case "is_active":
		return p.Active
	case "is_superuser":
		return p.Superuser
	case "attributes":
		return anyMap(p.Attributes)
	case "groups":
		return p.direct()
	case "date_joined":
		return at(p.Joined)
	case "last_login":
		return at(p.LastLogin)
	case "password_change_date":
		return at(p.PasswordChanged)
	}
	return nil
}

// at is a time, or nothing for never.
func at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// anyMap is a map that is never missing.
func anyMap(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// direct are the groups that the user is in without one below.
func (p *person) direct() []row {
	rows := []row{}
	for _, g := range p.Groups {
		if !g.Inherited {
			rows = append(rows, &group{Group: g, e: p.e})
		}
	}
	return rows
}

// Attr implements [expr.Attrs]. There is a backend only where something proved
// the user in this execution, which policies ask for with hasattr.
func (p *person) Attr(name string) (expr.Value, bool) {
	known := p.Username != "" // also somebody who does not exist, as in the contract
	switch name {
	case "backend":
		return expr.Str(p.backend), p.backend != ""
	case "pk", "id":
		if !p.Exists() {
			return expr.None, true
		}
		return expr.Int(p.Key), true
	case "uid":
		sum := sha256.Sum256([]byte(strconv.Itoa(p.Key) + "-" + p.ID))
		return expr.Str(hex.EncodeToString(sum[:])), true
	case "attributes":
		return fromPlain(anyMap(p.Attributes)), true
	case "is_authenticated":
		return expr.Bool(known), true
	case "is_anonymous":
		return expr.Bool(!known), true
	case "groups", "ak_groups":
		return &query{e: p.e, m: groupModel, local: p.direct(), call: "user.groups"}, true
	case "all_groups", "group_attributes", "has_usable_password", "locale", "get_username", "get_full_name":
		return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) { return p.method(name, c) }), true
	}
	if _, ok := userModel.fields[name]; ok {
		return expr.FromGo(p.field(name)), true
	}
	if changes[name] {
		return expr.Builtin(name, func(*expr.Call) (expr.Value, error) { return nil, unchangeable(name) }), true
	}
	return nil, false
}

// method calls what can be called of a user.
func (p *person) method(name string, c *expr.Call) (expr.Value, error) {
	if name != "group_attributes" && name != "locale" {
		if err := bare(c); err != nil {
			return nil, err
		}
	}
	args, err := c.Bind("request?")
	if err != nil {
		return nil, err
	}
	switch name {
	case "all_groups":
		return &query{e: p.e, m: groupModel, local: groupRows(p.e, p.Groups), call: "user.all_groups()"}, nil
	case "group_attributes":
		merged := p.merged()
		return fromPlain(merged), c.Grow(200 * (1 + len(merged)))
	case "has_usable_password":
		return expr.Bool(p.Usable), nil
	case "get_username":
		return expr.Str(p.Username), nil
	case "get_full_name":
		return expr.Str(p.Name), nil
	}
	return expr.Str(p.locale(args[0])), nil
}

// merged are the attributes of the brand, of the groups and of the user, one
// over the other (spec/stages.md 2.1).
func (p *person) merged() map[string]any {
	own := p.GroupAttributes
	if own == nil {
		own = p.Attributes
	}
	return user.Merge(p.e.brandAttributes(), own)
}

func (e *evaluation) brandAttributes() map[string]any {
	if e == nil || e.q.HTTP == nil {
		return nil
	}
	return e.q.HTTP.Brand.Attributes
}

// locale is the user's language: that of the request if one is given, else
// what is set for the user, else for the brand.
func (p *person) locale(request expr.Value) string {
	if h, ok := request.(*httpRequest); ok {
		first, _, _ := strings.Cut(h.Caller.Network.AcceptLanguage, ",")
		first, _, _ = strings.Cut(first, ";")
		if first = strings.ToLower(strings.TrimSpace(first)); first != "" && first != "*" {
			return first
		}
	}
	for _, attributes := range []map[string]any{p.Attributes, p.e.brandAttributes()} {
		settings, _ := attributes["settings"].(map[string]any)
		if locale, _ := settings["locale"].(string); locale != "" {
			return locale
		}
	}
	return ""
}
