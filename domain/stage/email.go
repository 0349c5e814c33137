package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/user"
)

// EmailModel is the kind of stages that send mail.
const EmailModel = "authentik_stages_email.emailstage"

func init() {
	register(kind{
		Model: EmailModel, Path: "email", Name: "Email Stage", Form: "ak-stage-email-form",
		About: "Sends a link that leads back into the flow, as a proof of the address.",
		Config: func() Stage {
			return &Email{
				Host: "localhost", Port: 25, Timeout: 10, From: "system@authentik.local", TokenExpiry: "minutes=30",
				Subject: "authentik", Template: "email/password_reset.html", MaxAttempts: 5, Window: "minutes=5",
			}
		},
	})
}

// Email sends a link that leads back into the flow, in whichever browser it is
// opened (spec/stages.md 3.8).
type Email struct {
	Named
	Global      bool   `json:"use_global_settings"`
	Host        string `json:"host"`
	Port        int    `json:"port" catalog:"min=-2147483648,max=2147483647"`
	Username    string `json:"username" catalog:"blank"`
	Password    string `json:"password" catalog:"secret,blank,verbatim"` // never loaded: the worker reads it where it is sealed
	TLS         bool   `json:"use_tls"`
	SSL         bool   `json:"use_ssl"`
	Timeout     int    `json:"timeout" catalog:"min=-2147483648,max=2147483647"`
	From        string `json:"from_address" catalog:"max=254"`
	TokenExpiry string `json:"token_expiry" catalog:"duration"`
	Subject     string `json:"subject"`
	Template    string `json:"template"`
	Activate    bool   `json:"activate_user_on_success"`
	MaxAttempts int    `json:"recovery_max_attempts" catalog:"min=0,max=2147483647"`
	Window      string `json:"recovery_cache_timeout" catalog:"duration"`
}

// Validate implements [catalog.Validator].
func (e *Email) Validate() catalog.Problems {
	var p catalog.Problems
	if a, err := mail.Address(e.From); err != nil || a.Address != e.From {
		p.Add("from_address", "Enter a valid email address.")
	}
	if e.TLS && e.SSL {
		p.Add(catalog.NonField, "Only one of 'use_tls', 'use_ssl' can be set.")
	}
	if !mail.Known(e.Template) {
		p.Add("template", "%q is not a valid choice.", cut(e.Template))
	}
	return p
}

type emailChallenge struct{}

func (emailChallenge) Component() string { return "ak-stage-email" }

// Enter implements [Stage].
func (e *Email) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	if link := in.State.Context.Text(execution.KeyIsRestored); link != "" {
		return e.back(ctx, in, link)
	}
	if in.Subject.Username == "" {
		return execution.Deny{Message: noPendingUser}, nil
	}
	if sent, _ := in.State.Context[execution.KeyEmailSent].(bool); sent {
		return execution.Ask{Challenge: emailChallenge{}}, nil
	}
	m, err := e.mail(in)
	if err != nil {
		return nil, err
	}
	ask := execution.Ask{Challenge: emailChallenge{}, Learned: execution.Context{execution.KeyEmailSent: true}}
	if !m.Nobody {
		ask.Effects = []execution.Effect{{SendMail: &m}}
	}
	return ask, nil
}

const noPendingUser = "No pending user."

// back lets in who came through a link. It was sent to somebody, and a flow
// that is about somebody else by now is not for whoever opened it.
func (e *Email) back(ctx context.Context, in Input, link string) (execution.Outcome, error) {
	t, err := in.Records.Token(ctx, link)
	if err != nil {
		return nil, err
	}
	if t.User == "" || t.User != in.State.Subject.User {
		return execution.Deny{}, nil
	}
	pass := execution.Pass{}
	if e.Activate && !in.Subject.Active {
		pass.Effects = []execution.Effect{{ActivateUser: &execution.ActivateUser{User: in.State.Subject.User}}}
	}
	return pass, nil
}

// Respond implements [Stage]. Any answer asks for another mail, and none passes
// the stage: the link does.
func (e *Email) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	if in.State.Context.Text(execution.KeyIsRestored) != "" || in.Subject.Username == "" {
		return e.Enter(ctx, in)
	}
	m, err := e.mail(in)
	if err != nil {
		return nil, err
	}
	within, err := catalog.ParseDuration(e.Window)
	if err != nil {
		return nil, err
	}
	m.Limit = &execution.Limit{Address: strings.ToLower(in.Subject.Email), Most: e.MaxAttempts, Within: within}
	o := again(emailChallenge{}, problem(nonField, emailSent, emailSent))
	o.Again.Effects = []execution.Effect{{SendMail: &m}}
	return o, nil
}

// emailSent is what the contract calls it, as a code and in words.
const emailSent = "email-sent"

// TooManyMails turns a request for another mail down: the address has had its
// share. Clients that look for nothing else take it for sent.
func TooManyMails(wait time.Duration) execution.Invalid {
	minutes := max(1, int(math.Ceil(wait.Minutes())))
	text := fmt.Sprintf("Too many account verification attempts. Please try again after %d minutes.", minutes)
	return again(emailChallenge{}, append(problem(nonField, emailSent, emailSent), problem(nonField, "throttled", text)...))
}

// mail is what to send. Somebody who does not exist gets none, and is not told.
func (e *Email) mail(in Input) (execution.SendMail, error) {
	link, err := e.link(in)
	if err != nil {
		return execution.SendMail{}, err
	}
	purpose := "confirmation"
	if in.Flow.Designation == "recovery" {
		purpose = "recovery"
	}
	m := e.Message(in.Subject, in.Entry.Stage, purpose, link)
	if to := oneLine(in.State.Context.Text(execution.KeyEmail)); to != "" {
		m.Fields["to"] = addressed(in.Subject, to)
	}
	m.Nobody = !in.Subject.Exists()
	return m, nil
}

// Message is a mail with a link to somebody, in the words of this stage and
// over its connection.
func (e *Email) Message(who user.Person, self domain.Ref, purpose string, link execution.Link) execution.SendMail {
	m := execution.SendMail{
		Purpose: purpose, Link: &link, Fields: map[string]any{
			"to": addressed(who, oneLine(who.Email)), "subject": e.Subject, "template": e.Template,
			"context": map[string]any{
				"user": map[string]any{"username": who.Username, "name": who.Name}, "expires": link.Expires.UTC().Format(time.RFC3339),
				"language": Locale(who),
			},
		},
	}
	if !e.Global {
		m.Stage = &self
	}
	return m
}

// Locale is the language that a user has chosen; empty for none.
func Locale(who user.Person) string {
	settings, _ := who.Attributes["settings"].(map[string]any)
	locale, _ := settings["locale"].(string)
	return locale
}

// grace is how much longer a link works than it says.
const grace = time.Minute

func (e *Email) link(in Input) (execution.Link, error) {
	life, err := catalog.ParseDuration(e.TokenExpiry)
	if err != nil {
		return execution.Link{}, err
	}
	query := url.Values{}
	for k, v := range in.State.Query {
		query.Set(k, v)
	}
	return execution.Link{
		Producer: "email_stage", Name: "ak-email-stage-" + in.Name, Expires: in.Caller.Now.Add(life + grace),
		Page: in.Caller.BaseURL + flowURL(in.Flow.Slug, query.Encode()),
	}, nil
}

// addressed is an address with the name of whom it is.
func addressed(who user.Person, address string) string {
	return (&netmail.Address{Name: oneLine(who.Name), Address: address}).String()
}

// oneLine takes line breaks out of what becomes part of a header.
func oneLine(text string) string {
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(text))
}
