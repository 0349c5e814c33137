package executor

import (
	"context"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// sendMail asks for a mail, in a stream of its own whose name follows from the
// execution. A worker sends it: nobody waits for a mail server here. One that
// cannot be sent is given up by its own decision, for the execution has gone
// on already.
func (x *Executor) sendMail(ctx context.Context, d *draft, m execution.SendMail, meta codec.Meta) error {
	id := meta.Command.String()
	request, err := x.letter(m, id, d.visit.Caller)
	if err != nil {
		return err
	}
	request.User, request.Execution = d.state.Subject.User, d.id
	if m.Link != nil {
		if m.Link.Key.Empty() {
			return nil // the execution is over: it was asked for before its key was destroyed
		}
		if request.Link, err = x.makeLink(ctx, d, *m.Link, meta); err != nil {
			return err
		}
	}
	_, err = x.Mails.Handle(ctx, eventstore.Stream("mail", id), mail.Request{MailRequested: request}, meta)
	return err
}

// letter is what an effect says of a mail.
func (x *Executor) letter(m execution.SendMail, id string, c session.Caller) (mail.MailRequested, error) {
	brand, err := x.brand(c)
	if err != nil {
		return mail.MailRequested{}, err
	}
	request := mail.MailRequested{
		Mail: id, Purpose: m.Purpose, Template: textOf(m.Fields["template"]), Stage: m.Stage, Brand: brand.Title,
		Message: mail.Message{
			To: textsOf(m.Fields["to"]), CC: textsOf(m.Fields["cc"]), BCC: textsOf(m.Fields["bcc"]),
			Subject: textOf(m.Fields["subject"]), Body: textOf(m.Fields["body"]),
		},
	}
	request.Variables, _ = m.Fields["context"].(map[string]any)
	if request.Stage == nil {
		request.Stage = x.pinnedStage(refOf(m.Fields["stage"]))
	}
	return request, nil
}

// Fields come from a policy, or out of the ledger, so lists are of anything.

func textOf(v any) string {
	text, _ := v.(string)
	return text
}

// textsOf is a list of texts; one alone is a list of one. What is no text
// stays, empty, so that the mail is refused rather than sent to others only.
func textsOf(v any) (texts []string) {
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		for _, item := range v {
			texts = append(texts, textOf(item))
		}
	case string:
		if v != "" {
			texts = []string{v}
		}
	}
	return texts
}

// refOf names the stage whose connection is to be used; nil for none.
func refOf(v any) *domain.Ref {
	switch v := v.(type) {
	case domain.Ref:
		return &v
	case string:
		if v != "" {
			return &domain.Ref{Name: v}
		}
	case map[string]any:
		if id := textOf(v["id"]); id != "" {
			return &domain.Ref{ID: id, Kind: textOf(v["kind"]), Name: textOf(v["name"])}
		}
	}
	return nil
}

// pinnedStage is a stage as it is configured now, whom a policy names by its
// id or its name.
func (x *Executor) pinnedStage(named *domain.Ref) *domain.Ref {
	if named == nil {
		return nil
	}
	for _, t := range x.Definitions.Kind(stage.EmailModel) {
		if t.ID == named.ID || named.ID == "" && t.Name == named.Name {
			ref := t.Ref()
			return &ref
		}
	}
	return named
}
