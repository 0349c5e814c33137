package projections_test

import (
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

var (
	flow     = domain.Ref{ID: "flow", Kind: object.FlowModel, Revision: 4, Name: "Log in"}
	first    = domain.Ref{ID: "b1"}
	asks     = domain.Ref{ID: "s1", Kind: "stage.password", Name: "password"}
	deadline = start.Add(30 * time.Minute)
)

func started() execution.ExecutionStarted {
	return execution.ExecutionStarted{
		Flow: flow, Slug: "login", Designation: "authentication", Entry: "interface", Session: id("s"), Deadline: deadline,
	}
}

// login appends what a login leaves behind: execution x of user ada in session
// s, with one wrong password.
func login(w *world) (failed, loggedIn string) { return loginAs(w, "x", "s", "ada") }

// loginAs is login with other letters.
func loginAs(w *world, xx, ss, who string) (failed, loggedIn string) {
	network := session.Network{IP: "192.0.2.1", UserAgent: "agent"}
	in := func(n any) codec.Meta {
		m := codec.Meta{Network: n, Subject: "execution:" + id(xx)}
		m.Execution, m.Correlation = id(xx), id(xx)
		m.Actor = codec.Actor{Kind: "anonymous", Session: id(ss)}
		m.Request = codec.Request{ID: "r1"}
		return m
	}
	x, s := stream("execution", xx), stream("session", ss)
	w.appendAs(codec.Meta{Network: network}, s, session.SessionBegun{Kind: "browser", Begun: start, Expires: start.Add(time.Hour)})
	w.appendAs(in(network), x, started(), execution.PlanCreated{Flow: flow}, execution.StageEntered{Binding: first, Stage: asks, Kind: asks.Kind},
		execution.ChallengeIssued{Binding: first, Component: "ak", Sequence: 1, ExpiresAt: deadline.Add(time.Minute)})
	w.appendAs(in(nil), s, session.SessionExecutionAttached{Execution: id(xx), Flow: flow})
	w.appendAs(in(network), x, execution.SubjectIdentified{User: id(who), By: "identification", Identifier: "ada"})
	failed = w.appendAs(in(network), x, execution.LoginFailed{User: id(who), Stage: asks, Method: "password", Cause: "bad_credential", Failures: 1},
		execution.ResponseRejected{Binding: first, Sequence: 1, Attempt: 1, Action: "retry"})
	w.appendAs(in(session.Network{IP: "192.0.2.2", UserAgent: "other"}), x,
		execution.FactorVerified{Factor: execution.Factor{Method: "password", Kind: "knowledge"}},
		execution.StageCompleted{Binding: first, Sequence: 1},
		execution.UserLoggedIn{User: id(who), Session: id(ss), AuthMethod: "password"},
		execution.ExecutionCompleted{Redirect: "default", User: id(who), Session: id(ss)})
	for e, err := range w.store.ReadStream(w.t.Context(), x, 8) {
		if err != nil || e.Type != "UserLoggedIn" && loggedIn == "" && e.Revision > 9 {
			w.t.Fatal(err, e.Type)
		}
		if e.Type == "UserLoggedIn" {
			loggedIn = e.ID.String()
		}
	}
	w.appendAs(in(network), s, session.SessionAuthenticated{
		User: id(who), Execution: id(xx), Login: start.Add(time.Minute), Expires: start.Add(20 * time.Hour), IP: "192.0.2.9",
	})
	return failed, loggedIn
}

// script leaves something in every table.
func script(w *world) {
	login(w)
	w.append(stream("object", "f"), created(object.FlowModel, "login", map[string]any{"slug": "login"}))
	w.append(stream("object", "f"), object.ObjectChanged{Kind: object.FlowModel, Name: "in", Set: map[string]any{"title": "x"}})
	w.append(stream("token", "t"), apiToken())
	w.append(stream("token", "t"), token.TokenUsed{At: start.Add(time.Hour), First: true})
	w.append(stream("consent", "c"), consent.ConsentGranted{Key: 1, User: id("ada"), Application: consent.Application{ID: "app"}, Permissions: []string{"email"}})
	w.append(stream("invitation", "i"), invitation.InvitationUsed{Execution: id("y"), Last: true})
	w.append(stream("blueprint", "b"), blueprint.BlueprintAdded{Terms: blueprint.Terms{Name: "b", Path: "b.yaml"}})
	w.append(stream("user", "gone"), user.UserDeleted{})
	w.append(stream("execution", "y"), started(), execution.ExecutionDenied{Cause: "flow_policy", Action: "message"})
	outlive(w)
	overlook(w)
}

// outlive lets so much time pass that all executions so far are older than the
// rule for them, and begins another, whose user changes.
func outlive(w *world) {
	w.clock = w.clock.AddDate(0, 2, 0)
	w.append(eventstore.Stream("ledger", retention.ID), retention.LedgerRetentionChanged{Profile: "custom", Rows: 1, From: start})
	w.appendAs(codec.Meta{Network: session.Network{IP: "192.0.2.7", UserAgent: "agent"}}, stream("execution", "z"), started(),
		execution.StageEntered{Binding: first, Stage: asks, Kind: asks.Kind},
		execution.SubjectIdentified{User: id("ada")}, execution.SubjectIdentified{User: id("bob")})
}

func apiToken() token.TokenCreated {
	return token.TokenCreated{
		Intent: token.API, User: id("ada"), Identifier: "My-token", Description: "what for", Producer: "api",
		CredentialID: id("t"), Digest: domain.NewSecret("digest-1"),
	}
}
