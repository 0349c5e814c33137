package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

func TestTimeline(t *testing.T) {
	w := newWorld(t)
	login(w)
	w.append(stream("execution", "y"), started())
	w.run()
	w.settle()
	entries := must[[]projections.Entry](t)(w.audit.Timeline(t.Context(), id("x")))
	var got []string
	for _, e := range entries {
		got = append(got, e.Type)
	}
	want := []string{
		"ExecutionStarted", "PlanCreated", "StageEntered", "ChallengeIssued", "SessionExecutionAttached", "SubjectIdentified",
		"LoginFailed", "ResponseRejected", "FactorVerified", "StageCompleted", "UserLoggedIn", "ExecutionCompleted", "SessionAuthenticated",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	if none := must[[]projections.Entry](t)(w.audit.Timeline(t.Context(), "")); len(none) != 0 {
		t.Errorf("no execution has a timeline of %d", len(none))
	}
	if y := must[[]projections.Entry](t)(w.audit.Timeline(t.Context(), id("y"))); len(y) != 1 {
		t.Errorf("an execution without headers has a timeline of %d, want 1", len(y))
	}
}

func TestSignIns(t *testing.T) {
	w := newWorld(t)
	failed, loggedIn := login(w)
	w.append(stream("execution", "y"), execution.LoginFailed{User: id("bob")})
	w.run()
	w.settle()
	got := must[[]projections.SignIn](t)(w.audit.SignIns(t.Context(), id("ada"), 9))
	want := []projections.SignIn{
		{Entry: got[0].Entry, Succeeded: true, Method: "password", IP: "192.0.2.2", UserAgent: "other"},
		{Entry: got[1].Entry, Method: "password", IP: "192.0.2.1", UserAgent: "agent"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(projections.Entry{}.Position)); diff != "" {
		t.Errorf("sign-ins (-want +got):\n%s", diff)
	}
	if got[0].ID != loggedIn || got[1].ID != failed {
		t.Errorf("ids %s and %s, want %s and %s", got[0].ID, got[1].ID, loggedIn, failed)
	}
	if got := must[[]projections.SignIn](t)(w.audit.SignIns(t.Context(), id("ada"), 1)); len(got) != 1 || !got[0].Succeeded {
		t.Errorf("the newest: %+v", got)
	}
	if got := must[[]projections.SignIn](t)(w.audit.SignIns(t.Context(), "", 9)); len(got) != 0 {
		t.Errorf("nobody's: %+v", got)
	}
}

func by(actor, request string) codec.Meta {
	m := codec.Meta{}
	m.Actor = codec.Actor{Kind: "admin", ID: actor}
	m.Request = codec.Request{ID: request}
	return m
}

func TestActions(t *testing.T) {
	inExecution := codec.Meta{}
	inExecution.Execution = id("x")
	exception := execution.Evaluation{Results: []execution.PolicyResult{{Outcome: "ok"}, {Outcome: "exception"}}}
	timeout := execution.Evaluation{Results: []execution.PolicyResult{{Outcome: "timeout"}}}
	cases := map[string]struct {
		meta  codec.Meta
		to    string
		event codec.Event
		want  string
		user  string
	}{
		"a login is the subject's":     {by("admin", ""), "execution", execution.UserLoggedIn{User: "u"}, "login", "u"},
		"so is a failed one":           {by("", ""), "execution", execution.LoginFailed{User: "u"}, "login_failed", "u"},
		"so is a logout":               {by("admin", ""), "execution", execution.UserLoggedOut{User: "u"}, "logout", "u"},
		"a broken binding is a logout": {by("", ""), "session", session.SessionBindingBroken{}, "logout", ""},
		"an object is made":            {by("admin", ""), "object", object.ObjectCreated{}, "model_created", "admin"},
		"an object is changed":         {by("admin", ""), "object", object.ObjectChanged{}, "model_updated", "admin"},
		"an object is removed":         {by("admin", ""), "object", object.ObjectRemoved{}, "model_deleted", "admin"},
		"a user is made":               {by("admin", ""), "user", user.UserCreated{Key: 1}, "model_created", "admin"},
		"a user is changed":            {by("admin", ""), "user", user.UserDeactivated{}, "model_updated", "admin"},
		"a user is deleted":            {by("admin", ""), "user", user.UserDeleted{}, "model_deleted", "admin"},
		"a flow makes a user":          {inExecution, "user", user.UserCreated{Key: 1}, "user_write", "self"},
		"a flow changes a user":        {inExecution, "user", user.UserProfileChanged{}, "user_write", "self"},
		"a flow deletes a user":        {inExecution, "user", user.UserDeleted{}, "model_deleted", "self"},
		"a password is set":            {by("admin", ""), "user", user.UserPasswordSet{CredentialID: "c"}, "password_set", "admin"},
		"a rehash is nothing":          {by("admin", ""), "user", user.UserPasswordRehashed{CredentialID: "c"}, "", "admin"},
		"a claim is nothing":           {by("", ""), "username", user.UsernameClaimed{User: "u"}, "", "u"},
		"a group is made":              {by("admin", ""), "group", group.GroupCreated{}, "model_created", "admin"},
		"a group is changed":           {by("admin", ""), "group", group.GroupMemberAdded{User: "u"}, "model_updated", "admin"},
		"a group is deleted":           {by("admin", ""), "group", group.GroupDeleted{}, "model_deleted", "admin"},
		"a token is made":              {by("admin", ""), "token", token.TokenCreated{CredentialID: "c", User: "u"}, "model_created", "admin"},
		"a link is no token":           {by("admin", ""), "token", token.TokenCreated{CredentialID: "c", User: "u", Flow: "f"}, "", "admin"},
		"a policy notes something":     {by("admin", ""), "audit", audit.AuditCustomRecorded{Action: "custom_x", By: "u"}, "custom_x", "u"},
		"a mail is sent":               {codec.Meta{}, "mail", mail.MailSent{User: "u", To: []string{"ada@example.test"}}, "email_sent", "u"},
		"a mail is asked for":          {by("admin", ""), "mail", mail.MailRequested{Mail: "m"}, "", "admin"},
		"somebody notes something":     {by("admin", ""), "audit", audit.AuditCustomRecorded{Action: "custom_x"}, "custom_x", "admin"},
		"a token is viewed":            {by("admin", ""), "token", token.TokenViewed{}, "secret_view", "admin"},
		"a token is revoked":           {by("admin", ""), "token", token.TokenRevoked{}, "model_deleted", "admin"},
		"a token is used":              {by("admin", ""), "token", token.TokenUsed{}, "", "admin"},
		"an expression failed":         {by("", ""), "execution", execution.Diagnosed("prompt", []execution.Diagnostic{{Class: execution.MappingException}}), "property_mapping_exception", ""},
		"the context changed":          {by("", ""), "execution", execution.ContextChanged{By: "policy"}, "", ""},
		"a policy erred":               {by("", ""), "execution", execution.PolicyEvaluated{Evaluation: exception}, "policy_exception", ""},
		"a policy took too long":       {by("", ""), "execution", execution.PolicyEvaluated{Evaluation: timeout}, "policy_exception", ""},
		"a policy erred and denied":    {by("", ""), "execution", execution.PolicyDenied{Evaluation: exception}, "policy_exception", ""},
		"a policy denied":              {by("", ""), "execution", execution.PolicyDenied{}, "", ""},
		"a stage failed":               {by("", ""), "execution", execution.ExecutionFailed{}, "system_exception", ""},
		"a step is nothing":            {by("", ""), "execution", execution.StageEntered{}, "", ""},
	}
	w := newWorld(t)
	for name, tt := range cases {
		w.appendAs(tt.meta, stream(tt.to, name), tt.event)
	}
	w.run()
	w.settle()
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			of := projections.AuditFilter{Stream: string(stream(tt.to, name))}
			entries, _, _, err := w.audit.List(t.Context(), of, false, projections.Page{})
			if tt.user == "self" {
				tt.user = id(name)
			}
			if err != nil || len(entries) != 1 || entries[0].Action != tt.want || entries[0].User != tt.user {
				t.Errorf("got %+v, %v, want %q of %q", entries, err, tt.want, tt.user)
			}
			of.AnyAction = true
			shown, total, _, err := w.audit.List(t.Context(), of, false, projections.Page{})
			if err != nil || len(shown) != total || (total == 1) != (tt.want != "") {
				t.Errorf("shown: %+v of %d, %v", shown, total, err)
			}
		})
	}
}

// The contract has one row for one change, although it is several events.
func TestOneChangeIsOneAction(t *testing.T) {
	w := newWorld(t)
	to := stream("user", "ada")
	w.appendAs(by("admin", "r1"), to, ada(), user.UserPasswordSet{CredentialID: "c", Hash: hash})
	w.appendAs(by("admin", "r2"), to, user.UserRenamed{}, user.UserProfileChanged{}, user.UserMoved{})
	w.appendAs(by("admin", "r3"), to, user.UserRenamed{})
	w.appendAs(by("admin", ""), to, user.UserRenamed{}, user.UserMoved{})
	w.appendAs(by("", "r4"), stream("execution", "x"), execution.LoginFailed{User: "u"}, execution.LoginFailed{User: "u"})
	w.run()
	w.settle()
	count := func(f projections.AuditFilter) int {
		entries, total, exact, err := w.audit.List(t.Context(), f, false, projections.Page{})
		if err != nil || len(entries) != total || !exact {
			t.Errorf("%+v: %d of %d, %v", f, len(entries), total, err)
		}
		return total
	}
	for action, want := range map[string]int{"model_created": 1, "password_set": 1, "model_updated": 4, "login_failed": 2} {
		if got := count(projections.AuditFilter{Actions: []string{action}}); got != want {
			t.Errorf("%d times %s, want %d", got, action, want)
		}
	}
	if got := count(projections.AuditFilter{Users: []string{"admin"}}); got != 6 {
		t.Errorf("%d actions of the administrator, want 6", got)
	}
	if got := count(projections.AuditFilter{Actor: "admin"}); got != 8 {
		t.Errorf("%d events of the administrator, want 8", got)
	}
	if got := count(projections.AuditFilter{Subject: id("ada"), Types: []string{"UserMoved"}}); got != 2 {
		t.Errorf("%d moves of the subject, want 2", got)
	}
	newest, total, _, err := w.audit.List(t.Context(), projections.AuditFilter{Stream: string(to)}, false, projections.Page{Offset: 1, Limit: 2})
	if err != nil || total != 8 || len(newest) != 2 || newest[0].Revision != 6 || newest[1].Revision != 5 {
		t.Errorf("second page: %+v of %d, %v", newest, total, err)
	}
	oldest, _, _, err := w.audit.List(t.Context(), projections.AuditFilter{Category: "user"}, true, projections.Page{Limit: 1})
	if err != nil || len(oldest) != 1 || oldest[0].Type != "UserCreated" {
		t.Errorf("oldest: %+v, %v", oldest, err)
	}
}

func TestAuditReadsTheLedger(t *testing.T) {
	w := newWorld(t)
	made := w.append(stream("user", "ada"), ada())
	w.run()
	w.settle()
	entry, ok, err := w.audit.ByID(t.Context(), made)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	e := must[codec.Decoded](t)(w.audit.Event(t.Context(), entry))
	if got, ok := e.Event.(user.UserCreated); !ok || got.Username != "Ada" {
		t.Errorf("got %+v", e.Event)
	}
	if _, ok, err := w.audit.ByID(t.Context(), "none"); ok || err != nil {
		t.Errorf("none is there: %v", err)
	}
	entry.Revision = 7
	if _, err := w.audit.Event(t.Context(), entry); err == nil {
		t.Error("an event that is not there is read")
	}
}
