package stage_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

func TestUserDelete(t *testing.T) {
	gone := func(who user.Person) execution.Event {
		return execution.SubjectIdentified{By: "user_delete", Previous: who.ID}
	}
	out := func(keep bool) execution.Effect {
		return execution.Effect{EndSession: &execution.EndSession{Session: "sess", User: idle.ID, Keep: keep}}
	}
	remove := func(who, by user.Person) execution.Effect {
		return execution.Effect{DeleteUser: &execution.DeleteUser{User: who.ID, By: by.ID}}
	}
	logout := execution.UserLoggedOut{User: idle.ID, Session: "sess"}
	tests := map[string]struct {
		subject, visitor user.Person
		pretended        bool
		more             bool // stages follow
		want             told
	}{
		"nobody":                          {want: told{Deny: ": No Pending User."}},
		"somebody who does not exist":     {subject: ghost, visitor: idle, pretended: true, want: told{Deny: ": No Pending User."}},
		"who is logged in":                {visitor: idle, want: told{Pass: true, Facts: []execution.Event{logout, gone(idle)}, Effects: []execution.Effect{out(false), remove(idle, idle)}}},
		"the pending user, not logged in": {subject: ada, want: told{Pass: true, Facts: []execution.Event{gone(ada)}, Effects: []execution.Effect{remove(ada, nobody)}}},
		"the pending user, by somebody else, whom it logs out": {
			subject: ada, visitor: idle,
			want: told{Pass: true, Facts: []execution.Event{logout, gone(ada)}, Effects: []execution.Effect{out(false), remove(ada, idle)}},
		},
		"with stages to follow the session stays": {
			visitor: idle, more: true,
			want: told{Pass: true, Facts: []execution.Event{logout, gone(idle)}, Effects: []execution.Effect{out(true), remove(idle, idle)}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), test.subject)
			in.Visitor = test.visitor
			if test.pretended {
				in.State.Context = execution.Context{execution.KeyPendingUser: dummy("ghost")}
			}
			if test.more {
				in.State.Plan = append(in.State.Plan, execution.Entry{})
			}
			s := &stage.UserDelete{}
			o, err := s.Enter(t.Context(), in)
			compare(t, test.want, o, err)
			o, err = s.Respond(t.Context(), in, []byte("{}"))
			compare(t, test.want, o, err)
		})
	}
}
