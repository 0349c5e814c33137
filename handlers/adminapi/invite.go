package adminapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// InvitationPurpose marks the mails that invitations are sent with.
const InvitationPurpose = "invitation"

// maxInvited bounds to how many people one request sends mails, which waits
// until each of them is in the ledger, and to how many one mail goes.
const maxInvited = 50

// sendInvitation mails the link of an invitation: to each address a mail of
// its own, so that nobody learns who else was invited. Whoever is to have a
// copy gets one, with the first. The answer does not wait for a mail server.
func (s *Server) sendInvitation(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	i, err := s.findInvitation(r)
	if err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	flow, ok := s.Things.Thing(text(i.Thing, "flow"))
	switch {
	case nobody(input["email_addresses"]):
		return refuse(w, "No email addresses provided")
	case !ok:
		return refuse(w, "Invitation has no associated flow")
	case s.over(i):
		return refuse(w, "The invitation has expired.")
	}
	requests, err := readMails(input)
	if err != nil {
		return err
	}
	brand, _ := s.Things.Brand(s.view(r).host)
	query := url.Values{"itoken": {i.ID}}
	link := domain.NewSecret(c.BaseURL + "/if/flow/" + url.PathEscape(text(flow, "slug")) + "/?" + query.Encode())
	for _, request := range requests {
		request.Mail, request.Purpose, request.Link, request.Brand = s.NewID(), InvitationPurpose, link, text(brand, "branding_title")
		request.Variables = map[string]any{"expires": text(i.Thing, "expires")}
		// Whom it is for becomes a user under this invitation, if at all. What
		// the mail says of them goes when that user goes.
		_, err := s.Mails.Handle(r.Context(), eventstore.Stream("mail", request.Mail), mail.Request{MailRequested: request},
			s.meta(c, "invitation:"+i.ID))
		if err != nil {
			return err
		}
	}
	return done(w)
}

// refuse answers in the shape that the contract's clients read here.
func refuse(w http.ResponseWriter, sentence string) error {
	return writeJSON(w, http.StatusBadRequest, map[string]string{"error": sentence})
}

func nobody(addresses any) bool {
	list, isList := addresses.([]any)
	return addresses == nil || isList && len(list) == 0
}

// over tells whether an invitation has expired, and only the list does not
// know of it yet.
func (s *Server) over(i Invitation) bool {
	at, err := time.Parse(time.RFC3339Nano, text(i.Thing, "expires"))
	return err == nil && !s.Now().Before(at)
}

// readMails makes of a request one mail for each address. Either all of them
// can be sent or none is.
func readMails(input map[string]any) ([]mail.MailRequested, error) {
	var problems catalog.Problems
	lists := map[string][]string{}
	for _, field := range []string{"email_addresses", "cc_addresses", "bcc_addresses"} {
		lists[field] = readAddresses(input[field], field, &problems)
	}
	if copies := len(lists["cc_addresses"]) + len(lists["bcc_addresses"]); problems == nil && 1+copies > maxInvited {
		problems.Add("cc_addresses", "One mail goes to no more than %d addresses.", maxInvited)
	}
	template := readTemplate(input["template"], &problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	var requests []mail.MailRequested
	for n, address := range lists["email_addresses"] {
		request := mail.MailRequested{Template: template, Message: mail.Message{To: []string{address}}}
		if n == 0 {
			request.CC, request.BCC = lists["cc_addresses"], lists["bcc_addresses"]
		}
		requests = append(requests, request)
	}
	return requests, nil
}

// readAddresses reads a list of addresses, each once.
func readAddresses(given any, field string, problems *catalog.Problems) (addresses []string) {
	if given == nil {
		return nil
	}
	list, ok := given.([]any)
	if !ok {
		problems.Add(field, "Expected a list of items.")
		return nil
	}
	for _, item := range list {
		text, _ := item.(string)
		if _, err := mail.Address(text); err != nil {
			problems.Add(field, "Enter a valid email address.")
			return nil
		}
		if !slices.Contains(addresses, text) {
			addresses = append(addresses, text)
		}
	}
	if len(addresses) > maxInvited {
		problems.Add(field, "Ensure this field has no more than %d elements.", maxInvited)
	}
	return addresses
}

// readTemplate finds a template by its path, or by its bare name.
func readTemplate(given any, problems *catalog.Problems) string {
	name, isText := given.(string)
	if given == nil {
		name, isText = "invitation", true
	}
	path := name
	if !strings.Contains(name, "/") {
		path = "email/" + strings.TrimSuffix(name, ".html") + ".html"
	}
	if !isText || !mail.Known(path) {
		problems.Add("template", "There is no such template.")
	}
	return path
}
