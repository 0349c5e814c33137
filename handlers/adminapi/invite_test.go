package adminapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/session"
)

// asked lists the mails that were asked for, by the first address.
func (b *bench) asked() []mail.MailRequested {
	b.must(b.views.wait(b.t.Context()))
	var out []mail.MailRequested
	for _, s := range b.views.now().mails {
		out = append(out, s.Request)
	}
	slices.SortFunc(out, func(a, b mail.MailRequested) int { return strings.Compare(a.To[0], b.To[0]) })
	return out
}

// Each address gets a mail of its own with the link, and copies go out once.
func TestSendInvitation(t *testing.T) {
	b := newBench(t)
	b.callers[admin] = func(c session.Caller) session.Caller { c.BaseURL = "https://login.example.test"; return c }(b.callers[admin])
	b.want(201, http.MethodPost, "core/brands/", fields{"domain": "example.test", "default": true, "branding_title": "Example Inc."})
	pk := b.want(201, http.MethodPost, invitations, fields{"name": "one", "flow": b.flow("join"), "expires": "2026-12-01T00:00:00Z"}).str("pk")
	b.want(204, http.MethodPost, invitations+pk+"/send_email/", fields{
		"email_addresses": []string{"ada@example.org", "bob@example.org", "ada@example.org"},
		"cc_addresses":    []string{"copy@example.org"}, "bcc_addresses": []string{"blind@example.org"}, "template": "invitation",
	})
	got := b.asked()
	if len(got) != 2 {
		t.Fatalf("%d mails were asked for", len(got))
	}
	for n, want := range []mail.Message{
		{To: []string{"ada@example.org"}, CC: []string{"copy@example.org"}, BCC: []string{"blind@example.org"}},
		{To: []string{"bob@example.org"}},
	} {
		want.Variables = fields{"expires": "2026-12-01T00:00:00Z"}
		if diff := cmp.Diff(want, got[n].Message); diff != "" {
			t.Errorf("mail %d (-want +got):\n%s", n, diff)
		}
		r, err := mail.Render(got[n])
		b.must(err)
		link := "https://login.example.test/if/flow/join/?itoken=" + pk
		if got[n].Link.Reveal() != link || got[n].Brand != "Example Inc." || got[n].Template != "email/invitation.html" ||
			!strings.Contains(r.Text, link) || !strings.Contains(r.Text, "1 December 2026") {
			t.Errorf("mail %d: %+v\n%s", n, got[n], r.Text)
		}
	}
}

// What cannot be sent to all is sent to nobody.
func TestSendInvitationRefusals(t *testing.T) {
	b := newBench(t)
	flow := b.flow("join")
	pk := b.want(201, http.MethodPost, invitations, fields{"name": "one", "flow": flow}).str("pk")
	open := b.want(201, http.MethodPost, invitations, fields{"name": "any"}).str("pk")
	late := b.want(201, http.MethodPost, invitations, fields{"name": "late", "flow": flow, "expires": "2026-11-22T12:00:00Z"}).str("pk")
	crowd := make([]string, 51)
	for i := range crowd {
		crowd[i] = fmt.Sprintf("guest%d@example.org", i)
	}
	ada := []any{"ada@example.org"}
	for name, tt := range map[string]struct {
		pk    string
		body  fields
		path  string
		wants string
	}{
		"no addresses":               {pk, fields{}, "error", "No email addresses provided"},
		"an empty list of addresses": {pk, fields{"email_addresses": []any{}}, "error", "No email addresses provided"},
		"an invitation to any flow":  {open, fields{"email_addresses": ada}, "error", "Invitation has no associated flow"},
		"an invitation that is over": {late, fields{"email_addresses": ada}, "error", "The invitation has expired."},
		"a text for the addresses":   {pk, fields{"email_addresses": "ada@example.org"}, "email_addresses.0", "Expected a list of items."},
		"an address that is none":    {pk, fields{"email_addresses": []any{"ada@example.org", "bob"}}, "email_addresses.0", "Enter a valid email address."},
		"a number for an address":    {pk, fields{"email_addresses": ada, "cc_addresses": []any{5}}, "cc_addresses.0", "Enter a valid email address."},
		"an address with more lines": {pk, fields{"email_addresses": ada, "bcc_addresses": []any{"a@b.c\r\nTo: x@y.z"}}, "bcc_addresses.0", "Enter a valid email address."},
		"a crowd":                    {pk, fields{"email_addresses": crowd}, "email_addresses.0", "Ensure this field has no more than 50 elements."},
		"a template that is not":     {pk, fields{"email_addresses": ada, "template": "../secret"}, "template.0", "There is no such template."},
		"a template that is no text": {pk, fields{"email_addresses": ada, "template": 5}, "template.0", "There is no such template."},
		"a crowd that gets copies":   {pk, fields{"email_addresses": ada, "cc_addresses": crowd}, "cc_addresses.0", "Ensure this field has no more than 50 elements."},
		"a crowd that gets one mail": {pk, fields{"email_addresses": ada, "cc_addresses": crowd[:25], "bcc_addresses": crowd[25:50]}, "cc_addresses.0", "One mail goes to no more than 50 addresses."},
	} {
		if got := b.want(400, http.MethodPost, invitations+tt.pk+"/send_email/", tt.body); got.str(tt.path) != tt.wants {
			t.Errorf("%s: %s", name, got.text)
		}
	}
	b.want(404, http.MethodPost, invitations+flow+"/send_email/", fields{"email_addresses": ada})
	if got := b.do(member, http.MethodPost, invitations+pk+"/send_email/", fields{"email_addresses": ada}); got.status != 403 {
		t.Errorf("a member gets %d", got.status)
	}
	if got := b.asked(); len(got) != 0 {
		t.Errorf("mails were asked for: %+v", got)
	}
}
