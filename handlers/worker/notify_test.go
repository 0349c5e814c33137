package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/command"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A newsdesk is a notifier with all that it works on. Its rules fire for what they
// are told to.
type newsdesk struct {
	*office
	notices *command.Handler[notification.State]

	mu         sync.Mutex
	rules      []object.Thing
	transports map[string]object.Thing
	fires      func(ctx context.Context, rule object.Thing, r worker.Report) (execution.Evaluation, error)
	members    map[string][]user.Person
	asked      []string // rule and event
	opened     int      // events that were
	broken     error    // what the next report fails with
}

func newNewsdesk(t *testing.T, rules ...object.Thing) *newsdesk {
	o := newOffice(t)
	return &newsdesk{
		office: o, notices: &command.Handler[notification.State]{Store: o.ledger, Codec: o.codec}, rules: rules,
		transports: map[string]object.Thing{
			"local": transport("local", fields{"mode": "local"}), "once": transport("once", fields{"mode": "local", "send_once": true}),
			"mail": transport("mail", fields{"mode": "email", "email_template": "email/event_notification.html", "email_subject_prefix": "Notification: "}),
		},
		members: map[string][]user.Person{"watchers": {person("ada"), person("bob")}},
	}
}

type fields = map[string]any

func transport(id string, f fields) object.Thing {
	return object.Thing{ID: id, Kind: notification.TransportModel, Name: id, Fields: f}
}

func rule(id string, f fields) object.Thing {
	all := fields{"severity": "notice", "transports": []any{"local"}, "destination_group": "watchers", "destination_event_user": false}
	for name, v := range f {
		all[name] = v
	}
	return object.Thing{ID: id, Kind: notification.RuleModel, Name: id, Fields: all}
}

func person(name string) user.Person {
	return user.Person{ID: name, Username: name, Email: name + "@example.org", Active: true}
}

func (d *newsdesk) Rules(context.Context, worker.Position) ([]object.Thing, error) {
	return d.rules, nil
}

func (d *newsdesk) Reportable(e eventstore.Recorded) bool {
	return e.Type == "UserLoggedIn" || e.Type == "MailSent"
}

func (d *newsdesk) Report(ctx context.Context, e eventstore.Recorded) (worker.Report, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened++
	if err := d.broken; err != nil {
		d.broken = nil
		return worker.Report{}, false, err
	}
	decoded, err := d.codec.Decode(ctx, e)
	shown := fields{"action": "email_sent", "context": fields{}}
	r := worker.Report{Decoded: decoded, Shown: shown}
	if in, ok := decoded.Event.(execution.UserLoggedIn); ok {
		r.Who = person(in.User)
		shown["action"], shown["user"] = "login", fields{"username": in.User}
	}
	return r, true, err
}

func (d *newsdesk) Fires(ctx context.Context, rule object.Thing, r worker.Report) (execution.Evaluation, error) {
	d.mu.Lock()
	d.asked = append(d.asked, fmt.Sprintf("%s about %s of %s", rule.ID, r.Shown["action"], r.Who.ID))
	fires := d.fires
	d.mu.Unlock()
	if fires != nil {
		return fires(ctx, rule, r)
	}
	return execution.Evaluation{Passing: true}, nil
}

func (d *newsdesk) Transport(id string) (object.Thing, bool) {
	t, ok := d.transports[id]
	return t, ok
}

func (d *newsdesk) Members(_ context.Context, group string) ([]user.Person, error) {
	return d.members[group], nil
}

func (*newsdesk) Brand() string { return "Example" }

// login is somebody's login; it returns the id of the event.
func (d *newsdesk) login(in, who string) string {
	d.t.Helper()
	return d.happen(eventstore.Stream("execution", in), "user:"+who, execution.UserLoggedIn{User: who, AuthMethod: "password"})
}

func (d *newsdesk) happen(to eventstore.StreamID, subject string, e codec.Event) string {
	d.t.Helper()
	meta := codec.Meta{Subject: subject, Time: start}
	meta.Header.Correlation = "c"
	encoded, err := d.codec.Encode(d.t.Context(), to, meta, e)
	if err == nil {
		_, err = d.ledger.Append(d.t.Context(), to, eventstore.Any, encoded...)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return encoded[0].ID.String()
}

// run is one life of the worker, from a position to the end of the ledger.
func (d *newsdesk) run(from eventstore.Position) {
	d.t.Helper()
	n := &worker.Notifier{
		Follower: worker.Follower{
			Store: d.ledger, From: from, Retry: time.Microsecond, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
			Save: func(worker.Position) error { return nil },
			Park: func(_ context.Context, e eventstore.Recorded, cause error) error {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.parked = append(d.parked, e.Type+": "+cause.Error())
				return nil
			},
		},
		Newsroom: d, Readers: d, Notices: d.notices, Mails: d.mails, Now: func() time.Time { return start },
	}
	ctx, stop := context.WithCancel(d.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	d.await(func() bool { return n.Checkpoint().Compare(d.head()) >= 0 })
	stop()
	if err := <-ended; err != nil {
		d.t.Fatal(err)
	}
}

// told lists who was told what, by which way, in their order.
func (d *newsdesk) told() []string {
	d.t.Helper()
	out := []string{}
	for r, err := range d.ledger.ReadAll(d.t.Context(), eventstore.Position{}) {
		if err != nil {
			d.t.Fatal(err)
		}
		decoded, err := d.codec.Decode(d.t.Context(), r)
		if err != nil {
			d.t.Fatal(err)
		}
		switch e := decoded.Event.(type) {
		case notification.NotificationRaised:
			out = append(out, fmt.Sprintf("%s %s %q by %s", e.User, e.Severity, e.Body, e.Rule.Name))
		case mail.MailRequested:
			out = append(out, fmt.Sprintf("%s %s", strings.Join(e.To, " "), e.Subject))
		}
	}
	return out
}

func TestNotify(t *testing.T) {
	gone := person("gone")
	gone.Active = false
	for sentence, tt := range map[string]struct {
		rule fields
		want []string
	}{
		"a rule tells its group":         {nil, []string{`ada notice "Login (eve)" by r`, `bob notice "Login (eve)" by r`}},
		"with its severity":              {fields{"severity": "alert", "transports": []any{"once"}}, []string{`ada alert "Login (eve)" by r`}},
		"without transports as well":     {fields{"transports": []any{}}, []string{`ada notice "Login (eve)" by r`, `bob notice "Login (eve)" by r`}},
		"two local ways are one":         {fields{"transports": []any{"local", "once"}}, []string{`ada notice "Login (eve)" by r`, `bob notice "Login (eve)" by r`}},
		"a way that is gone is none":     {fields{"transports": []any{"gone"}}, []string{}},
		"no group is nobody":             {fields{"destination_group": nil}, []string{}},
		"a group without members":        {fields{"destination_group": "empty"}, []string{}},
		"who may not log in is not told": {fields{"destination_group": "past"}, []string{}},
		"the user of the event":          {fields{"destination_group": nil, "destination_event_user": true}, []string{`eve notice "Login (eve)" by r`}},
		"a member who is that user":      {fields{"destination_group": "eves", "destination_event_user": true}, []string{`eve notice "Login (eve)" by r`}},
		"by mail":                        {fields{"transports": []any{"mail"}}, []string{"ada@example.org Notification: Login", "bob@example.org Notification: Login"}},
		"who has no address is not":      {fields{"transports": []any{"mail"}, "destination_group": "mute"}, []string{}},
	} {
		t.Run(sentence, func(t *testing.T) {
			d := newNewsdesk(t, rule("r", tt.rule))
			mute := person("mute")
			mute.Email = ""
			d.members["past"], d.members["eves"], d.members["mute"] = []user.Person{gone}, []user.Person{person("eve")}, []user.Person{mute}
			d.login("x", "eve")
			d.run(eventstore.Position{})
			if diff := cmp.Diff(tt.want, d.told()); diff != "" || len(d.parked) > 0 {
				t.Errorf("told (-want +got):\n%s\nparked %v", diff, d.parked)
			}
		})
	}
}

// Where there are no rules, and where no rule could be about an event, nothing
// is opened.
func TestNotifyCostsNothing(t *testing.T) {
	d := newNewsdesk(t)
	d.login("x", "eve")
	d.run(eventstore.Position{})
	d.rules = []object.Thing{rule("r", nil)}
	d.happen(eventstore.Stream("execution", "y"), "user:eve", execution.ExecutionCancelled{})
	before := d.head()
	d.happen(eventstore.Stream("execution", "z"), "user:eve", execution.ExecutionCancelled{})
	d.run(before)
	if d.opened != 0 || len(d.asked) != 0 {
		t.Errorf("opened %d events, asked %v", d.opened, d.asked)
	}
}

// A life of the worker that forgot how far it was tells nobody twice, not even
// what they have removed.
func TestNotifyReplay(t *testing.T) {
	d := newNewsdesk(t, rule("r", fields{"transports": []any{"local", "mail"}}))
	id := d.login("x", "eve")
	d.run(eventstore.Position{})
	first := d.told()
	for r, err := range d.ledger.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Type != "NotificationRaised" {
			continue
		}
		decoded, err := d.codec.Decode(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if decoded.Header.Causation != id || decoded.Header.Correlation != "c" || strings.Contains(string(r.Payload), "(eve)") {
			t.Errorf("header %+v, clear %s", decoded.Header, r.Payload)
		}
		if _, err := d.notices.Handle(t.Context(), r.Stream, notification.Remove{}, codec.Meta{Subject: "tenant", Time: start}); err != nil {
			t.Fatal(err)
		}
	}
	d.run(eventstore.Position{})
	d.run(eventstore.Position{})
	if diff := cmp.Diff(first, d.told()); diff != "" || len(first) != 4 {
		t.Errorf("told %d, then (-first +all):\n%s", len(first), diff)
	}
}

// A ledger that fails in the middle, or dies there, is gone on with.
func TestNotifyCrash(t *testing.T) {
	d := newNewsdesk(t, rule("r", nil))
	d.login("x", "eve")
	notices := 0
	d.ledger.refuse = func(stream eventstore.StreamID, _ string) bool {
		if stream.Category() == "notification" {
			notices++
		}
		return stream.Category() == "notification" && notices > 1 // the second reader cannot be told, however often it is tried
	}
	d.run(eventstore.Position{})
	if len(d.told()) != 1 || len(d.parked) != 1 {
		t.Fatalf("told %v, parked %v", d.told(), d.parked)
	}
	d.ledger.refuse = nil
	d.broken = errors.New("not this time")
	d.run(eventstore.Position{})
	if diff := cmp.Diff([]string{`ada notice "Login (eve)" by r`, `bob notice "Login (eve)" by r`}, d.told()); diff != "" || len(d.parked) != 1 {
		t.Errorf("told (-want +got):\n%s\nparked %v", diff, d.parked)
	}
}

// One rule that cannot be asked, or whose policy fails, keeps no other from
// firing.
func TestNotifyErrors(t *testing.T) {
	d := newNewsdesk(t, rule("broken", nil), rule("failing", nil), rule("silent", nil), rule("works", fields{"transports": []any{"once"}}))
	d.fires = func(ctx context.Context, rule object.Thing, _ worker.Report) (execution.Evaluation, error) {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Minute {
			t.Error("there is no bound to the time of a rule")
		}
		switch rule.ID {
		case "broken":
			return execution.Evaluation{}, errors.New("configured wrongly")
		case "failing":
			return execution.Evaluation{Results: []execution.PolicyResult{{Outcome: "exception", Policy: &domain.Ref{ID: "p"}}}}, nil
		case "silent":
			return execution.Evaluation{}, nil
		}
		return execution.Evaluation{Passing: true}, nil
	}
	d.login("x", "eve")
	d.run(eventstore.Position{})
	if diff := cmp.Diff([]string{`ada notice "Login (eve)" by works`}, d.told()); diff != "" || len(d.parked) > 0 {
		t.Errorf("told (-want +got):\n%s\nparked %v", diff, d.parked)
	}
	for _, want := range []string{"configured wrongly", "outcome=exception"} {
		if strings.Count(d.log.String(), want) != 1 {
			t.Errorf("the log does not say once %q:\n%s", want, d.log.String())
		}
	}
}

// That a mail of a notification was sent is no event for a rule: it would
// tell of its own mails for ever. Other mails are.
func TestNotifyNotOfItself(t *testing.T) {
	d := newNewsdesk(t, rule("r", fields{"transports": []any{"mail"}, "destination_group": "one"}))
	d.members["one"] = []user.Person{person("ada")}
	other := d.request("guest@example.org")
	d.login("x", "eve")
	d.run(eventstore.Position{})
	for r := range d.ledger.ReadAll(t.Context(), eventstore.Position{}) {
		if r.Type == "MailRequested" {
			d.happen(r.Stream, "tenant", mail.MailSent{Provider: "smtp"})
		}
	}
	d.asked = nil
	d.run(eventstore.Position{})
	want := []string{"r about email_sent of ", "r about login of eve"}
	slices.Sort(d.asked)
	if diff := cmp.Diff(want, d.asked); diff != "" || other == "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// A transport is tried on whoever asks. Whoever has no address hears that.
func TestNotifyTry(t *testing.T) {
	d := newNewsdesk(t)
	n := &worker.Notifier{Readers: d, Notices: d.notices, Mails: d.mails, Now: func() time.Time { return start }}
	by := codec.Actor{Kind: "admin", ID: "ada"}
	mute := person("mute")
	mute.Email = ""
	for _, name := range []string{"local", "mail"} {
		if err := n.Try(t.Context(), uuid.New(), d.transports[name], person("ada"), by); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Try(t.Context(), uuid.New(), d.transports["mail"], mute, by); err == nil {
		t.Error("a mail to nowhere")
	}
	want := []string{`ada notice "This is a test of the transport local." by `, "ada@example.org Notification: Transport test"}
	if diff := cmp.Diff(want, d.told()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	for r := range d.ledger.ReadAll(t.Context(), eventstore.Position{}) {
		decoded, err := d.codec.Decode(t.Context(), r)
		if err != nil || decoded.Header.Actor != by || decoded.Header.Causation != "" {
			t.Errorf("%s: header %+v, %v", r.Type, decoded.Header, err)
		}
	}
}

// Whose key is destroyed is not told of any more, and the rest goes on.
func TestNotifyForgotten(t *testing.T) {
	d := newNewsdesk(t, rule("r", nil))
	d.login("x", "eve")
	if err := d.vault.Forget(t.Context(), []string{"user:eve"}, 'T'); err != nil {
		t.Fatal(err)
	}
	d.login("y", "mia")
	d.run(eventstore.Position{})
	if diff := cmp.Diff([]string{`ada notice "Login (mia)" by r`, `bob notice "Login (mia)" by r`}, d.told()); diff != "" || len(d.parked) > 0 {
		t.Errorf("told (-want +got):\n%s\nparked %v", diff, d.parked)
	}
}
