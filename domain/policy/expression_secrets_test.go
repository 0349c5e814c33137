package policy_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

// A secret that is odd enough to be written in another way than typed is
// masked in that way, too.
func TestSecretsAreMaskedHoweverTheyAreWritten(t *testing.T) {
	const typed = `p\ss'w"ör<d & more`
	for name, source := range map[string]string{
		"an error":      `return {}[pin]`,
		"a repr":        `ak_message(repr(pin))`,
		"a list":        `ak_message(str([pin]))`,
		"an f-string":   `ak_message(f"{pin!r} {pin}")`,
		"JSON":          "import json\nak_message(json.dumps({'a': pin}, ensure_ascii=False))",
		"HTML":          "from django.utils.html import escape\nak_message(escape(pin))",
		"a URL":         "from urllib.parse import quote, quote_plus\nak_message(quote(pin, safe='') + quote_plus(pin))",
		"JSON's ASCII":  "import json\nak_message(json.dumps({'a': pin}))",
		"a log line":    `ak_logger.info("typed", [pin])`,
		"bytes":         `return pin.encode()`,
		"bytes inside":  `return {1: [pin.encode()]}`,
		"a long text":   `ak_message("x" * 2040 + pin)`,
		"a pattern":     "import re\nx = re.compile(re.escape(pin))\nreturn x",
		"other letters": `ak_message(pin.upper() + pin.lower())`,
	} {
		t.Run(name, func(t *testing.T) {
			r := asked(ada)
			r.Context = execution.Context{"prompt_data": map[string]any{"pin": domain.NewSecret(typed)}}
			e := policy.Evaluate(t.Context(), policy.Question{Mode: "all", Bound: []policy.Bound{
				bound(0, &policy.Expression{Source: `pin = context["prompt_data"]["pin"]` + "\n" + source + "\n"}, nil),
			}}, r)
			if told := fmt.Sprint(e.Messages, e.Details); strings.Contains(told, "more") || !strings.Contains(told, "****") {
				t.Errorf("it is told: %s", told)
			}
		})
	}
}

// So are its codes and its digests.
func TestWhatIsMadeOfSecretsIsMasked(t *testing.T) {
	for name, source := range map[string]string{
		"base64":      `base64.b64encode(pin.encode()).decode().rstrip("=")`,
		"hexadecimal": `pin.encode().hex()`,
		"SHA-1":       `hashlib.sha1(pin.encode()).hexdigest()`,
		"SHA-1 for a service for stolen passwords": `hashlib.sha1(pin.encode()).hexdigest().upper()[5:]`,
		"MD5":     `hashlib.md5(pin.encode()).hexdigest()`,
		"SHA-256": `hashlib.sha256(pin.encode()).hexdigest()`,
	} {
		r := asked(ada)
		r.Context = execution.Context{"prompt_data": map[string]any{"pin": domain.NewSecret("correct horse")}}
		v, err := ran(t, "import base64, hashlib\npin = context['prompt_data']['pin']\nreturn \"<\" + "+source+` + ">"`, r)
		if got := strings.Trim(v.Detail.Raw, "<>*"); err != nil || len(got) > 5 {
			t.Errorf("%s: it is told: %s, %v", name, v.Detail.Raw, err)
		}
	}
}

// What an expression writes into the plan's context is sealed where it repeats
// a secret, and refused where it cannot be sealed.
func TestSecretsThatAreWrittenStaySecrets(t *testing.T) {
	const (
		sealed  = "sealed"
		refused = "refused"
		clear   = "clear"
	)
	for source, want := range map[string]string{
		`plan["other"] = pin`:                          sealed,
		`plan["other"] = f"x{pin}y"`:                   sealed,
		`plan["other"] = pin.encode()`:                 sealed,
		`plan["other"] = [1, {"a": pin}]`:              sealed,
		`data["copy"] = pin`:                           sealed,
		`data["copy"] = [data["pin"]]`:                 sealed,
		`plan[pin] = 1`:                                refused,
		`plan["other"] = {"a": {pin: 1}}`:              refused,
		`plan["redirect"] = "https://x/?p=" + pin`:     refused,
		`context["flow_plan"].redirect("/?p=" + pin)`:  refused,
		`context["flow_plan"].redirect("/" + pin[:3])`: clear,
		`plan["other"] = data["username"].upper()`:     clear, // "ada" is a password of somebody's, too
		`plan["other"] = "/recovery/"`:                 clear,
		`plan["recovery"] = f"/recovery/?u={user}"`:    clear,
		`context["flow_plan"].redirect("/recovery/")`:  clear,
	} {
		r := asked(ada)
		r.Plan = &policy.Plan{}
		r.Context = execution.Context{"prompt_data": map[string]any{
			"username": "ada42", "pin": domain.NewSecret("Tr0ub4dor&3"), "password": domain.NewSecret("ada4"), "code": domain.NewSecret("recovery"),
		}}
		_, err := ran(t, "plan, data = context['flow_plan'].context, context['prompt_data']\npin, user = data['pin'], data['username']\n"+source, r)
		got := clear
		if err != nil {
			got = refused
		}
		for _, w := range r.Plan.Writes {
			change := execution.Learn(execution.Context{w.Key: w.Value})
			told, err := json.Marshal(change)
			if strings.Contains(string(told)+w.Redirect, "Tr0") && want != clear || err != nil {
				t.Errorf("%s: writes %s%s, %v", source, told, w.Redirect, err)
			}
			for path := range change.Secret {
				if path != "prompt_data/pin" && path != "prompt_data/password" && path != "prompt_data/code" {
					got = sealed
				}
			}
		}
		if got != want {
			t.Errorf("%s: %s, %v; want %s", source, got, err, want)
		}
	}
}

// The keys of links are secrets, too.
func TestSecretsOfTheQueryAreMasked(t *testing.T) {
	r := asked(ada)
	r.HTTP.Query = url.Values{"flow_token": {"k3y-0f-a-l1nk"}, "empty_token": {""}, "next": {"/x"}}
	v, err := ran(t, strings.Join([]string{
		`q = http_request.GET`, `given = q["flow_token"]`, `ak_message(http_request.META["QUERY_STRING"])`, `return given == "x" and q`,
	}, "\n"), r)
	if told := fmt.Sprint(v); strings.Contains(told, "k3y") || !strings.Contains(told, "next=%2Fx") || err != nil {
		t.Errorf("it is told: %s, %v", told, err)
	}
}

// What is recorded of a value does not grow with how often it holds another.
func TestValuesAreToldInPart(t *testing.T) {
	start := time.Now()
	v, err := ran(t, "x = [context]\nfor i in range(9): x = [x] * 100\nreturn x", asked(ada))
	if took := time.Since(start); err != nil || took > slowdown*100*time.Millisecond {
		t.Errorf("took %v, %v", took, err)
	}
	if told := v.Detail.Raw + v.Detail.Names["x"]; !strings.HasPrefix(told, "[[[") || len(told) > 3000 {
		t.Errorf("%d bytes are told: %s", len(told), told)
	}
}

// Whoever returns nothing is told so (spec/flows.md 8.13).
func TestNothingReturnedIsLogged(t *testing.T) {
	for source, want := range map[string]string{
		"x = 1": "warning Expression policy returned None", "return None": "warning Expression policy returned None", "return False": "",
	} {
		v, err := ran(t, source, asked(ada))
		if got := strings.Join(v.Detail.Log, " "); got != want || err != nil || v.Passing {
			t.Errorf("%s: logged %q, %v", source, got, err)
		}
	}
}
