package siem_test

import (
	"slices"
	"testing"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/siem"
)

// logins are the events of logins, as a ledger that serves nothing else has
// them.
func logins(w *world, n int) (all []eventstore.Recorded) {
	for i := range n {
		id := x1[:len(x1)-2] + string([]byte{'0' + byte(i/10), '0' + byte(i%10)})
		at := eventstore.Stream("execution", id)
		m := meta("anonymous", "", id)
		login := execution.Entry{Binding: ref("b2", ""), Stage: ref("st2", "login")}
		all = append(all, slices.Concat(
			w.append(at, m, execution.ExecutionStarted{Flow: ref("f1", "Welcome"), Slug: "welcome", Session: "s1"},
				execution.PlanCreated{Entries: []execution.Entry{{Binding: ref("b1", ""), Stage: ref("st1", "password")}, login}},
				execution.StageEntered{Binding: ref("b1", ""), Stage: ref("st1", "password")},
				execution.ChallengeIssued{Binding: ref("b1", ""), Component: "ak-stage-password", Sequence: 1}),
			w.append(at, m, execution.SubjectIdentified{User: "u1", Identifier: "ada"}, execution.LoginFailed{Method: "password", Cause: "bad_credential", User: "u1", Identifier: "ada"},
				execution.ResponseRejected{Binding: ref("b1", ""), Sequence: 1, Action: "retry"}),
			w.append(at, m, execution.FactorVerified{Factor: execution.Factor{Method: "password"}}, execution.StageCompleted{Binding: ref("b1", "")},
				execution.UserLoggedIn{User: "u1", Session: "s1", Factors: []execution.Factor{{Method: "password"}}},
				execution.ExecutionCompleted{User: "u1", Session: "s1"}),
			w.append("session-s1", m, session.SessionAuthenticated{User: "u1", Execution: id}),
		)...)
	}
	return all
}

// BenchmarkRecords gathers and writes the events of logins, whose executions
// and people are remembered.
func BenchmarkRecords(b *testing.B) {
	for _, personal := range []bool{false, true} {
		w := newWorld(b)
		w.People = people{"u1": {Username: "ada", Name: "Ada", Email: "ada@example.org"}}
		w.Personal = personal
		all := logins(w, 100)
		name := "pseudonymous"
		if personal {
			name = "personal"
		}
		b.Run(name+"/gather", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				w.record(all[i%len(all)])
			}
		})
		var records []siem.Record
		for _, e := range all {
			records = append(records, w.record(e))
		}
		for _, f := range siem.Formats() {
			b.Run(name+"/"+string(f), func(b *testing.B) {
				b.ReportAllocs()
				var to []byte
				for i := 0; b.Loop(); i++ {
					var err error
					if to, _, err = f.Append(to[:0], records[i%len(records)], siem.Options{Personal: personal, All: true}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
