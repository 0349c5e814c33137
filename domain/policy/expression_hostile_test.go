package policy_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/policy"
)

// What expressions reach of the host is paid for like the language itself
// (domain/expr has the test of that).
func TestHostileExpressionsEndSoon(t *testing.T) {
	const query = "from authentik.core.models import User\nq = User.objects.all()\n"
	for name, source := range map[string]string{
		"large log lines":            "x = 'a' * 1000000\nwhile True: ak_logger.info(x)",
		"large values of log lines":  "x = 'a' * 1000000\nwhile True: ak_logger.info('a', b=x)",
		"large messages":             "x = 'a' * 1000000\nwhile True: ak_message(x)",
		"large events":               "x = 'a' * 1000000\nwhile True: ak_create_event('a', x=x)",
		"large mails":                "x = 'a' * 30000\nwhile True: ak_send_email('a@example.org', 's', body=x)",
		"long conditions":            "x = 'a' * 3000000\nwhile True: ak_user_by(username=x)",
		"a chain of conditions":      query + "while True: q = q.filter(username='a')",
		"a chain of slices":          query + "while True: q = q[0:100]",
		"many queries":               query + "while True: q.exclude(username='a')",
		"many look-ups":              query + "while True: list(q)",
		"many requests":              "while True: http_request.META",
		"many sessions":              "while True: http_request.session",
		"many attributes":            "while True: request.user.group_attributes()",
		"policies that call all day": "def f(p): return ak_call_policy('self', p=p)\nreturn [f(i) for i in range(1000)]",
		"values in values":           "x = [1]\nfor i in range(9): x = [x] * 100\nak_message(x)\nreturn x",
		"values in events":           "x = [1]\nfor i in range(9): x = [x] * 100\nak_create_event('a', x=x)\nreturn 1",
		"values in log lines":        "x = [1]\nfor i in range(9): x = [x] * 100\nak_logger.info('a', x=x)\nreturn 1",
		"values in calls":            "x = [1]\nfor i in range(9): x = [x] * 100\nreturn ak_user_by(username=x)",
	} {
		t.Run(name, func(t *testing.T) {
			p := &policy.Expression{Source: source}
			ask := func() (took time.Duration, used uint64) {
				r := asked(ada)
				r.Env = env{policies: map[string]policy.Policy{"self": p}}.in()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				_, _ = p.Passes(t.Context(), r)
				took = time.Since(start)
				runtime.ReadMemStats(&after)
				return took, after.TotalAlloc - before.TotalAlloc
			}
			var took time.Duration
			var used uint64
			for range 5 { // the machine may be busy with something else
				if took, used = ask(); took <= 100*time.Millisecond*slowdown {
					break
				}
			}
			if took > 100*time.Millisecond*slowdown || used > 64<<20*slowdown {
				t.Errorf("took %v and %d bytes, garbage included", took, used)
			}
		})
	}
}
