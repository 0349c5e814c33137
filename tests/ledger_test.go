package tests

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// An event is a line of "flowledger events --json", as far as these tests read
// it.
type event struct {
	Type     string `json:"type"`
	Stream   string `json:"stream"`
	Revision int    `json:"revision"`
	Payload  object `json:"payload"`
}

// sequence is the challenge that the event is about; 0 for none.
func (e event) sequence() int {
	n, _ := e.Payload["sequence"].(float64)
	return int(n)
}

// events returns the whole ledger of a stopped server.
func (s *server) events(tb testing.TB) []event {
	tb.Helper()
	return s.ledger(tb, "--data", s.data)
}

// eventsOf returns the events of a type from a running server.
func (s *server) eventsOf(tb testing.TB, name string) []event {
	tb.Helper()
	return s.ledger(tb, "--server", s.base, "--token", adminToken, "--type", name)
}

func (s *server) ledger(tb testing.TB, flags ...string) []event {
	tb.Helper()
	out, errs, code := s.command("", append([]string{"events", "--json"}, flags...)...)
	if code != 0 {
		tb.Fatalf("flowledger events: exit status %d\n%s", code, errs)
	}
	var events []event
	for line := range strings.Lines(out) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Type == "" || e.Stream == "" {
			tb.Fatalf("flowledger events: %q is no event: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

// executions sorts the events of executions by the execution's id.
func executions(events []event) map[string][]event {
	of := map[string][]event{}
	for _, e := range events {
		if id, ok := strings.CutPrefix(e.Stream, "execution-"); ok {
			of[id] = append(of[id], e)
		}
	}
	return of
}

// terminal are the events after which an execution is over.
var terminal = map[string]bool{
	"ExecutionCompleted": true, "ExecutionDenied": true, "ExecutionCancelled": true, "ExecutionExpired": true, "ExecutionFailed": true,
}

// count counts the events of a type; with a sequence above 0, those about it.
func count(events []event, name string, sequence int) (n int) {
	for _, e := range events {
		if e.Type == name && (sequence == 0 || e.sequence() == sequence) {
			n++
		}
	}
	return n
}

// checkExecution says what is wrong with the history of one execution whatever
// its clients did: a hole, two states, an answer that was taken twice.
func checkExecution(events []event) (wrong []string) {
	over := ""
	answered := map[int]string{}
	for i, e := range events {
		if e.Revision != i {
			return append(wrong, fmt.Sprintf("event %d has revision %d", i, e.Revision))
		}
		if (e.Type == "ExecutionStarted") != (i == 0) {
			wrong = append(wrong, fmt.Sprintf("event %d is %s", i, e.Type))
		}
		if over != "" && (terminal[e.Type] || e.Type == "StageCompleted" || e.Type == "ChallengeIssued") {
			wrong = append(wrong, fmt.Sprintf("%s comes after %s", e.Type, over))
		}
		if terminal[e.Type] {
			over = e.Type
		}
		if n := e.sequence(); n > 0 && (e.Type == "StageCompleted" || e.Type == "ResponseRejected") {
			if answered[n] != "" {
				wrong = append(wrong, fmt.Sprintf("challenge %d has two outcomes, %s and %s", n, answered[n], e.Type))
			}
			answered[n] = e.Type
		}
	}
	for _, name := range []string{"UserLoggedIn", "ExecutionCompleted"} {
		if n := count(events, name, 0); n > 1 {
			wrong = append(wrong, fmt.Sprintf("%d × %s", n, name))
		}
	}
	return wrong
}

// TestCheckExecution proves that a broken history is found out.
func TestCheckExecution(t *testing.T) {
	at := func(revision int, name string, sequence int) event {
		return event{Type: name, Revision: revision, Payload: object{"sequence": float64(sequence)}}
	}
	good := []event{
		at(0, "ExecutionStarted", 0), at(1, "ChallengeIssued", 1), at(2, "ResponseRejected", 1), at(3, "ChallengeIssued", 2),
		at(4, "StageCompleted", 2), at(5, "UserLoggedIn", 0), at(6, "ExecutionCompleted", 0),
	}
	tests := map[string]struct {
		events []event
		wrong  int
	}{
		"a login":              {good, 0},
		"a hole":               {append(good[:3:3], good[4:]...), 1},
		"two outcomes":         {append(good[:3:3], at(3, "StageCompleted", 1)), 1},
		"two ends":             {append(good[:7:7], at(7, "ExecutionDenied", 0)), 1},
		"a life after the end": {append(good[:7:7], at(7, "ChallengeIssued", 3)), 1},
		"two logins":           {append(good[:6:6], at(6, "UserLoggedIn", 0)), 1},
		"no beginning":         {[]event{at(0, "PlanCreated", 0)}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := checkExecution(test.events); len(got) != test.wrong {
				t.Errorf("got %q, want %d complaints", got, test.wrong)
			}
		})
	}
}
