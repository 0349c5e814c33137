package execution

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain"
)

// A Context is what an execution has learned so far: text keys to JSON values.
// Secrets stand in it as [domain.Secret], at any depth. It is never written in
// place.
type Context map[string]any

// The keys that the engine itself reads or writes (spec/flows.md 4.2,
// spec/stages.md 1.7).
const (
	KeyPendingUser           = "pending_user"            // only of a user who does not exist: {username, email}
	KeyPendingUserIdentifier = "pending_user_identifier" // what was typed, for display
	KeyUserBackend           = "user_backend"
	KeyAuthMethod            = "auth_method"
	KeyAuthMethodArgs        = "auth_method_args"
	KeyPromptData            = "prompt_data"
	KeyRedirect              = "redirect"
	KeyIsRedirected          = "is_redirected"
	KeyIsRestored            = "is_restored"
	KeyIsSSO                 = "is_sso"
	KeyApplication           = "application"
	KeyRedirectStageTarget   = "redirect_stage_target"
	KeyDenyMessage           = "deny_message"
	KeyEmail                 = "email"      // where mail goes instead of the user's own address
	KeyEmailSent             = "email_sent" // the first mail is on its way
	KeyInvited               = "invitation_in_effect"
	KeyInvitation            = "invitation"
	KeyInvitationUsed        = "invitation_used" // it was taken for this execution
	KeyCaptcha               = "captcha"         // what the provider said, and to which stage

	KeySetup = "goauthentik.io/core/setup/started-by" // the first set-up, by whom: policies of published flows ask

	KeyCaptchaSiteKey    = "goauthentik.io/stages/captcha/site_key"    // used instead of the stage's
	KeyCaptchaPrivateKey = "goauthentik.io/stages/captcha/private_key" // used instead of the stage's
)

// clearKeys may stand in the clear part of an event (spec/events.md 5.3). The
// values of all others are sealed.
var clearKeys = map[string]bool{
	KeyIsSSO: true, KeyIsRedirected: true, KeyIsRestored: true, KeyApplication: true, "source": true, "outpost": true,
	KeyAuthMethod: true, KeyUserBackend: true, "user_type": true, "groups": true, KeyEmailSent: true,
	KeyInvited: true, KeyInvitationUsed: true, "consent": true,
	"goauthentik.io/stages/authenticator_validate/selected_stage": true,
}

// sealedWhole are the keys whose values are sealed like secrets as they are,
// with all that is in them: what an outside service said goes no further than
// the execution that asked.
var sealedWhole = map[string]bool{KeyCaptcha: true}

// secretWords are in keys whose values are secrets whoever wrote them, and
// harmless in those that are none for all that (spec/flows.md 11.4).
var (
	secretWords = []string{"api", "auth", "token", "key", "secret", "pass", "signature", "http_cookie"}
	harmless    = []string{"wauth", "passing", "password_change_date"}
)

// SecretKey tells whether a value under this key is a secret. Each evaluation
// of a policy asks it of all keys, so it looks for words instead of matching.
func SecretKey(key string) bool {
	folded := strings.ToLower(strings.ToUpper(key)) // both, for letters that fold one way only
	in := func(word string) bool { return strings.Contains(folded, word) }
	if folded == "auth_method" || folded == "auth_method_args" {
		return false
	}
	return slices.ContainsFunc(secretWords, in) && !slices.ContainsFunc(harmless, in)
}

// A Change is a change of the context in the three parts in which events carry
// it: what may be read, what is personal, what is secret. Secrets are keyed by
// their path, with slashes between the keys (~1 stands for a slash in a key);
// in a list the key is the place, where null stands for the secret.
type Change struct {
	Set     map[string]any           `json:"set,omitempty"`
	Removed []string                 `json:"removed,omitempty"`
	Hidden  map[string]any           `json:"hidden,omitempty" seal:"T"`
	Secret  map[string]domain.Secret `json:"secret,omitempty" seal:"X"`
}

// Empty tells whether there is nothing in it.
func (c Change) Empty() bool {
	return len(c.Set)+len(c.Removed)+len(c.Hidden)+len(c.Secret) == 0
}

// Keys lists the keys that the change touches, sorted.
func (c Change) Keys() []string {
	keys := map[string]bool{}
	for k := range c.Set {
		keys[k] = true
	}
	for k := range c.Hidden {
		keys[k] = true
	}
	for path := range c.Secret {
		keys[splitPath(path)[0]] = true
	}
	for _, k := range c.Removed {
		keys[k] = true
	}
	return slices.Sorted(maps.Keys(keys))
}

// Learn sorts what was learned into the parts of a [Change].
func Learn(learned Context) Change {
	c := Change{Set: map[string]any{}, Hidden: map[string]any{}, Secret: map[string]domain.Secret{}}
	for key, v := range learned {
		if sealedWhole[key] && c.whole(key, v) {
			continue
		}
		rest, keep := c.part(escape(key), key, v)
		switch {
		case !keep:
		case clearKeys[key]:
			c.Set[key] = rest
		default:
			c.Hidden[key] = rest
		}
	}
	return c
}

// whole seals a value as a text of JSON.
func (c Change) whole(key string, v any) bool {
	text, err := json.Marshal(v)
	if err == nil {
		c.Secret[escape(key)] = domain.NewSecret(string(text))
	}
	return err == nil
}

// part takes the secrets out of v and returns the rest, and whether there is
// any.
func (c Change) part(path, key string, v any) (any, bool) {
	switch v := v.(type) {
	case domain.Secret:
		c.Secret[path] = v
		return nil, false
	case string:
		if SecretKey(key) && v != "" && !clearKeys[path] {
			c.Secret[path] = domain.NewSecret(v)
			return nil, false
		}
	case Context:
		return c.part(path, key, map[string]any(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			if rest, keep := c.part(path+"/"+escape(k), k, item); keep {
				out[k] = rest
			}
		}
		return out, true
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i], _ = c.part(path+"/"+strconv.Itoa(i), key, item)
		}
		return out, true
	}
	return v, true
}

func escape(key string) string { return strings.ReplaceAll(key, "/", "~1") }

func splitPath(path string) []string {
	keys := strings.Split(path, "/")
	for i := range keys {
		keys[i] = strings.ReplaceAll(keys[i], "~1", "/")
	}
	return keys
}

// with returns the context after a change.
func (c Context) with(ch Change) Context {
	out := make(Context, len(c)+len(ch.Set)+len(ch.Hidden))
	maps.Copy(out, c)
	for _, key := range ch.Removed {
		delete(out, key)
	}
	maps.Copy(out, ch.Set)
	maps.Copy(out, ch.Hidden)
	for path, secret := range ch.Secret {
		if key := splitPath(path)[0]; sealedWhole[key] {
			out.unseal(key, secret)
			continue
		}
		put(out, splitPath(path), secret)
	}
	return out
}

// unseal sets a value that was sealed as a whole. One whose key is gone is
// gone, too.
func (c Context) unseal(key string, secret domain.Secret) {
	var v any
	if delete(c, key); json.Unmarshal([]byte(secret.Reveal()), &v) == nil {
		c[key] = v
	}
}

// put sets a value below m, copying the maps and lists on the way.
func put(m map[string]any, keys []string, v any) { m[keys[0]] = putInto(m[keys[0]], keys[1:], v) }

func putInto(inner any, keys []string, v any) any {
	if len(keys) == 0 {
		return v
	}
	if list, ok := inner.([]any); ok {
		copied := slices.Clone(list)
		if i, err := strconv.Atoi(keys[0]); err == nil && i >= 0 && i < len(copied) {
			copied[i] = putInto(copied[i], keys[1:], v)
		}
		return copied
	}
	known, _ := inner.(map[string]any)
	copied := make(map[string]any, len(known)+1)
	maps.Copy(copied, known)
	put(copied, keys, v)
	return copied
}

// without returns the context without the secrets at these paths.
func (c Context) without(paths ...string) Context {
	if len(paths) == 0 {
		return c
	}
	out := maps.Clone(c)
	for _, path := range paths {
		drop(out, splitPath(path))
	}
	return out
}

func drop(m map[string]any, keys []string) {
	if len(keys) == 1 {
		delete(m, keys[0])
		return
	}
	switch inner := m[keys[0]].(type) {
	case map[string]any:
		copied := maps.Clone(inner)
		m[keys[0]] = copied
		drop(copied, keys[1:])
	case []any:
		m[keys[0]] = putInto(inner, keys[1:], nil) // the others keep their places
	}
}

// secretPaths lists where the secrets are, sorted.
func (c Context) secretPaths() []string {
	var paths []string
	for key, v := range c {
		if sealedWhole[key] {
			paths = append(paths, escape(key))
			continue
		}
		paths = appendSecrets(paths, escape(key), v)
	}
	slices.Sort(paths)
	return paths
}

func appendSecrets(paths []string, path string, v any) []string {
	switch v := v.(type) {
	case domain.Secret:
		return append(paths, path)
	case map[string]any:
		for k, item := range v {
			paths = appendSecrets(paths, path+"/"+escape(k), item)
		}
	case []any:
		for i, item := range v {
			paths = appendSecrets(paths, path+"/"+strconv.Itoa(i), item)
		}
	}
	return paths
}

// Text returns the text under key, or the empty one.
func (c Context) Text(key string) string {
	text, _ := c[key].(string)
	return text
}

// Map returns the map under key, or nil.
func (c Context) Map(key string) map[string]any {
	m, _ := c[key].(map[string]any)
	return m
}
