package tests

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const guest = "zqguest@example.test"

// inviting is a flow that lets somebody in by invitation only.
const inviting = `version: 1
metadata: {name: inviting}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: inviting}
    attrs: {name: inviting, title: Join, designation: enrollment, authentication: none}
  - model: authentik_stages_invitation.invitationstage
    id: invitation
    identifiers: {name: inviting-invitation}
  - model: authentik_stages_dummy.dummystage
    id: inside
    identifiers: {name: inviting-inside}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf invitation, order: 0}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf inside, order: 10}
`

// TestInvitationMail mails an invitation over SMTP: its link lets the reader
// in, and of the reader nothing lies about in the clear.
func TestInvitationMail(t *testing.T) {
	office := newPostOffice(t)
	s := start(t, "--smtp", office.flag())
	admin := s.admin(t)
	admin.mustImport(t, inviting)
	flow, err := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/flows/instances/inviting/", nil).object()
	if err != nil {
		t.Fatal(err)
	}
	const invitations = "/api/v3/stages/invitation/invitations/"
	made, err := admin.must(t, http.StatusCreated, http.MethodPost, invitations, object{"name": "one", "flow": flow["pk"]}).object()
	if err != nil {
		t.Fatal(err)
	}
	admin.must(t, http.StatusNoContent, http.MethodPost, invitations+made.text("pk")+"/send_email/", object{"email_addresses": []string{guest}})
	awaitTrue(t, "the mail arrives", func() bool { return len(office.letters()) == 1 })
	letter := office.letters()[0]
	if !strings.Contains(letter, "To: <"+guest+">") {
		t.Errorf("the letter is for somebody else:\n%s", letter)
	}
	link, err := url.Parse(anyLink.FindString(textOf(t, letter)))
	if err != nil || link.Query().Get("itoken") != made.text("pk") {
		t.Fatalf("the link is %v, %v", link, err)
	}
	ch, err := s.visitor(t).asked(s.visitor(t).follow(http.MethodGet, "/api/v3/flows/executor/inviting/?query="+url.QueryEscape(link.RawQuery), nil))
	if err != nil || ch.text("component") != "ak-stage-dummy" {
		t.Errorf("the link leads to %v, %v", ch, err)
	}
	if ch, err = s.visitor(t).challenge("inviting"); err != nil || ch.text("component") != "ak-stage-access-denied" {
		t.Errorf("without the link there is %v, %v", ch, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if n := tally(s.events(t), "MailSent"); n != 1 {
		t.Errorf("%d mails were sent", n)
	}
	searchFor(t, s, guest)
}
