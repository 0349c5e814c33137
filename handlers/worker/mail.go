package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/command"
)

// A Mailer sends the mails that the ledger asks for: each once, as far as SMTP
// allows. What was sent is in the ledger, and is not sent again. Only if the
// program dies, or loses the connection, after a server has taken a mail and
// before that is in the ledger, the mail is sent a second time, with the
// Message-ID that it had the first time.
//
// A mail that has to wait does not keep others waiting.
type Mailer struct {
	Follower
	Mails     *command.Handler[mail.State]
	Transport Transport                                  // nil where mail is off
	Forget    func(ctx context.Context, id string) error // destroys what sealed the secrets in a mail

	// Of returns who delivers the mails of a stage; nil if there is nobody
	// else than Transport.
	Of  func(ctx context.Context, stage domain.Ref) (Transport, error)
	Now func() time.Time

	waiting chan struct{} // a place for each mail that was begun
	sending chan struct{} // and one for each that is on the line
	letters sync.WaitGroup
}

// A Transport hands a letter to whoever delivers it. It may be called
// concurrently.
type Transport interface {
	Send(ctx context.Context, l Letter) (Receipt, error)
}

// A Letter is a mail as it is sent.
type Letter struct {
	ID          string // of the mail; the same each time it is sent
	Date        time.Time
	To, CC, BCC []*netmail.Address
	mail.Rendered
}

// A Receipt says who took a letter.
type Receipt struct {
	Provider string
	ID       string // what they call it
	From     string // the sender that they were told
}

// A Refusal is why a letter was not taken. Its text may quote addresses.
type Refusal struct {
	Code      string
	Permanent bool // it will not go better next time
	Err       error
}

// Error implements error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Err.Error() }

// Unwrap returns what the server or the network said.
func (r *Refusal) Unwrap() error { return r.Err }

const (
	waitAtOnce = 2048 // mails that wait beyond are left in the ledger
	sendAtOnce = 4
	recordIn   = 5 * time.Second // to write down a result while the program ends
)

// Run follows the ledger until ctx is done. Letters that are on the line are
// then given a moment.
func (m *Mailer) Run(ctx context.Context) error {
	m.waiting, m.sending = make(chan struct{}, waitAtOnce), make(chan struct{}, sendAtOnce)
	asked := func(e eventstore.Recorded) bool { return e.Type == "MailRequested" }
	return m.follow(ctx, work{"mail", asked, m.handle, m.letters.Wait})
}

// handle begins with a mail that was asked for. Its checkpoint waits until the
// mail is done with; the events behind it do not.
func (m *Mailer) handle(ctx context.Context, e eventstore.Recorded) error {
	s, _, err := m.Mails.Load(ctx, e.Stream)
	if err != nil {
		return err
	}
	select {
	case m.waiting <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	m.progress.hold(e.Position)
	m.letters.Go(func() {
		defer func() { <-m.waiting }()
		if m.deliver(ctx, e, s) {
			m.progress.release(e.Position)
		}
	})
	return nil
}

// deliver tries a mail until it is sent or given up, which it may have been
// in an earlier life, and tells whether it is done with. One that is not is
// begun anew after the next start.
func (m *Mailer) deliver(ctx context.Context, e eventstore.Recorded, s mail.State) bool {
	for s.Status == mail.Pending {
		if pause(ctx, s.RetryAt.Sub(m.Now())) != nil {
			return false
		}
		select {
		case m.sending <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		result := m.try(ctx, e, s)
		<-m.sending
		if result == nil {
			return false
		}
		next, err := m.record(ctx, e, s, result)
		if err != nil {
			return m.giveWay(ctx, e, err)
		}
		s = next
		m.tell(e, result, s)
	}
	forget := func() error { return m.forget(context.WithoutCancel(ctx), s.Request) }
	if err := patiently(ctx, forget); err != nil {
		return m.giveWay(ctx, e, err)
	}
	return true
}

// tell logs what an operator can do something about. It names nobody.
func (m *Mailer) tell(e eventstore.Recorded, result domain.Command[mail.State], s mail.State) {
	switch r := result.(type) {
	case mail.Fail:
		m.Log.Warn("a mail was not sent", "mail", e.Stream.ID(), "attempt", r.Attempt, "code", r.Code, "again", s.Status == mail.Pending)
	case mail.GiveUp:
		m.Log.Warn("a mail was given up", "mail", e.Stream.ID(), "code", r.Code)
	}
}

// try sends a mail once and returns what came of it; nil if the end of the
// program came first.
func (m *Mailer) try(ctx context.Context, e eventstore.Recorded, s mail.State) domain.Command[mail.State] {
	through, err := m.through(ctx, s.Request)
	switch {
	case len(s.Request.To) == 0:
		return mail.GiveUp{Code: "forgotten"} // with its user
	case through == nil && err == nil:
		return mail.GiveUp{Code: "no_smtp"}
	}
	began := m.Now()
	var letter Letter
	var receipt Receipt
	if err == nil {
		letter, err = letterOf(e, s.Request)
	}
	if err == nil {
		receipt, err = through.Send(ctx, letter)
	}
	if err == nil {
		return mail.Deliver{Provider: receipt.Provider, ProviderID: receipt.ID, From: receipt.From, Took: m.Now().Sub(began)}
	}
	if ctx.Err() != nil {
		return nil
	}
	failed := mail.Fail{Attempt: s.Attempts + 1, Code: "fault", Detail: cut(err.Error()), Now: m.Now()}
	if r, ok := errors.AsType[*Refusal](err); ok {
		failed.Code, failed.Transient = r.Code, !r.Permanent
	}
	return failed
}

// through is who delivers a mail: the server of the stage that asks for it, or
// the installation's.
func (m *Mailer) through(ctx context.Context, r mail.MailRequested) (Transport, error) {
	if r.Stage == nil || m.Of == nil {
		return m.Transport, nil
	}
	through, err := m.Of(ctx, *r.Stage)
	if err != nil {
		return nil, &Refusal{Code: "configuration", Err: err}
	}
	return through, nil
}

// letterOf renders a mail. Its date is that of the request, so that a second
// copy equals the first.
func letterOf(e eventstore.Recorded, r mail.MailRequested) (Letter, error) {
	rendered, err := mail.Render(r)
	l := Letter{ID: r.Mail, Date: e.RecordedAt, Rendered: rendered}
	for _, list := range []struct {
		from []string
		to   *[]*netmail.Address
	}{{r.To, &l.To}, {r.CC, &l.CC}, {r.BCC, &l.BCC}} {
		for _, text := range list.from {
			a, fault := mail.Address(text)
			if fault != nil {
				return l, fault
			}
			*list.to = append(*list.to, a)
		}
	}
	return l, err
}

// record writes down what came of an attempt, also when the program is about
// to end: a mail that was sent and is not in the ledger is sent again.
func (m *Mailer) record(ctx context.Context, e eventstore.Recorded, s mail.State, result domain.Command[mail.State]) (mail.State, error) {
	d, err := m.Mails.Codec.DecodeClear(e)
	if err != nil {
		return s, err
	}
	meta := metaOf(d, s.Request)
	meta.Time = m.Now()
	meta.Command = uuid.NewSHA1(e.ID, fmt.Appendf(nil, "%T/%d", result, s.Attempts))
	for n := 1; ; n++ {
		var next mail.State
		err := patiently(ctx, func() (err error) {
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordIn)
			defer cancel()
			next, err = m.Mails.Handle(limited, e.Stream, result, meta)
			return err
		})
		if err == nil || n == Attempts || ctx.Err() != nil {
			return next, err
		}
		if _, gone := errors.AsType[*vault.DestroyedError](err); gone {
			if failed, ok := result.(mail.Fail); ok {
				failed.Detail = "" // nobody may keep what it quotes
				result = failed
			}
		}
		if pause(ctx, time.Duration(n)*cmp.Or(m.Retry, 100*time.Millisecond)) != nil {
			return s, err
		}
	}
}

// metaOf says of a result that the request is its cause. What it tells of a
// person is sealed with that person's key.
func metaOf(cause codec.Decoded, r mail.MailRequested) codec.Meta {
	meta := codec.Meta{Subject: "tenant"}
	switch {
	case r.User != "":
		meta.Subject = "user:" + r.User
	case r.Execution != "":
		meta.Subject = "execution:" + r.Execution
	}
	meta.Header.Actor.Kind = "system"
	meta.Header.Execution, meta.Header.Correlation = cause.Header.Execution, cause.Header.Correlation
	meta.Header.Causation = cause.ID.String()
	return meta
}

// giveWay parks a mail whose result cannot be written down, and tells whether
// that is done with. If the ledger takes not even that, the mail is left for
// the next start.
func (m *Mailer) giveWay(ctx context.Context, e eventstore.Recorded, cause error) bool {
	if ctx.Err() != nil {
		return false
	}
	if err := patiently(ctx, func() error { return m.Park(ctx, e, cause) }); err != nil {
		m.Log.Error("a mail was left undone", "mail", e.Stream.ID(), "error", errors.Join(cause, err))
		return false
	}
	return true
}

// forget destroys the key of the link or the code in a mail that is done with.
func (m *Mailer) forget(ctx context.Context, r mail.MailRequested) error {
	if r.Link.Empty() && r.Code.Empty() {
		return nil
	}
	return m.Forget(ctx, r.Mail)
}

// maxDetail bounds what a server can say at length.
const maxDetail = 500

func cut(text string) string {
	if len(text) > maxDetail {
		return text[:maxDetail] + "…"
	}
	return text
}
