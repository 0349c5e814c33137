package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/projections"
)

// What was sealed about somebody is found, and what of it goes later.
func TestSubjects(t *testing.T) {
	w := newWorld(t)
	ada := id("ada")
	w.append(stream("execution", "x"), started(), execution.SubjectIdentified{User: ada}, execution.ExecutionCompleted{})
	w.append(stream("execution", "y"), started(), execution.SubjectIdentified{User: ada})
	w.append(stream("execution", "z"), started(), execution.SubjectIdentified{User: id("bob")})
	w.append(stream("execution", "w"), started(), execution.LoginFailed{User: ada, Identifier: "ada"}, execution.ExecutionExpired{})
	w.append(stream("session", "s"), session.SessionAuthenticated{User: ada}, session.SessionEnded{})
	w.append(stream("session", "t"), session.SessionAuthenticated{User: ada}, session.SessionAuthenticated{User: id("bob")})
	w.append(stream("user", "ada"), user.UserPasswordSet{CredentialID: "c1", Hash: domain.NewSecret("h")})
	w.append(stream("token", "k"), token.TokenCreated{User: ada, CredentialID: "c2", Digest: domain.NewSecret("d")})
	w.append(stream("invitation", "i"), invitation.InvitationUsed{Execution: id("x"), Last: true})
	w.append(stream("invitation", "many"), invitation.InvitationUsed{Execution: id("x")})
	w.run()
	w.settle()
	of := func(want ...projections.Subject) {
		t.Helper()
		got, err := w.subjects.Of(t.Context(), ada)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	failed := projections.Subject{Kind: "execution", ID: id("w"), Over: true}
	x, y := projections.Subject{Kind: "execution", ID: id("x"), Over: true}, projections.Subject{Kind: "execution", ID: id("y")}
	s, used := projections.Subject{Kind: "session", ID: id("s"), Over: true}, projections.Subject{Kind: "session", ID: id("t")}
	of(x, y, failed, s, used, projections.Subject{Kind: "credential", ID: "c1", Over: true}, projections.Subject{Kind: "credential", ID: "c2", Over: true})
	guests, err := w.subjects.Guests(t.Context(), id("x"))
	if diff := cmp.Diff([]projections.Subject{{Kind: "invitation", ID: id("i"), Over: true}}, guests); diff != "" || err != nil {
		t.Errorf("guests, %v (-want +got):\n%s", err, diff)
	}
	due := func(due, left []string) {
		t.Helper()
		w.settle()
		gotDue, err := w.subjects.Due(t.Context(), start, 9)
		if diff := cmp.Diff(due, gotDue); diff != "" || err != nil {
			t.Errorf("due, %v (-want +got):\n%s", err, diff)
		}
		gotLeft, err := w.subjects.Left(t.Context(), start, 9)
		if diff := cmp.Diff(left, gotLeft); diff != "" || err != nil {
			t.Errorf("left, %v (-want +got):\n%s", err, diff)
		}
	}
	due(nil, nil)
	w.append(stream("user", "ada"), user.UserDeleted{})
	due([]string{ada}, nil)
	indexed := w.last.String()
	w.append(stream("execution", "late"), started(), execution.SubjectIdentified{User: ada}) // after the index was asked
	w.append(stream("key", "ada"), key.SubjectKeyDestroyed{Kind: key.User, IndexedTo: indexed, Remaining: []string{y.Name(), used.Name()}})
	due(nil, nil)
	of(y, used, projections.Subject{Kind: "execution", ID: id("late")})
	w.append(stream("execution", "late"), execution.ExecutionExpired{})
	w.append(stream("session", "t"), session.SessionEnded{})
	due(nil, []string{"execution:" + id("late"), used.Name()})
	w.append(stream("key", "late"), key.SubjectKeyDestroyed{Kind: key.Execution})
	w.append(stream("key", "t"), key.SubjectKeyDestroyed{Kind: key.Session})
	due(nil, nil)
	of(y)
}
