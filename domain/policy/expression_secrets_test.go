package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

// A secret that is odd enough to be written in another way than typed is
// masked in that way, too.
func TestSecretsAreMaskedHoweverTheyAreWritten(t *testing.T) {
	const typed = `p\ss'w"ör<d & more`
	for name, source := range map[string]string{
		"an error":     `return {}[pin]`,
		"a repr":       `ak_message(repr(pin))`,
		"a list":       `ak_message(str([pin]))`,
		"an f-string":  `ak_message(f"{pin!r} {pin}")`,
		"JSON":         "import json\nak_message(json.dumps({'a': pin}, ensure_ascii=False))",
		"HTML":         "from django.utils.html import escape\nak_message(escape(pin))",
		"a URL":        "from urllib.parse import quote, quote_plus\nak_message(quote(pin, safe='') + quote_plus(pin))",
		"JSON's ASCII": "import json\nak_message(json.dumps({'a': pin}))",
		"a log line":   `ak_logger.info("typed", [pin])`,
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
