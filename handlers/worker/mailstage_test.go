package worker_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A stage's mails go over the connection of that stage, whether the
// installation has one or not.
func TestMailOfStage(t *testing.T) {
	o := newOffice(t)
	var own bytes.Buffer
	of := func(name string) func(*mail.MailRequested) {
		return func(e *mail.MailRequested) { e.Stage = &domain.Ref{ID: name, Revision: 3} }
	}
	served, global, broken := o.request("ada@example.test", of("own")), o.request("eve@example.test", of("global")), o.request("bob@example.test", of("broken"))
	m := o.mailer(eventstore.Position{}, nil)
	m.Of = func(_ context.Context, ref domain.Ref) (worker.Transport, error) {
		switch {
		case ref.Revision != 3:
			return nil, errors.New("not as it was configured then")
		case ref.ID == "own":
			return &worker.Console{W: &own, From: newPostOffice(t).server().From}, nil
		case ref.ID == "global":
			return nil, nil
		}
		return nil, errDisk
	}
	o.until(m, o.over(served, global, broken))
	o.wants(served, "MailRequested", "MailSent")
	if !strings.Contains(own.String(), "To: <ada@example.test>") || strings.Contains(own.String(), "eve@") {
		t.Errorf("sent: %s", own.String())
	}
	if e := o.wants(global, "MailRequested", "MailGivenUp")[1].Event.(mail.MailGivenUp); e.Code != "no_smtp" {
		t.Errorf("without any: %+v", e)
	}
	// A fault of ours passes, so it is tried again, as often as any.
	story := []string{"MailRequested"}
	for range mail.MaxAttempts {
		story = append(story, "MailFailed")
	}
	events := o.wants(broken, append(story, "MailGivenUp")...)
	if e := events[1].Event.(mail.MailFailed); e.Code != "configuration" || !e.Transient {
		t.Errorf("with a fault: %+v", e)
	}
}
