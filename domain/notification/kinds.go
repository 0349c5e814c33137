package notification

import (
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/mail"
)

// Model names of the kinds.
const (
	RuleModel      = "authentik_events.notificationrule"
	TransportModel = "authentik_events.notificationtransport"
)

// The modes of a transport that there are.
const (
	Local = "local"
	Email = "email"
)

func init() {
	catalog.Register(catalog.Kind{
		Model: RuleModel, Category: catalog.NotificationRule, Path: "events/rules", Name: "Notification Rule",
		Natural: [][]string{{"name"}},
		New:     func() any { return &Rule{Severity: "notice"} },
	})
	catalog.Register(catalog.Kind{
		Model: TransportModel, Category: catalog.NotificationTransport, Path: "events/transports", Name: "Notification Transport",
		Natural: [][]string{{"name"}},
		New: func() any {
			return &Transport{Mode: Local, SubjectPrefix: "flowledger Notification: ", Template: "email/event_notification.html"}
		},
	})
}

// Rule says who is told of which events, and how. Which events those are, say
// the policies that are bound to it: one that passes is enough, and without
// any the rule never fires.
type Rule struct {
	Name       string   `json:"name" catalog:"required"`
	Transports []string `json:"transports" catalog:"ref=authentik_events.notificationtransport"`
	Severity   string   `json:"severity" catalog:"enum=notice|warning|alert"`
	Group      *string  `json:"destination_group" catalog:"ref=group"`
	EventUser  bool     `json:"destination_event_user"`
}

// Transport is a way to tell somebody. The fields of webhooks are the
// contract's; nothing is sent that way, so they stay empty.
type Transport struct {
	Name           string  `json:"name" catalog:"required"`
	Mode           string  `json:"mode" catalog:"enum=local|webhook|webhook_slack|email"`
	WebhookURL     string  `json:"webhook_url" catalog:"blank"`
	WebhookCA      *string `json:"webhook_ca" catalog:"ref=authentik_crypto.certificatekeypair"`
	WebhookBody    *string `json:"webhook_mapping_body" catalog:"ref=authentik_events.notificationwebhookmapping"`
	WebhookHeaders *string `json:"webhook_mapping_headers" catalog:"ref=authentik_events.notificationwebhookmapping"`
	SubjectPrefix  string  `json:"email_subject_prefix" catalog:"blank,verbatim,max=200"`
	Template       string  `json:"email_template"`
	SendOnce       bool    `json:"send_once"`
}

// Validate implements [catalog.Validator]. The address of a webhook is often
// its password, too: what is not used is not kept.
func (t *Transport) Validate() catalog.Problems {
	var problems catalog.Problems
	if t.Mode != Local && t.Mode != Email {
		problems.Add("mode", "Notifications cannot be sent to webhooks yet. Choose local or email.")
	}
	if t.WebhookURL != "" {
		problems.Add("webhook_url", "Notifications cannot be sent to webhooks yet. Leave this empty.")
	}
	if !mail.Known(t.Template) {
		problems.Add("email_template", "There is no template of this name.")
	}
	return problems
}
