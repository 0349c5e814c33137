package mail_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
)

func TestResend(t *testing.T) {
	ago := func(minutes ...int) (r mail.Resends) {
		for _, m := range minutes {
			e := mail.MailResent{Request: fmt.Sprint(m), At: now.Add(-time.Duration(m) * time.Minute)}
			r = e.Evolve(r)
		}
		return r
	}
	ask := mail.Resend{Request: "r", Most: 2, Within: 5 * time.Minute, Now: now}
	with := func(change func(*mail.Resend)) mail.Resend {
		c := ask
		change(&c)
		return c
	}
	tests := map[string]struct {
		before mail.Resends
		when   mail.Resend
		events int
		wait   time.Duration
	}{
		"the first is sent":                      {ago(), ask, 1, 0},
		"the last that is allowed is sent":       {ago(1), ask, 1, 0},
		"one more is not":                        {ago(3, 1), ask, 0, 2 * time.Minute},
		"it is when the window has moved on":     {ago(5, 1), ask, 1, 0},
		"the wait is for as many as it takes":    {ago(4, 3, 2), ask, 0, 2 * time.Minute},
		"the same request counts once":           {ago(4, 3), with(func(c *mail.Resend) { c.Request = "3" }), 0, 0},
		"where none is allowed none ever is":     {ago(), with(func(c *mail.Resend) { c.Most = 0 }), 0, 5 * time.Minute},
		"a limit out of proportion is no danger": {ago(), with(func(c *mail.Resend) { c.Most = 1 << 31 }), 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			events, err := tt.when.Decide(tt.before)
			full, _ := errors.AsType[*mail.TooManyError](err)
			switch {
			case len(events) != tt.events:
				t.Errorf("%d events", len(events))
			case (full != nil) != (tt.wait > 0) || full != nil && full.Wait != tt.wait:
				t.Errorf("got %v, want to wait %v", err, tt.wait)
			}
		})
	}
}

// What is remembered of an address is bounded.
func TestResendsForget(t *testing.T) {
	var events []domain.Event[mail.Resends]
	for i := range 5000 {
		events = append(events, mail.MailResent{Request: fmt.Sprint(i), At: now})
	}
	if r := domain.Fold(mail.Resends{}, events...); len(r.Last) < 1000 || len(r.Last) > 2000 || r.Last[len(r.Last)-1].Request != "4999" {
		t.Errorf("%d are remembered", len(r.Last))
	}
}
