package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/command"
)

// A Notifier tells people of the events that notification rules are about.
// What it writes has ids that follow from event, rule and reader, so telling
// twice is telling once.
type Notifier struct {
	Follower
	Newsroom Newsroom
	Readers  Readers
	Notices  *command.Handler[notification.State]
	Mails    *command.Handler[mail.State]
	Now      func() time.Time
}

// Newsroom knows the rules, and the events as the contract sees them.
type Newsroom interface {
	// Rules lists the notification rules that there are, once the read models
	// show what is in the ledger up to a position.
	Rules(ctx context.Context, at Position) ([]object.Thing, error)
	// Reportable tells from the clear part of an event whether the contract
	// may have an action for it.
	Reportable(e eventstore.Recorded) bool
	// Report tells an event as the contract does; false if the contract does
	// not tell of it.
	Report(ctx context.Context, e eventstore.Recorded) (Report, bool, error)
	// Fires asks the policies of a rule about an event.
	Fires(ctx context.Context, rule object.Thing, r Report) (execution.Evaluation, error)
	// Transport returns a transport; false if there is none.
	Transport(id string) (object.Thing, bool)
}

// Readers knows who is told.
type Readers interface {
	// Members lists the users who are in a group directly.
	Members(ctx context.Context, group string) ([]user.Person, error)
	// Brand is the title that mails have.
	Brand() string
}

// A Report is an event as the contract tells it.
type Report struct {
	codec.Decoded
	Who   user.Person    // to whom the contract ascribes it; of nobody for none
	Shown map[string]any // as the API shows it
}

// judging bounds the time for all policies of a rule.
const judging = 30 * time.Second

// MailPurpose marks the mails that notifications are sent with.
const MailPurpose = "event_notification"

// Run follows the ledger until ctx is done.
func (n *Notifier) Run(ctx context.Context) error {
	return n.follow(ctx, work{name: "notify", wants: n.Newsroom.Reportable, handle: n.handle})
}

// handle asks every rule about an event that one could be about. Where there
// are no rules, none is opened.
func (n *Notifier) handle(ctx context.Context, e eventstore.Recorded) error {
	rules, err := n.Newsroom.Rules(ctx, e.Position)
	if err != nil || len(rules) == 0 {
		return err
	}
	if own, err := n.ownMail(ctx, e); own || err != nil {
		return err
	}
	r, ok, err := n.Newsroom.Report(ctx, e)
	if err != nil || !ok {
		return err
	}
	for _, rule := range rules {
		if !n.fires(ctx, rule, r) {
			continue
		}
		if err := n.tell(ctx, rule, r); err != nil {
			return fmt.Errorf("notify by rule %s: %w", rule.ID, err)
		}
	}
	return ctx.Err()
}

// ownMail tells whether an event is about a mail that told of an event: who
// tells of that, too, never comes to an end.
func (n *Notifier) ownMail(ctx context.Context, e eventstore.Recorded) (bool, error) {
	if e.Stream.Category() != "mail" {
		return false, nil
	}
	s, _, err := n.Mails.Load(ctx, e.Stream)
	return s.Request.Purpose == MailPurpose, err
}

// fires asks the policies of a rule. One that cannot be asked, or takes too
// long, does not keep the others from firing.
func (n *Notifier) fires(ctx context.Context, rule object.Thing, r Report) bool {
	bounded, cancel := context.WithTimeout(ctx, judging)
	defer cancel()
	verdict, err := n.Newsroom.Fires(bounded, rule, r)
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		n.Log.Error("a notification rule cannot be asked", "rule", rule.ID, "event", r.ID, "error", err)
		return false
	}
	for _, result := range verdict.Results {
		if result.Erred() && result.Policy != nil {
			n.Log.Warn("a policy of a notification rule failed", "rule", rule.ID, "policy", result.Policy.ID, "event", r.ID, "outcome", result.Outcome)
		}
	}
	return verdict.Passing
}

// tell tells everybody whom a rule names, by each of its transports. Without
// any, people see it in the interface only.
func (n *Notifier) tell(ctx context.Context, rule object.Thing, r Report) error {
	readers, err := n.readers(ctx, rule, r)
	if err != nil || len(readers) == 0 {
		return err
	}
	severity, _ := rule.Fields["severity"].(string)
	message := notice{rule: rule, report: r, severity: severity}
	ids, _ := rule.Fields["transports"].([]any)
	if len(ids) == 0 {
		return n.each(readers, false, func(who user.Person) error { return n.raise(ctx, message, who) })
	}
	for _, id := range ids {
		t, ok := n.Newsroom.Transport(fmt.Sprint(id))
		if !ok {
			continue // it was removed a moment ago
		}
		once, _ := t.Fields["send_once"].(bool)
		err := n.each(readers, once, func(who user.Person) error {
			if t.Fields["mode"] == notification.Email {
				return n.send(ctx, message, t, who)
			}
			return n.raise(ctx, message, who)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each tells readers, or the first of them only.
func (n *Notifier) each(readers []user.Person, once bool, tell func(user.Person) error) error {
	if once {
		readers = readers[:1]
	}
	for _, who := range readers {
		if err := tell(who); err != nil {
			return err
		}
	}
	return nil
}

// readers are whom a rule tells: the user whom the event is about, if it says
// so, and the members of its group. Whoever may not log in is told nothing;
// whoever is among them twice is told once, as ever.
func (n *Notifier) readers(ctx context.Context, rule object.Thing, r Report) ([]user.Person, error) {
	var all []user.Person
	if too, _ := rule.Fields["destination_event_user"].(bool); too && r.Who.Exists() {
		all = append(all, r.Who)
	}
	if group, _ := rule.Fields["destination_group"].(string); group != "" {
		members, err := n.Readers.Members(ctx, group)
		if err != nil {
			return nil, err
		}
		all = append(all, members...)
	}
	return slices.DeleteFunc(all, func(who user.Person) bool { return !who.Active }), nil
}

// A notice is what is to be told.
type notice struct {
	rule     object.Thing // none on trial
	report   Report
	severity string
	by       codec.Actor // who wants it told; on trial only
}

// id of what is written to tell somebody, by a way.
func (m notice) id(way, reader string) uuid.UUID {
	return uuid.NewSHA1(m.report.ID, []byte(way+"/"+m.rule.ID+"/"+reader))
}

// meta says that the event is the cause. What is told of its user is sealed
// with that user's key.
func (n *Notifier) meta(m notice, subject string, id uuid.UUID) codec.Meta {
	meta := codec.Meta{Subject: "user:" + subject, Time: n.Now(), Command: id}
	meta.Header.Actor = m.by
	if m.report.Event != nil {
		meta.Header.Actor.Kind = "system"
		meta.Header.Correlation, meta.Header.Causation = m.report.Header.Correlation, m.report.ID.String()
	}
	return meta
}

// raise makes a notification.
func (n *Notifier) raise(ctx context.Context, m notice, who user.Person) error {
	id := m.id(notification.Local, who.ID)
	raised := notification.NotificationRaised{Rule: m.rule.Ref(), User: who.ID, Severity: m.severity, Body: Summary(m.report)}
	if m.report.Event != nil {
		raised.Event = m.report.ID.String()
	}
	subject := m.report.Who.ID
	if subject == "" {
		subject = who.ID
	}
	stream := eventstore.Stream("notification", id.String())
	_, err := n.Notices.Handle(ctx, stream, notification.Raise{NotificationRaised: raised}, n.meta(m, subject, id))
	if _, gone := errors.AsType[*vault.DestroyedError](err); gone {
		return nil // nobody may keep what there was to tell
	}
	return err
}

// send asks for a mail. Who has no address is told by other ways only.
func (n *Notifier) send(ctx context.Context, m notice, transport object.Thing, who user.Person) error {
	if _, err := mail.Address(who.Email); err != nil {
		n.Log.Warn("a notification has no address to go to", "rule", m.rule.ID, "user", who.ID, "event", m.report.ID)
		return nil
	}
	id := m.id(notification.Email+"/"+transport.ID, who.ID)
	prefix, _ := transport.Fields["email_subject_prefix"].(string)
	template, _ := transport.Fields["email_template"].(string)
	request := mail.MailRequested{
		Mail: id.String(), Purpose: MailPurpose, Template: template, Brand: n.Readers.Brand(), User: who.ID,
		Message: mail.Message{To: []string{who.Email}, Subject: subjectLine(prefix, m.report), Variables: variables(m, who)},
	}
	_, err := n.Mails.Handle(ctx, eventstore.Stream("mail", id.String()), mail.Request{MailRequested: request}, n.meta(m, who.ID, id))
	if _, gone := errors.AsType[*vault.DestroyedError](err); gone {
		return nil
	}
	return err
}
