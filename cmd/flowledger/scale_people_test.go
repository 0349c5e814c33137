package main

import (
	"fmt"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// The parts of people's names.
var (
	firstNames = []string{"Ada", "Grace", "Alan", "Barbara", "Edsger", "Frances", "Donald", "Radia", "Tony", "Margaret", "Niklaus"}
	lastNames  = []string{"Lovelace", "Hopper", "Turing", "Liskov", "Dijkstra", "Allen", "Knuth", "Perlman", "Hoare", "Hamilton", "Wirth", "Lamport", "Backus"}
)

func username(n int) string { return fmt.Sprintf("user%06d", n) }

// people writes the users, each with a password. The first is the superuser.
func (f *filler) people() {
	for n := range f.users {
		id, name := scaleID("user", n), username(n)
		full := firstNames[n%len(firstNames)] + " " + lastNames[n%len(lastNames)]
		email, path, active := name+"@example.org", fmt.Sprint("users/", n%20), n%50 != 49
		f.add(eventstore.Stream("username", f.vault.Code("username", name)), f.in("user:"+id), user.UsernameClaimed{User: id, Since: f.clock()})
		f.add(eventstore.Stream("user", id), f.in("user:"+id), decide[user.State](f.t, user.Create{
			Key: n + 1, Hash: f.hash, Credential: scaleID("credential", n), Via: "api", Now: f.clock(),
			Fields: user.Fields{
				Username: &name, Name: &full, Email: &email, Path: &path, Active: &active,
				Attributes: map[string]any{"team": fmt.Sprint("team-", n%100), "settings": map[string]any{"locale": "en"}},
			},
		})...)
	}
	f.add(eventstore.Stream("counter", "user"), f.in("tenant"), user.CounterAdvanced{To: f.users})
}

// groupCount is how many groups there are.
func (f *filler) groupCount() int { return max(f.users/100, 10) }

// groups writes the groups: the first may do everything, the second has every
// tenth user, the others have twenty members each. Each tenth has a parent.
func (f *filler) groups() {
	for n := range f.groupCount() {
		id := scaleID("group", n)
		name, super := fmt.Sprintf("group-%04d", n), n == 0
		w := group.Write{Name: &name, Superuser: &super, Attributes: map[string]any{"room": float64(n)}, Via: "api", Create: true}
		if n%10 == 9 {
			w.Parents = []string{scaleID("group", n-1)}
		}
		var members []codec.Event
		switch n {
		case 0:
			members = append(members, group.GroupMemberAdded{User: scaleID("user", 0), Via: "api"})
		case 1:
			for m := 0; m < f.users; m += 10 {
				members = append(members, group.GroupMemberAdded{User: scaleID("user", m), Via: "api"})
			}
		default:
			for m := range 20 {
				members = append(members, group.GroupMemberAdded{User: scaleID("user", (n*20+m)%f.users), Via: "api"})
			}
		}
		events := append(decide[group.State](f.t, w), members...)
		f.writes.Go(func() error {
			for len(events) > 0 {
				k := min(len(events), 500)
				if err := f.append(eventstore.Stream("group", id), f.in("group:"+id), events[:k]...); err != nil {
					return err
				}
				events = events[k:]
			}
			return nil
		})
	}
}

// keys writes tokens, invitations, consents, notifications, and what people
// changed of things and of themselves.
func (f *filler) keys() {
	for n := range f.users / 5 {
		id, who := scaleID("token", n), scaleID("user", n)
		key := fmt.Sprint("key ", n)
		if n == 0 {
			key = scaleToken
		}
		f.add(eventstore.Stream("token", id), f.in("user:"+who), decide[token.State](f.t, token.Create{
			Intent: []string{token.API, token.AppPassword}[min(n, 1)*(n%2)], User: who, Identifier: fmt.Sprintf("token-%06d", n), Producer: "api",
			Description: "for a script", Expiring: n > 0 && n%3 == 0, Expires: f.now.Add(1000 * time.Hour), Credential: scaleID("token credential", n),
			Digest: domain.NewSecret((&bearers{app: &app{vault: f.vault}}).digest(key)),
		})...)
		f.add(eventstore.Stream("notification", scaleID("notification", n)), f.in("user:"+who), notification.NotificationRaised{
			User: scaleID("user", n%2*n), Severity: "notice", Body: fmt.Sprint("Something happened, number ", n),
		})
	}
	for n := range f.users / 20 {
		id := scaleID("invitation", n)
		f.add(eventstore.Stream("invitation", id), f.in("invitation:"+id), invitation.InvitationCreated{By: scaleID("user", n%100), Via: "api", Terms: invitation.Terms{
			Name: fmt.Sprintf("invitation-%05d", n), Flow: scaleID("flow", n%f.flows), SingleUse: true, FixedData: map[string]any{"team": "x"},
		}})
		f.add(eventstore.Stream("consent", scaleID("consent", n)), f.in("user:"+scaleID("user", n)), consent.ConsentGranted{
			Key: n + 1, User: scaleID("user", n), Application: consent.Application{ID: scaleID("application", n%7), Name: "App", Slug: "app"},
			Permissions: []string{"email"}, Mode: "permanent", Execution: scaleID("execution", n), By: "authentik_stages_consent.consentstage",
		})
	}
	for n := range f.flows {
		f.add(eventstore.Stream("object", scaleID("flow", n)), f.in("object:"+scaleID("flow", n)), object.ObjectChanged{
			Kind: object.FlowModel, Name: fmt.Sprintf("flow-%05d", n), By: scaleID("user", 0), Via: "api",
			Set: map[string]any{"title": fmt.Sprint("Hello from ", n)}, Previous: map[string]any{"title": fmt.Sprint("Welcome to ", n)},
		})
	}
}

// logins writes executions until there are enough events: two of three end
// with a login, whose sessions live if they are new.
func (f *filler) logins() {
	// What is being written counts as written, so all of a login is or nothing.
	for n := 0; int(f.done.Load()) < f.events; n++ {
		f.writes.Go(func() error { return f.login(n) })
	}
}

// scaleRef refers to the n-th thing of a sort.
func scaleRef(model, sort string, n int) domain.Ref {
	return domain.Ref{ID: scaleID(sort, n), Kind: model, Name: fmt.Sprint(sort, " ", n)}
}

func (f *filler) login(n int) error {
	id, ss, at := scaleID("execution", n), scaleID("session", n), f.clock()
	who, flow := n*7%f.users, n%min(f.flows, 40)
	network := session.Network{IP: fmt.Sprintf("192.0.%d.%d", n/250%250, n%250), UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
	in := f.in("execution:" + id)
	in.Network, in.Header.Execution, in.Header.Correlation = network, id, id
	in.Header.Actor = codec.Actor{Kind: "anonymous", Session: ss}
	began := f.in("session:" + ss)
	began.Network = network
	if err := f.append(eventstore.Stream("session", ss), began, session.SessionBegun{Kind: "browser", Begun: at, Expires: at.Add(months)}); err != nil {
		return err
	}
	first, second := scaleRef("authentik_stages_identification.identificationstage", "first", flow), scaleRef(secondStages[0], "second", flow)
	one, two := scaleRef(object.StageBindingModel, "binding 0", flow), scaleRef(object.StageBindingModel, "binding 1", flow)
	until := at.Add(30 * time.Minute)
	events := []codec.Event{
		execution.ExecutionStarted{
			Flow: scaleRef("", "flow", flow), Slug: fmt.Sprintf("flow-%05d", flow), Designation: "authentication", Authentication: "none",
			DeniedAction: "message_continue", Entry: "api", Session: ss, Deadline: until,
		},
		execution.PlanCreated{Entries: []execution.Entry{{Binding: one, Stage: first, Marker: "static"}, {Binding: two, Stage: second, Order: 10, Marker: "static"}}},
		execution.StageEntered{Binding: one, Stage: first, Kind: first.Kind},
		execution.ChallengeIssued{Binding: one, Component: "ak-stage-identification", Sequence: 1, ExpiresAt: until},
		execution.SubjectIdentified{User: scaleID("user", who), By: "identification", MatchedOn: "username", Identifier: username(who)},
		execution.StageCompleted{Binding: one, Sequence: 1, Attempts: 1, MS: 900},
		execution.StageEntered{Binding: two, Stage: second, Kind: second.Kind},
		execution.ChallengeIssued{Binding: two, Component: "ak-stage-password", Sequence: 2, ExpiresAt: until},
	}
	if n%3 == 2 {
		events = append(events,
			execution.LoginFailed{User: scaleID("user", who), Stage: second, Method: "password", Cause: "bad_credential", Failures: 1, Identifier: username(who)},
			execution.ResponseRejected{Binding: two, Sequence: 2, Attempt: 1, Action: "deny"},
			execution.ExecutionDenied{Cause: "stage", Action: "message"})
		if err := f.append(eventstore.Stream("execution", id), in, events...); err != nil {
			return err
		}
		return f.over(ss, at)
	}
	events = append(events,
		execution.FactorVerified{Factor: execution.Factor{Method: "password", Kind: "knowledge"}},
		execution.StageCompleted{Binding: two, Sequence: 2, Attempts: 1, MS: 1200},
		execution.UserLoggedIn{User: scaleID("user", who), Session: ss, AuthMethod: "password", AAL: 1, Expires: at.Add(months)},
		execution.ExecutionCompleted{Redirect: "default", User: scaleID("user", who), Session: ss, AAL: 1, MS: 2100, To: "/"})
	if err := f.append(eventstore.Stream("execution", id), in, events...); err != nil {
		return err
	}
	in.Network = nil
	err := f.append(eventstore.Stream("session", ss), in, session.SessionAuthenticated{
		User: scaleID("user", who), Execution: id, Login: at, Expires: f.now.Add(months), IP: network.IP,
	})
	if err != nil {
		return err
	}
	return f.over(ss, at)
}

// over ends a session that has idled too long by the time the ledger ends.
func (f *filler) over(ss string, seen time.Time) error {
	if f.now.Sub(seen) < session.IdleKept-time.Hour {
		return nil
	}
	return f.append(eventstore.Stream("session", ss), f.in("session:"+ss), session.SessionEnded{Cause: "expired"})
}
