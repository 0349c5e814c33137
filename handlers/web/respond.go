package web

import (
	"net/url"
	"strconv"
	"strings"
)

// answers says, by component, what a form becomes as a response to its
// challenge. A component that is not here is answered by its name alone.
var answers = map[string]func(form url.Values) map[string]any{
	"ak-stage-identification":         answerIdentification,
	"ak-stage-password":               func(f url.Values) map[string]any { return pick(f, "password") },
	"ak-stage-captcha":                func(f url.Values) map[string]any { return pick(f, "token") },
	"ak-stage-user-login":             answerUserLogin,
	"ak-stage-prompt":                 answerPrompt,
	"ak-stage-consent":                func(f url.Values) map[string]any { return pick(f, "token") },
	"ak-stage-authenticator-validate": answerValidate,
	"xak-flow-redirect":               func(f url.Values) map[string]any { return pick(f, "to") },
}

// response turns a form into the response that a client of the API would
// send.
func response(form url.Values) map[string]any {
	component := form.Get("component")
	answer := map[string]any{}
	if of, ok := answers[component]; ok {
		answer = of(form)
	}
	answer["component"] = component
	return answer
}

// pick copies the named fields that are in the form.
func pick(form url.Values, names ...string) map[string]any {
	picked := map[string]any{}
	for _, name := range names {
		if form.Has(name) {
			picked[name] = form.Get(name)
		}
	}
	return picked
}

func answerIdentification(form url.Values) map[string]any {
	return pick(form, "uid_field", "password", "captcha_token")
}

func answerUserLogin(form url.Values) map[string]any {
	if !form.Has("remember_me") {
		return map[string]any{}
	}
	return map[string]any{"remember_me": form.Get("remember_me") == "true"}
}

// answerValidate takes a code however it was grouped: apps show "123 456".
func answerValidate(form url.Values) map[string]any {
	if class, uid, ok := strings.Cut(form.Get("selected_challenge"), " "); ok {
		return map[string]any{"selected_challenge": map[string]any{
			"device_class": class, "device_uid": uid, "challenge": map[string]any{}, "last_used": nil,
		}}
	}
	answer := pick(form, "selected_stage")
	if code := strings.Join(strings.Fields(form.Get("code")), ""); code != "" {
		answer["code"] = code
	}
	return answer
}

// answerPrompt reads the fields of a prompt. Their keys are an
// administrator's, so they are prefixed with what the value is, which keeps
// them apart from our own fields and spares a look at the challenge.
func answerPrompt(form url.Values) map[string]any {
	answer := map[string]any{}
	for name, values := range form {
		kind, key, ok := strings.Cut(strings.TrimPrefix(name, promptPrefix), ".")
		if !ok || !strings.HasPrefix(name, promptPrefix) || len(values) == 0 {
			continue
		}
		// An unchecked box sends nothing, so a hidden field goes before it.
		value := values[len(values)-1]
		switch kind {
		case "bool":
			answer[key] = value == "true"
		case "number":
			if value != "" {
				answer[key] = number(value)
			}
		case "some":
			if value != "" {
				answer[key] = value
			}
		case "text":
			answer[key] = value
		case fileKind: // none was chosen, or it is a data URI
			if value != "" {
				answer[key] = value
			}
		}
	}
	return answer
}

// number returns text as a number if it is an integer, and unchanged if not:
// the stage then says what is wrong with it.
func number(text string) any {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		return n
	}
	return text
}
