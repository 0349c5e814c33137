package executor_test

import (
	"fmt"
	"testing"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
)

// Consent is asked for once, also when an append is refused on the way, and
// its key is the next of its own counter.
func TestConsentIsRemembered(t *testing.T) {
	for n := 1; ; n++ {
		w := newWorld(t)
		ada := w.user("ada")
		w.flow("f", fields{"designation": "authorization"}, step{
			kind: "consent.consentstage", policies: []rule{{source: "context['flow_plan'].context['application'] = {'pk': 'app', 'name': 'App'}\n" +
				"context['flow_plan'].context['consent_permissions'] = [{'id': 'email', 'name': 'E-mail'}]\nreturn True"}},
		})
		b := w.browser("s").as(ada)
		asked := b.get("f")
		token, _ := asked.Challenge["token"].(string)
		if said(asked) != "ak-stage-consent" || token == "" || b.get("f").Challenge["token"] != token {
			t.Fatalf("asked %v", asked.Challenge)
		}
		answer := execution.Visit{Slug: "f", Execution: asked.Execution, Response: fmt.Appendf(nil, `{"token":%q}`, token)}
		w.ledger.failAt(n)
		a, err := b.try(answer)
		refused := err != nil
		w.ledger.failAt(0)
		if refused {
			a, err = b.try(answer)
		}
		if err != nil || said(a) != "xak-flow-redirect /" {
			t.Fatalf("append %d is refused: %s, %v", n, said(a), err)
		}
		if got := w.count("ConsentGranted"); got != 1 {
			t.Errorf("append %d is refused: granted %d times", n, got)
		}
		if got := said(w.browser("other").as(ada).get("f")); got != "xak-flow-redirect /" {
			t.Errorf("append %d is refused: the next time %s", n, got)
		}
		if got := said(w.browser("bob's").as(w.user("bob")).get("f")); got != "ak-stage-consent" {
			t.Errorf("somebody else is told %s", got)
		}
		if len(w.story(eventstore.Stream("counter", "consent"))) == 0 {
			t.Error("no key was taken")
		}
		if !refused {
			return
		}
	}
}
