package adminapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
)

// A Recovery is a link that an administrator makes for somebody who cannot log
// in any more.
type Recovery struct {
	Flow object.Thing
	User string // id
	Life time.Duration
	Via  *object.Thing // the stage that mails it; nil to hand it out
}

// recoveryLife is how long such a link works unless the administrator says
// otherwise.
const recoveryLife = 24 * time.Hour

// recoverByLink answers with a link. It is in the answer and nowhere else.
func (s *Server) recoverByLink(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	u, err := s.findUser(r)
	if err != nil {
		return err
	}
	if err := s.overUser(r.Context(), c, u); err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	wish := Recovery{User: u.ID}
	if err := s.judgeRecovery(r, input, &wish); err != nil {
		return err
	}
	link, err := s.Keys.Recover(r.Context(), c, wish)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"link": link})
}

// recoverByMail mails the link, and shows it to nobody else.
func (s *Server) recoverByMail(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	u, err := s.findUser(r)
	if err != nil {
		return err
	}
	if err := s.overUser(r.Context(), c, u); err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	id, ok := input["email_stage"].(string)
	switch {
	case input["email_stage"] == nil:
		return invalid("email_stage", "This field is required.")
	case !ok:
		return invalid("email_stage", "Must be a valid UUID.")
	case u.Email == "":
		return invalid(catalog.NonField, "User does not have an email address set.")
	}
	via, ok := s.Things.Thing(strings.ToLower(id))
	if !ok || via.Kind != stage.EmailModel {
		return invalid(catalog.NonField, "The given Email stage does not exist.")
	}
	wish := Recovery{User: u.ID, Via: &via}
	if err := s.judgeRecovery(r, input, &wish); err != nil {
		return err
	}
	if _, err := s.Keys.Recover(r.Context(), c, wish); err != nil {
		return err
	}
	return done(w)
}

// judgeRecovery finds the flow of the brand, and reads how long the link is to
// work.
func (s *Server) judgeRecovery(r *http.Request, input map[string]any, wish *Recovery) error {
	wish.Life = recoveryLife
	switch text, ok := input["token_duration"].(string); {
	case ok:
		life, err := catalog.ParseDuration(text)
		if err != nil {
			return invalid("token_duration", cut(text)+" is not in the correct format of 'hours=3;minutes=1'.")
		}
		if life <= 0 {
			return invalid("token_duration", "The time is over already.")
		}
		wish.Life = life
	case input["token_duration"] != nil:
		return invalid("token_duration", "Not a valid string.")
	}
	brand, _ := s.Things.Brand(s.view(r).host)
	flow, ok := s.Things.Thing(text(brand, "flow_recovery"))
	if !ok {
		return invalid(catalog.NonField, "Recovery flow is not set for this brand.")
	}
	wish.Flow = flow
	return nil
}

// listTemplates answers with the kinds of mail that stages can send.
func listTemplates(w http.ResponseWriter, _ *http.Request, _ session.Caller) error {
	out := []any{}
	for _, t := range mail.Templates() {
		out = append(out, map[string]any{
			"name": t.Path, "description": t.Label, "component": "", "model_name": "",
			"requires_enterprise": false, "deprecated": false,
		})
	}
	return writeJSON(w, http.StatusOK, out)
}
