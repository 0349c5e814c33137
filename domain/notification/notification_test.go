package notification_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/notification"
)

type spec = domaintest.Spec[notification.State]

func given(events ...notification.Event) []notification.Event { return events }

var (
	raised  = notification.NotificationRaised{Rule: domain.Ref{ID: "r"}, Event: "e", User: "u", Severity: "notice", Body: "b"}
	seen    = notification.NotificationSeen{By: "u"}
	removed = notification.NotificationRemoved{By: "u"}
)

func TestCommands(t *testing.T) {
	long, cut := raised, raised
	long.Body, cut.Body = strings.Repeat("ä", 1000), strings.Repeat("ä", 512)+"…"
	nobody := raised
	nobody.User = ""
	domaintest.Run(t, map[string]spec{
		"somebody is told":                       {When: notification.Raise{NotificationRaised: raised}, Then: given(raised)},
		"once":                                   {Given: given(raised), When: notification.Raise{NotificationRaised: raised}},
		"also when it was removed meanwhile":     {Given: given(raised, removed), When: notification.Raise{NotificationRaised: raised}},
		"a long text is cut":                     {When: notification.Raise{NotificationRaised: long}, Then: given(cut)},
		"nobody cannot be told":                  {When: notification.Raise{NotificationRaised: nobody}, Fails: domain.Invalid},
		"it is seen":                             {Given: given(raised), When: notification.Mark{Seen: true, By: "u"}, Then: given(seen)},
		"twice is once":                          {Given: given(raised, seen), When: notification.Mark{Seen: true, By: "u"}},
		"it can be seen anew":                    {Given: given(raised, seen), When: notification.Mark{By: "u"}, Then: given(notification.NotificationUnseen{By: "u"})},
		"what is new is unseen":                  {Given: given(raised), When: notification.Mark{By: "u"}},
		"what is seen anew can be seen":          {Given: given(raised, seen, notification.NotificationUnseen{}), When: notification.Mark{Seen: true, By: "u"}, Then: given(seen)},
		"what was removed cannot be seen":        {Given: given(raised, removed), When: notification.Mark{Seen: true}, Fails: domain.NotFound},
		"it is removed":                          {Given: given(raised), When: notification.Remove{By: "u"}, Then: given(removed)},
		"removing what is gone is nothing to do": {Given: given(raised, removed), When: notification.Remove{By: "u"}},
	})
}

func TestKinds(t *testing.T) {
	rule, _ := catalog.Lookup(notification.RuleModel)
	want := map[string]any{"name": "", "transports": []any{}, "severity": "notice", "destination_group": nil, "destination_event_user": false}
	if diff := cmp.Diff(want, rule.Defaults()); diff != "" {
		t.Errorf("a rule (-want +got):\n%s", diff)
	}
	if !rule.Match("target") {
		t.Error("policies cannot be bound to rules")
	}
	transport, _ := catalog.Lookup(notification.TransportModel)
	want = map[string]any{
		"name": "", "mode": "local", "webhook_url": "", "webhook_ca": nil, "webhook_mapping_body": nil, "webhook_mapping_headers": nil,
		"email_subject_prefix": "flowledger Notification: ", "email_template": "email/event_notification.html", "send_once": false,
	}
	if diff := cmp.Diff(want, transport.Defaults()); diff != "" {
		t.Errorf("a transport (-want +got):\n%s", diff)
	}
}

func TestTransportIsChecked(t *testing.T) {
	transport, _ := catalog.Lookup(notification.TransportModel)
	for field, bad := range map[string]any{"mode": "webhook", "webhook_url": "https://hooks.example.org/secret", "email_template": "nothing.html"} {
		fields := transport.Defaults()
		if problems := transport.Validate(fields); problems != nil {
			t.Fatalf("the defaults: %v", problems)
		}
		fields[field] = bad
		problems := transport.Validate(fields)
		if len(problems) != 1 || len(problems[field]) != 1 || strings.Contains(problems[field][0], "secret") {
			t.Errorf("%s %v: %v", field, bad, problems)
		}
	}
	if _, problems := transport.Clean(map[string]any{"mode": "pigeon"}, true); problems["mode"] == nil {
		t.Error("any mode will do")
	}
}
