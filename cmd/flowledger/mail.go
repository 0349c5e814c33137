package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/worker"
)

// portOf is where servers listen for each way of encryption.
var portOf = map[worker.TLSMode]int{worker.StartTLS: 587, worker.Implicit: 465, worker.Clear: 25}

// smtpForm is what --smtp looks like.
const smtpForm = "smtp://USER:PASSWORD@HOST:PORT?tls=starttls&from=ADDRESS"

// parseSMTP reads what --smtp says. No error quotes it: it has a password in
// it.
func parseSMTP(text string) (*worker.SMTP, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" || u.Opaque != "" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, usagef("--smtp is none such as %s; special characters in the password are written as %%XX", smtpForm)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, usagef("--smtp has a query that is none such as ?tls=starttls&from=ADDRESS")
	}
	for name, values := range query {
		if name != "tls" && name != "from" || len(values) > 1 {
			return nil, usagef("--smtp takes tls and from after the question mark, once each")
		}
	}
	s := &worker.SMTP{Host: u.Hostname(), TLS: worker.TLSMode(cmp.Or(query.Get("tls"), string(worker.StartTLS)))}
	if portOf[s.TLS] == 0 {
		return nil, usagef("--smtp: tls is starttls, tls or none")
	}
	if s.Port = portOf[s.TLS]; u.Port() != "" {
		if s.Port, err = strconv.Atoi(u.Port()); err != nil || s.Port < 1 || s.Port > 65535 {
			return nil, usagef("--smtp: the port is a number from 1 to 65535")
		}
	}
	if err := setUser(s, u.User); err != nil {
		return nil, err
	}
	from := cmp.Or(query.Get("from"), s.User)
	if s.From, err = mail.Address(from); err != nil {
		return nil, usagef("--smtp: say whom mails are from, as in from=noreply@example.org")
	}
	return s, nil
}

// setUser takes over who to log in as. A password goes nowhere in the clear.
func setUser(s *worker.SMTP, who *url.Userinfo) error {
	password, given := who.Password()
	s.User, s.Password = who.Username(), domain.NewSecret(password)
	switch {
	case s.User == "" && given || s.User != "" && password == "":
		return usagef("--smtp: a user needs a password, and a password a user")
	case s.User != "" && s.TLS == worker.Clear && !local(s.Host):
		return usagef("--smtp: with tls=none, the password would go over the network in the clear; use tls=starttls or tls=tls")
	}
	return nil
}

// local tells whether a host is this machine.
func local(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// development tells whether only people at this machine can reach the server.
func (c *config) development() bool {
	host, _, err := net.SplitHostPort(c.listen)
	return err == nil && local(host)
}

// transport is who delivers mails: the server that was named; else, at a desk,
// the console; else nobody.
func (c *config) transport(console io.Writer) (worker.Transport, error) {
	switch {
	case c.smtp != "":
		return parseSMTP(c.smtp)
	case c.development():
		return &worker.Console{W: console, From: &netmail.Address{Address: "noreply@localhost"}}, nil
	}
	return nil, nil
}

// mailer makes the worker that sends mail.
func (a *app) mailer(ctx context.Context, through worker.Transport) (*worker.Mailer, error) {
	checkpoint, at, err := a.checkpoint(ctx, "mail")
	if err != nil {
		return nil, fmt.Errorf("find where the mails go on: %w", err)
	}
	return &worker.Mailer{
		Follower: a.follower(checkpoint, at), Mails: &a.mailHandler, Transport: through, Now: time.Now,
		Of: func(ctx context.Context, ref domain.Ref) (worker.Transport, error) {
			return a.ofStage(ctx, ref, through)
		},
		Forget: func(ctx context.Context, id string) error {
			return a.vault.Forget(ctx, []string{mail.SecretsOf(id)}, byte(domain.Transient))
		},
	}, nil
}

// ofStage is who delivers the mails of a stage: the server that it names, as
// it was configured when the mail was asked for.
func (a *app) ofStage(ctx context.Context, ref domain.Ref, otherwise worker.Transport) (worker.Transport, error) {
	if ref.ID == "" {
		return otherwise, nil // a policy named a stage that there is not
	}
	state, _, err := a.objectHandler.LoadAt(ctx, eventstore.Stream("object", ref.ID), eventstore.Revision(ref.Revision))
	if err != nil {
		return nil, err
	}
	s, err := stage.Load(state.Kind, state.Fields)
	if err != nil {
		return nil, err
	}
	e, ok := s.(*stage.Email)
	if !ok || e.Global {
		return otherwise, nil
	}
	mode := worker.Clear
	switch {
	case e.SSL:
		mode = worker.Implicit
	case e.TLS:
		mode = worker.StartTLS
	}
	return &worker.SMTP{
		Host: e.Host, Port: e.Port, TLS: mode, User: e.Username, Password: state.Secrets["password"],
		From: &netmail.Address{Address: e.From}, Timeout: time.Duration(max(e.Timeout, 0)) * time.Second,
	}, nil
}
