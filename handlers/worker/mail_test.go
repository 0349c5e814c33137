package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/command"
	"github.com/flowledger/flowledger/handlers/worker"
	_ "github.com/flowledger/flowledger/projections" // registers the types of events
)

var errDisk = errors.New("the disk is full")

// A fragile ledger refuses appends to some streams.
type fragile struct {
	*memory.Store
	mu     sync.Mutex
	refuse func(stream eventstore.StreamID, kind string) bool // guarded by mu
}

func (f *fragile) Append(
	ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent,
) (eventstore.Revision, error) {
	f.mu.Lock()
	refuse := f.refuse
	f.mu.Unlock()
	if refuse != nil && refuse(stream, events[0].Type) {
		return -1, errDisk
	}
	return f.Store.Append(ctx, stream, expected, events...)
}

// An office is a mailer with all that it works on. Its clock runs away: no
// mail ever has to wait.
type office struct {
	t      *testing.T
	ledger *fragile
	vault  *vault.Vault
	codec  *codec.Codec
	mails  *command.Handler[mail.State]
	log    journal

	mu     sync.Mutex
	now    time.Time             // guarded by mu
	saved  []eventstore.Position // guarded by mu
	parked []string              // guarded by mu
	fail   func() error          // of parking; guarded by mu
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, now: start, ledger: &fragile{Store: memory.New(func() time.Time { return start })}}
	v, err := vault.Open(vault.Memory, [32]byte{1}, func() time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(v.Close(), o.ledger.Close()); err != nil {
			t.Error(err)
		}
	})
	o.vault = v
	o.codec = &codec.Codec{Vault: v, Tenant: "t", Leak: func(event, key string) { t.Errorf("%s leaks %s", event, key) }}
	o.mails = &command.Handler[mail.State]{Store: o.ledger, Codec: o.codec}
	return o
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(time.Hour)
	return o.now
}

// mailer is one life of the worker.
func (o *office) mailer(from eventstore.Position, transport worker.Transport) *worker.Mailer {
	return &worker.Mailer{
		Follower: worker.Follower{
			Store: o.ledger, From: from, Retry: time.Microsecond, Log: slog.New(slog.NewTextHandler(&o.log, nil)),
			Save: func(p worker.Position) error {
				o.mu.Lock()
				defer o.mu.Unlock()
				o.saved = append(o.saved, p)
				return nil
			},
			Park: func(_ context.Context, e eventstore.Recorded, cause error) error {
				o.mu.Lock()
				defer o.mu.Unlock()
				if o.fail != nil {
					return o.fail()
				}
				o.parked = append(o.parked, e.Stream.ID()+": "+cause.Error())
				return nil
			},
		},
		Mails: o.mails, Transport: transport, Now: o.clock,
		Forget: func(ctx context.Context, id string) error {
			return o.vault.Forget(ctx, []string{mail.SecretsOf(id)}, byte(domain.Transient))
		},
	}
}

// request asks for a mail to an address and returns its id.
func (o *office) request(to string, edits ...func(*mail.MailRequested)) string {
	o.t.Helper()
	id := uuid.NewString()
	e := mail.MailRequested{
		Mail: id, Purpose: "notice", User: "u", Execution: "x",
		Message: mail.Message{To: []string{to}, Subject: "Hello", Body: "<p>Hello</p>"},
	}
	for _, edit := range edits {
		edit(&e)
	}
	meta := codec.Meta{Subject: "user:u", Time: start}
	meta.Header.Execution, meta.Header.Correlation = "x", "c"
	if _, err := o.mails.Handle(o.t.Context(), eventstore.Stream("mail", id), mail.Request{MailRequested: e}, meta); err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *office) head() eventstore.Position {
	o.t.Helper()
	head, err := o.ledger.Head(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return head
}

// begin starts a life of the worker; end ends it.
func (o *office) begin(m *worker.Mailer) (end func()) {
	ctx, stop := context.WithCancel(o.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	return sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			o.t.Error(err)
		}
	})
}

// until runs a worker until something holds.
func (o *office) until(m *worker.Mailer, holds func() bool) {
	o.t.Helper()
	end := o.begin(m)
	defer end()
	o.await(holds)
}

func (o *office) await(holds func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("it did not come to that; the log says:\n%s", o.log.String())
		}
	}
}

// story lists what happened to a mail.
func (o *office) story(id string) (types []string, events []codec.Decoded) {
	o.t.Helper()
	for r, err := range o.ledger.ReadStream(o.t.Context(), eventstore.Stream("mail", id), 0) {
		if err != nil {
			o.t.Fatal(err)
		}
		d, err := o.codec.Decode(o.t.Context(), r)
		if err != nil {
			o.t.Fatal(err)
		}
		types, events = append(types, r.Type), append(events, d)
	}
	return types, events
}

// over tells whether mails are sent or given up.
func (o *office) over(ids ...string) func() bool {
	return func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool {
			types, _ := o.story(id)
			return !slices.Contains(types, "MailSent") && !slices.Contains(types, "MailGivenUp")
		})
	}
}

func (o *office) wants(id string, want ...string) []codec.Decoded {
	o.t.Helper()
	types, events := o.story(id)
	if diff := cmp.Diff(want, types); diff != "" {
		o.t.Errorf("what happened (-want +got):\n%s", diff)
	}
	return events
}

func TestMailIsSentOnce(t *testing.T) {
	o, post := newOffice(t), newPostOffice(t)
	id := o.request("Ada <ada@example.test>")
	o.until(o.mailer(eventstore.Position{}, post.server()), o.over(id))
	events := o.wants(id, "MailRequested", "MailSent")
	want := mail.MailSent{
		Provider: "smtp", ProviderID: "2.0.0 queued as Q1", Milliseconds: time.Hour.Milliseconds(), Attempt: 1, User: "u",
		From: `"Ledger" <noreply@example.test>`, To: []string{"Ada <ada@example.test>"}, Subject: "Hello",
	}
	if diff := cmp.Diff(codec.Event(want), events[1].Event); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	h := events[1].Header
	if h.Execution != "x" || h.Correlation != "c" || h.Causation != events[0].ID.String() || h.Actor.Kind != "system" {
		t.Errorf("header %+v", h)
	}
	// Another life that begins at the beginning sends nothing.
	next := o.request("eve@example.test")
	o.until(o.mailer(eventstore.Position{}, post.server()), o.over(next))
	if n := len(post.letters()); n != 2 {
		t.Errorf("%d letters for two mails", n)
	}
	if got := post.letters()[0].header(t, "Message-Id"); got != "<"+id+"@example.test>" {
		t.Errorf("Message-Id %s", got)
	}
	if last := o.saved[len(o.saved)-1]; last.Compare(o.head()) != 0 && last.Compare(events[1].Position) < 0 {
		t.Errorf("the checkpoint is %s, the ledger ends at %s", last, o.head())
	}
}

// What may go better is tried again, what will not is given up, and the others
// are not kept waiting.
func TestMailFailures(t *testing.T) {
	o := newOffice(t)
	post := newPostOffice(t, func(p *postOffice) {
		var mu sync.Mutex
		tries := map[string]int{} // guarded by mu
		p.treat = func(_ int, to string) manners {
			mu.Lock()
			defer mu.Unlock()
			tries[to]++
			switch {
			case strings.Contains(to, "shy@") && tries[to] <= 2:
				return manners{rcpt: "450 4.2.1 come again, ada@example.test"}
			case strings.Contains(to, "never@"):
				return manners{rcpt: "451 4.3.0 not now"}
			case strings.Contains(to, "nobody@"):
				return manners{rcpt: "550 5.1.1 nobody@example.test is nobody"}
			}
			return manners{}
		}
	})
	shy, never, nobody := o.request("shy@example.test"), o.request("never@example.test"), o.request("nobody@example.test")
	fine := o.request("fine@example.test")
	o.until(o.mailer(eventstore.Position{}, post.server()), o.over(shy, never, nobody, fine))

	events := o.wants(shy, "MailRequested", "MailFailed", "MailFailed", "MailSent")
	failed := events[1].Event.(mail.MailFailed)
	if failed.Attempt != 1 || failed.Code != "smtp_450" || !failed.Transient || failed.RetryAt.IsZero() || !strings.Contains(failed.Detail, "come again") {
		t.Errorf("failed: %+v", failed)
	}
	if bytes.Contains(events[1].Payload, []byte("example.test")) {
		t.Errorf("the failure names somebody in the clear: %s", events[1].Payload)
	}
	events = o.wants(nobody, "MailRequested", "MailFailed", "MailGivenUp")
	if e := events[2].Event.(mail.MailGivenUp); e.Code != "smtp_550" || e.Attempts != 1 {
		t.Errorf("given up: %+v", e)
	}
	want := append([]string{"MailRequested"}, slices.Repeat([]string{"MailFailed"}, mail.MaxAttempts)...)
	o.wants(never, append(want, "MailGivenUp")...)
	o.wants(fine, "MailRequested", "MailSent")
	if len(o.parked) > 0 || len(post.letters()) != 2 {
		t.Errorf("parked %v, letters %d", o.parked, len(post.letters()))
	}
	if text := o.log.String(); strings.Contains(text, "@") || !strings.Contains(text, "mail="+nobody+" attempt=1 code=smtp_550 again=false") {
		t.Errorf("the log names somebody, or not the mail:\n%s", text)
	}
}

// A server that says nothing keeps its own letters waiting, and the
// checkpoint; not those behind them.
func TestMailSlowServer(t *testing.T) {
	o, hold := newOffice(t), make(chan struct{})
	post := newPostOffice(t, func(p *postOffice) {
		p.treat = func(_ int, to string) manners {
			if strings.Contains(to, "slow@") {
				return manners{hold: hold}
			}
			return manners{}
		}
	})
	slow, fast := o.request("slow@example.test"), o.request("fast@example.test")
	_, events := o.story(slow)
	m := o.mailer(eventstore.Position{}, post.server())
	end := o.begin(m)
	o.await(o.over(fast))
	if o.over(slow)() {
		t.Error("the slow one is over")
	}
	if got := m.Checkpoint(); got.Compare(events[0].Position) >= 0 {
		t.Errorf("the checkpoint is %s, behind a mail that is on the line at %s", got, events[0].Position)
	}
	close(hold)
	o.await(o.over(slow))
	end()
	if got := m.Checkpoint(); got.Compare(events[0].Position) < 0 {
		t.Errorf("the checkpoint is still %s", got)
	}
}

// Where mail is off, it is given up and says so; at a desk it is shown.
func TestMailOff(t *testing.T) {
	o := newOffice(t)
	id := o.request("ada@example.test")
	o.until(o.mailer(eventstore.Position{}, nil), o.over(id))
	if e := o.wants(id, "MailRequested", "MailGivenUp")[1].Event.(mail.MailGivenUp); e.Code != "no_smtp" {
		t.Errorf("given up: %+v", e)
	}
	var out bytes.Buffer
	id = o.request("ada@example.test")
	o.until(o.mailer(eventstore.Position{}, &worker.Console{W: &out, From: newPostOffice(t).server().From}), o.over(id))
	if e := o.wants(id, "MailRequested", "MailSent")[1].Event.(mail.MailSent); e.Provider != "console" {
		t.Errorf("sent: %+v", e)
	}
	if !strings.Contains(out.String(), "To: <ada@example.test>") {
		t.Errorf("shown: %s", out.String())
	}
}

// The link in a mail is sent, and cannot be read any more when it is.
func TestMailSecrets(t *testing.T) {
	o, post := newOffice(t), newPostOffice(t)
	id := o.request("ada@example.test", func(e *mail.MailRequested) {
		e.Template, e.Body, e.Link = "email/password_reset.html", "", domain.NewSecret("https://login.example.test/s3cret")
	})
	if err := o.vault.ForgetExecution(t.Context(), "x"); err != nil { // it is over
		t.Fatal(err)
	}
	o.until(o.mailer(eventstore.Position{}, post.server()), func() bool {
		_, events := o.story(id)
		return events[0].Event.(mail.MailRequested).Link.Empty()
	})
	o.wants(id, "MailRequested", "MailSent")
	if letters := post.letters(); len(letters) != 1 || !strings.Contains(letters[0].text, "https://login.example.test/s3cret") {
		t.Errorf("letters %+v", letters)
	}
}

// Of who is erased before the mail is sent, nothing is left to send.
func TestMailOfTheErased(t *testing.T) {
	o, post := newOffice(t), newPostOffice(t)
	id := o.request("ada@example.test")
	if err := o.vault.Forget(t.Context(), []string{"user:u"}, 'P', 'T', 'N'); err != nil {
		t.Fatal(err)
	}
	o.until(o.mailer(eventstore.Position{}, post.server()), o.over(id))
	if e := o.wants(id, "MailRequested", "MailGivenUp")[1].Event.(mail.MailGivenUp); e.Code != "forgotten" {
		t.Errorf("given up: %+v", e)
	}
}

// Who is erased while a mail is on the line is named no more, whatever comes
// of it.
func TestMailOfTheErasedMeanwhile(t *testing.T) {
	for answer, want := range map[string][]string{
		"":                         {"MailRequested", "MailSent"},
		"554 5.7.1 no, you aren't": {"MailRequested", "MailFailed", "MailGivenUp"},
	} {
		o, hold := newOffice(t), make(chan struct{})
		post := newPostOffice(t, func(p *postOffice) {
			p.treat = func(int, string) manners { return manners{hold: hold, done: answer} }
		})
		id := o.request("ada@example.test")
		end := o.begin(o.mailer(eventstore.Position{}, post.server()))
		o.await(func() bool { return post.connections() > 0 })
		if err := o.vault.Forget(t.Context(), []string{"user:u"}, 'P', 'T', 'N'); err != nil {
			t.Fatal(err)
		}
		close(hold)
		o.await(o.over(id))
		end()
		o.wants(id, want...)
		if len(o.parked) > 0 {
			t.Errorf("parked %v", o.parked)
		}
	}
}

// The window: the program dies after the server has taken the mail and before
// that is in the ledger. The next life sends a second copy, which can be told
// from another mail; it sends no third.
func TestMailWindow(t *testing.T) {
	o, post := newOffice(t), newPostOffice(t)
	id := o.request("ada@example.test")
	o.ledger.refuse = func(_ eventstore.StreamID, kind string) bool { return kind == "MailSent" }
	o.fail = func() error { return errDisk }
	m := o.mailer(eventstore.Position{}, post.server())
	o.until(m, func() bool { return strings.Contains(o.log.String(), "a mail was left undone") })
	o.wants(id, "MailRequested")
	checkpoint := m.Checkpoint()

	o.ledger.refuse, o.fail = nil, nil
	for range 2 {
		after := o.request("after@example.test")
		m := o.mailer(checkpoint, post.server())
		o.until(m, o.over(id, after))
	}
	var copies []string
	for _, p := range post.letters() {
		if slices.Contains(p.to, "ada@example.test") {
			copies = append(copies, p.header(t, "Message-Id"))
		}
	}
	if want := "<" + id + "@example.test>"; !slices.Equal(copies, []string{want, want}) {
		t.Errorf("copies %v", copies)
	}
}

// A result that the ledger does not take is parked, and the worker goes on.
func TestMailPoison(t *testing.T) {
	o, post := newOffice(t), newPostOffice(t)
	bad := o.request("ada@example.test")
	o.ledger.refuse = func(stream eventstore.StreamID, _ string) bool { return stream.ID() == bad }
	good := o.request("eve@example.test")
	parked := func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return len(o.parked) > 0
	}
	o.until(o.mailer(eventstore.Position{}, post.server()), func() bool { return parked() && o.over(good)() })
	if len(o.parked) != 1 || !strings.HasPrefix(o.parked[0], bad+": ") {
		t.Errorf("parked %v", o.parked)
	}
	if n := len(post.letters()); n != 2 {
		t.Errorf("%d letters: what cannot be recorded must not be sent again", n)
	}
}

// TestMailKilled ends the worker again and again between request and result:
// each mail arrives, and none twice but where its result was lost.
func TestMailKilled(t *testing.T) {
	o, post := newOffice(t), newPostOffice(t)
	var ids []string
	for i := range 40 {
		ids = append(ids, o.request(fmt.Sprintf("person%d@example.test", i)))
	}
	var lost atomic.Int64
	var checkpoint eventstore.Position
	for life := 1; !o.over(ids...)(); life++ {
		if life > 200 {
			t.Fatal("it comes to no end")
		}
		m := o.mailer(checkpoint, post.server())
		ctx, stop := context.WithCancel(t.Context())
		o.ledger.mu.Lock()
		o.ledger.refuse = func(_ eventstore.StreamID, kind string) bool {
			if kind != "MailSent" {
				return false
			}
			gone := ctx.Err() != nil
			if gone {
				lost.Add(1)
			}
			stop() // whatever else is on the line finds the process gone
			return gone
		}
		o.ledger.mu.Unlock()
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		o.await(func() bool { return ctx.Err() != nil || o.over(ids...)() })
		stop()
		<-ended
		checkpoint = m.Checkpoint()
	}
	copies := map[string]int{}
	for _, p := range post.letters() {
		copies[p.header(t, "Message-Id")]++
	}
	t.Logf("%d results were lost, %d letters", lost.Load(), len(post.letters()))
	if lost.Load() == 0 {
		t.Error("no end met a mail on the line: the test has shown nothing")
	}
	if len(copies) != len(ids) || len(post.letters()) > len(ids)+int(lost.Load()) {
		t.Errorf("%d letters, %d of them different, for %d mails; %d results were lost", len(post.letters()), len(copies), len(ids), lost.Load())
	}
}

// A journal can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
