package policy

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// functions are the host's functions (spec/flows.md 8.13). What reaches the
// world outside comes with the policies of part 2.
func (e *evaluation) functions() map[string]expr.Value {
	out := map[string]expr.Value{
		"ak_logger": attributes{"Logger", map[string]expr.Value{
			"debug": e.logger("debug"), "info": e.logger("info"), "warning": e.logger("warning"), "error": e.logger("error"),
		}},
	}
	for name, fn := range map[string]func(*expr.Call) (expr.Value, error){
		"ak_message":                e.message,
		"ak_user_by":                e.userBy,
		"ak_is_group_member":        isGroupMember,
		"ak_user_has_authenticator": hasAuthenticator,
		"ak_call_policy":            e.callPolicy,
		"list_flatten":              listFlatten,
		"regex_match":               regexMatch,
		"regex_replace":             regexReplace,
		"slugify":                   slugify,
	} {
		out[name] = expr.Builtin(name, fn)
	}
	for _, name := range []string{"ip_address", "ip_network"} {
		if r, err := addresses[name].Eval(e.ctx, expr.Env{}); err == nil {
			out[name] = r.Value
		}
	}
	return out
}

// Limits of what one evaluation may say.
const (
	maxMessages = 50
	maxLog      = 100
)

func (e *evaluation) message(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("message")
	if err != nil {
		return nil, err
	}
	said, err := c.Text(args[0])
	if err == nil && len(e.messages) < maxMessages {
		e.messages = append(e.messages, cut(said))
	}
	return expr.None, err
}

// logger keeps log lines with the evaluation. Values of secret names are
// masked.
func (e *evaluation) logger(level string) expr.Value {
	return expr.Builtin(level, func(c *expr.Call) (expr.Value, error) {
		var b strings.Builder
		b.WriteString(level)
		for _, a := range c.Args {
			said, err := c.Text(a)
			if err != nil {
				return nil, err
			}
			b.WriteString(" " + said)
		}
		for _, n := range c.Named {
			said, err := c.Text(n.Value)
			if err != nil {
				return nil, err
			}
			if execution.SecretKey(n.Name) {
				said = masked
			}
			b.WriteString(" " + n.Name + "=" + said)
		}
		if len(e.log) < maxLog {
			e.log = append(e.log, cut(b.String()))
		}
		return expr.None, nil
	})
}

func (e *evaluation) userBy(c *expr.Call) (expr.Value, error) {
	by := map[string]any{}
	for _, n := range c.Named {
		by[n.Name] = expr.ToGo(n.Value)
	}
	p, err := e.q.Env.FindUser(e.ctx, by)
	if err != nil {
		return nil, fmt.Errorf("look a user up: %w", err)
	}
	return e.found(p), nil
}

func isGroupMember(c *expr.Call) (expr.Value, error) {
	if len(c.Args) != 1 {
		return nil, expr.Raise("TypeError", "ak_is_group_member() takes a user and conditions")
	}
	p, ok := c.Args[0].(*person)
	if !ok {
		return expr.Bool(false), nil
	}
	kept, err := (&groups{p.Groups}).filter(c.Named)
	if err != nil {
		return nil, err
	}
	return expr.Bool(kept.(*groups).Len() > 0), nil
}

// hasAuthenticator knows no device: there are none in this release.
func hasAuthenticator(c *expr.Call) (expr.Value, error) {
	_, err := c.Bind("user", "device_type?")
	return expr.Bool(false), err
}

// maxCalls bounds policies that call policies.
const maxCalls = 5

func (e *evaluation) callPolicy(c *expr.Call) (expr.Value, error) {
	if len(c.Args) != 1 {
		return nil, expr.Raise("TypeError", "ak_call_policy() takes the name of a policy")
	}
	name := text(c.Args[0])
	p, err := e.q.Env.Policy(e.ctx, name)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, expr.Raise("ValueError", "Policy '%s' not found.", name)
	}
	q := e.q
	q.Plan, q.Depth = nil, q.Depth+1
	if q.Depth > maxCalls {
		return nil, expr.Raise("RecursionError", "policies call each other more than %d deep", maxCalls)
	}
	q.Extra = map[string]any{}
	for k, v := range e.q.Extra {
		q.Extra[k] = v
	}
	for _, n := range c.Named {
		q.Extra[n.Name] = expr.ToGo(n.Value)
	}
	v, err := p.Passes(e.ctx, q)
	if err != nil {
		return nil, err
	}
	return attributes{"PolicyResult", map[string]expr.Value{
		"passing": expr.Bool(v.Passing), "messages": expr.FromGo(v.Messages), "raw_result": expr.Str(v.Detail.Raw),
	}}, nil
}

func listFlatten(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("value")
	if err != nil {
		return nil, err
	}
	switch list := args[0].(type) {
	case *expr.List:
		if len(list.Items()) == 0 {
			return expr.None, nil
		}
		return list.Items()[0], nil
	case expr.Tuple:
		if len(list) == 0 {
			return expr.None, nil
		}
		return list[0], nil
	}
	return args[0], nil
}

func pattern(v expr.Value) (*regexp.Regexp, error) {
	re, err := regexp.Compile(text(v))
	if err != nil {
		return nil, expr.Raise("ValueError", "the regular expression is not supported: %s", err)
	}
	return re, nil
}

func regexMatch(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("value", "regex")
	if err != nil {
		return nil, err
	}
	re, err := pattern(args[1])
	if err != nil {
		return nil, err
	}
	return expr.Bool(re.MatchString(text(args[0]))), nil
}

// groupReference is Python's way to name a group in a replacement.
var groupReference = regexp.MustCompile(`\\(?:g<(\w+)>|(\d+))`)

func regexReplace(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("value", "regex", "repl")
	if err != nil {
		return nil, err
	}
	re, err := pattern(args[1])
	if err != nil {
		return nil, err
	}
	repl := groupReference.ReplaceAllString(strings.ReplaceAll(text(args[2]), "$", "$$"), "$${$1$2}")
	value := text(args[0])
	if err := c.Grow(len(value) * (1 + len(repl))); err != nil {
		return nil, err
	}
	return expr.Str(re.ReplaceAllString(value, repl)), nil
}

// slugify makes a slug as Django does: lower case, words joined by dashes.
func slugify(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("value")
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(strings.TrimSpace(text(args[0]))) {
		switch {
		case r == '_' || r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case r == '-' || unicode.IsSpace(r):
			gap = true
		}
	}
	return expr.Str(strings.Trim(b.String(), "-_")), nil
}
