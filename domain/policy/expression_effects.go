package policy

import (
	"net/mail"
	"strings"
	"unicode"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// Limits of what one evaluation may ask for.
const (
	maxEffects    = 10
	maxAction     = 200
	maxRecipients = 50
)

// ask notes an effect. It is performed when the decision that rests on the
// verdict is in the ledger.
func (e *evaluation) ask(effect execution.Effect) error {
	if !e.asks {
		return expr.Raise("RuntimeError", "only policies can send mails and create events; prompts cannot")
	}
	if len(e.effects) >= maxEffects {
		return expr.Raise("RuntimeError", "a policy can ask for at most %d mails and events", maxEffects)
	}
	e.effects = append(e.effects, effect)
	return nil
}

// createEvent asks for an event of the policy's own making: with the names
// that the policy has and what it is given, and without secrets.
func (e *evaluation) createEvent(c *expr.Call) (expr.Value, error) {
	if len(c.Args) != 1 {
		return nil, expr.Raise("TypeError", "ak_create_event() takes an action, and anything else by name")
	}
	action, ok := c.Args[0].(expr.Str)
	name := strings.TrimPrefix(string(action), "custom_")
	if !ok || strings.TrimSpace(name) == "" || len(name) > maxAction || strings.ContainsFunc(name, unicode.IsControl) {
		return nil, expr.Raise("ValueError", "the action of an event is a text of 1 to %d letters", maxAction)
	}
	t := tidy{e: e, left: maxEvent}
	context := map[string]any{}
	for _, n := range c.Named {
		t.put(context, n.Name, n.Value)
	}
	for _, local := range []string{"ak_is_sso_flow", "ak_client_ip", "request", "context"} {
		if v := e.find(local); v != nil && context[local] == nil {
			t.put(context, local, v)
		}
	}
	return expr.None, e.ask(execution.Effect{Record: &execution.Record{
		Action: "custom_" + e.conceal(name), App: e.policy, Context: context,
	}})
}

// sendEmail asks for a mail. It is false for addresses that are none.
func (e *evaluation) sendEmail(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("address", "subject", "body?", "stage?", "template?", "context?", "cc?", "bcc?")
	if err != nil {
		return nil, err
	}
	given := func(i int) bool { return args[i] != nil && expr.Truth(args[i]) }
	const body, template, values = 2, 4, 5
	switch {
	case given(body) && given(template):
		return nil, expr.Raise("ValueError", "body and template parameters are mutually exclusive")
	case !given(body) && !given(template):
		return nil, expr.Raise("ValueError", "Either body or template parameter must be provided")
	}
	fields := map[string]any{"subject": ""}
	for i, name := range map[int]string{1: "subject", body: "body", 3: "stage", template: "template"} {
		if !given(i) {
			continue
		}
		said, err := c.Text(args[i])
		if err != nil {
			return nil, err
		}
		if len(said) > maxEvent {
			return nil, expr.Raise("ValueError", "the %s of a mail has at most %d bytes", name, maxEvent)
		}
		fields[name] = e.conceal(said)
	}
	for i, name := range map[int]string{0: "to", 6: "cc", 7: "bcc"} {
		addresses, ok := addressesIn(args[i])
		if !ok || name == "to" && len(addresses) == 0 {
			return expr.Bool(false), nil
		}
		if len(addresses) > 0 {
			fields[name] = addresses
		}
	}
	if given(values) {
		d, ok := args[values].(*expr.Dict)
		if !ok {
			return nil, expr.Raise("TypeError", "the context of a mail is a dict, not %s", args[values].Type())
		}
		t := tidy{e: e, left: maxEvent, open: true}
		fields["context"] = t.clean("", d, 0)
	}
	err = e.ask(execution.Effect{SendMail: &execution.SendMail{Purpose: "notice", Fields: fields}})
	return expr.Bool(err == nil), err
}

// addressesIn reads an address or a list of them; false if one is none.
func addressesIn(v expr.Value) ([]any, bool) {
	var items []expr.Value
	switch v := v.(type) {
	case nil:
	case expr.Str:
		items = []expr.Value{v}
	case *expr.List:
		items = v.Items()
	case expr.Tuple:
		items = v
	case *expr.Set:
		items = v.Items()
	default:
		return nil, v == expr.None
	}
	if len(items) > maxRecipients {
		return nil, false
	}
	out := make([]any, len(items))
	for i, item := range items {
		address := text(item)
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || len(address) > 320 {
			return nil, false
		}
		out[i] = address
	}
	return out, true
}
