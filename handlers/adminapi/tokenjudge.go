package adminapi

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
)

// A tokenWish is what a client wants of a token. What is nil was not said.
type tokenWish struct {
	identifier, intent, description, user *string
	expires                               *time.Time
	expiring                              *bool
	scope                                 *[]string
}

// slug is what an identifier looks like, for it is part of addresses.
var slug = regexp.MustCompile(`^[-a-zA-Z0-9_]{1,255}$`)

// judgeToken reads what a client wants of a token; old is the one that is to be
// changed, the zero one of a new one.
func (s *Server) judgeToken(ctx context.Context, c session.Caller, old Token, input map[string]any, partial bool) (tokenWish, error) {
	var wish tokenWish
	var problems catalog.Problems
	if input["identifier"] == nil && !partial {
		problems.Add("identifier", "This field is required.")
	}
	textField(input, "identifier", &wish.identifier, &problems)
	textField(input, "intent", &wish.intent, &problems)
	textField(input, "description", &wish.description, &problems)
	switch expiring, ok := input["expiring"].(bool); {
	case ok:
		wish.expiring = &expiring
	case input["expiring"] != nil:
		problems.Add("expiring", "Must be a valid boolean.")
	}
	wish.expires = s.judgeExpiry(input, &problems)
	wish.scope = judgeScope(input, &problems)
	if wish.intent != nil && !slices.Contains([]string{token.API, token.AppPassword}, *wish.intent) {
		problems.Add("intent", "%q is not a valid choice.", cut(*wish.intent))
	}
	if wish.identifier != nil && !slug.MatchString(*wish.identifier) {
		problems.Add("identifier", "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.")
	}
	if err := problems.Err(); err != nil {
		return wish, err
	}
	if input["user"] != nil {
		u, err := s.userField(ctx, input, "user")
		if err != nil {
			return wish, err
		}
		wish.user = &u.ID
	}
	if err := wish.allowed(c, old); err != nil {
		return wish, err
	}
	if wish.identifier == nil || *wish.identifier == old.Identifier {
		return wish, nil
	}
	_, taken, err := s.tokenNamed(ctx, *wish.identifier)
	if err == nil && taken {
		err = invalid("identifier", "Token with this identifier already exists.")
	}
	return wish, err
}

// allowed refuses what would let the caller do more with a token than without.
func (w tokenWish) allowed(c session.Caller, old Token) error {
	var problems catalog.Problems
	intent, scope := old.Intent, old.Scope
	overwrite(&intent, w.intent)
	overwrite(&scope, w.scope)
	if intent == token.AppPassword && len(scope) > 0 {
		problems.Add("scope", "%s", token.UnlimitedPassword)
	}
	if !c.Superuser {
		if w.user != nil && *w.user != old.User {
			problems.Add("user", "Only superusers may say whose tokens are.")
		}
		others := old.ID != "" && old.User != c.User
		if others && w.scope != nil && !slices.Equal(*w.scope, old.Scope) {
			problems.Add("scope", "Only superusers may change what the tokens of others are limited to.")
		}
		if others && w.intent != nil && *w.intent != old.Intent {
			problems.Add("intent", "Only superusers may change what the tokens of others are for.")
		}
		if others && w.prolongs(old) {
			problems.Add("expires", "Only superusers may let the tokens of others live longer.")
		}
	}
	if fault := beyond(c, intent, scope); fault != "" {
		problems.Add("scope", "%s", fault)
	}
	return problems.Err()
}

// prolongs tells whether a token would live longer than it does: whoever has got
// hold of its key would keep what was lent for a time.
func (w tokenWish) prolongs(old Token) bool {
	if !old.Expiring {
		return false
	}
	return w.expiring != nil && !*w.expiring || w.expires != nil && w.expires.After(old.Expires)
}

// beyond says how a token would get around the limits of the one that the
// caller has; nothing when it does not.
func beyond(c session.Caller, intent string, scope []string) string {
	outside := func(permission string) bool { return !c.Granted[permission] }
	switch {
	case !c.Scoped:
		return ""
	case intent == token.AppPassword:
		return "A limited token cannot be used for app passwords: they are not limited."
	case len(scope) == 0 || slices.ContainsFunc(scope, outside):
		return "A limited token can only be used for tokens that are limited to what it may do itself."
	}
	return ""
}

// overwrite writes what is given.
func overwrite[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// textField reads a text, if there is one.
func textField(input map[string]any, name string, to **string, problems *catalog.Problems) {
	switch text, ok := input[name].(string); {
	case ok:
		text = strings.TrimSpace(text)
		*to = &text
	case input[name] != nil:
		problems.Add(name, "Not a valid string.")
	}
}

// judgeExpiry reads when a token is to end. One that would be over from the
// beginning is a mistake. Null is no time at all.
func (s *Server) judgeExpiry(input map[string]any, problems *catalog.Problems) *time.Time {
	value, given := input["expires"]
	if !given || value == nil {
		return nil
	}
	text, _ := value.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil:
		problems.Add("expires", "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
	case !at.After(s.Now()):
		problems.Add("expires", "The time is over already.")
	default:
		return &at
	}
	return nil
}

// maxScope bounds what a token is limited to.
const maxScope = 200

// judgeScope reads what a token is to be limited to: permissions, each
// app.codename. Null and an empty list are no limit.
func judgeScope(input map[string]any, problems *catalog.Problems) *[]string {
	value, given := input["scope"]
	if !given {
		return nil
	}
	list, ok := value.([]any)
	if !ok && value != nil {
		problems.Add("scope", "Expected a list of items but got type %q.", typeName(value))
		return nil
	}
	if len(list) > maxScope {
		problems.Add("scope", "Ensure this field has no more than %d elements.", maxScope)
		return nil
	}
	scope := []string{}
	for _, item := range list {
		permission, ok := item.(string)
		_, known := role.Lookup(permission)
		switch {
		case !ok:
			problems.Add("scope", "Not a valid string.")
		case !known:
			problems.Add("scope", "There is no permission %q.", cut(permission))
		default:
			scope = append(scope, permission)
		}
	}
	slices.Sort(scope)
	scope = slices.Compact(scope)
	return &scope
}

// typeName is what the contract's server calls the type of a JSON value.
func typeName(v any) string {
	switch v.(type) {
	case string:
		return "str"
	case bool:
		return "bool"
	case float64:
		return "float"
	}
	return "dict"
}
