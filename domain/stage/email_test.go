package stage_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
)

// email is the stage with its defaults.
func email(edits ...func(*stage.Email)) *stage.Email {
	e := &stage.Email{
		From: "system@authentik.local", TokenExpiry: "minutes=30", Subject: "authentik", Template: "email/password_reset.html",
		MaxAttempts: 5, Window: "minutes=5",
	}
	for _, edit := range edits {
		edit(e)
	}
	return e
}

// letter is the mail that the stage wants to send to Ada.
func letter(edits ...func(*execution.SendMail)) *execution.SendMail {
	m := &execution.SendMail{
		Purpose: "confirmation", Stage: &domain.Ref{ID: "s1", Name: "the stage"},
		Link: &execution.Link{
			Producer: "email_stage", Name: "ak-email-stage-the stage", Expires: now.Add(31 * time.Minute),
			Page: "https://id.example.org/if/flow/login/",
		},
		Fields: map[string]any{
			"to": "<Ada@example.org>", "subject": "authentik", "template": "email/password_reset.html",
			"context": map[string]any{
				"user": map[string]any{"username": "ada", "name": ""}, "expires": "2026-11-22T12:31:00Z", "language": "",
			},
		},
	}
	for _, edit := range edits {
		edit(m)
	}
	return m
}

func TestEmailSends(t *testing.T) {
	named := ada
	named.Name, named.Email = "Ada\r\nBcc: eve@example.org", "ada@example.org\n"
	tests := map[string]struct {
		stage *stage.Email
		who   func(in *stage.Input)
		want  *execution.SendMail // nil for none
	}{
		"to the user": {email(), func(*stage.Input) {}, letter()},
		"over the server's connection": {
			email(func(e *stage.Email) { e.Global = true }), func(*stage.Input) {}, letter(func(m *execution.SendMail) { m.Stage = nil }),
		},
		"in a recovery": {
			email(), func(in *stage.Input) { in.Flow.Designation = "recovery" }, letter(func(m *execution.SendMail) { m.Purpose = "recovery" }),
		},
		"to another address": {
			email(), func(in *stage.Input) { in.State.Context["email"] = "other@example.org\r\nCc: x" },
			letter(func(m *execution.SendMail) { m.Fields["to"] = "<other@example.orgCc: x>" }),
		},
		"with the name on one line": {
			email(), func(in *stage.Input) { in.Subject = named },
			letter(func(m *execution.SendMail) {
				m.Fields["to"] = `"AdaBcc: eve@example.org" <ada@example.org>`
				m.Fields["context"].(map[string]any)["user"] = map[string]any{"username": "ada", "name": named.Name}
			}),
		},
		"with the query of the page": {
			email(), func(in *stage.Input) { in.State.Query = map[string]string{"next": "/a b", "foo": "bar"} },
			letter(func(m *execution.SendMail) { m.Link.Page += "?foo=bar&next=%2Fa+b" }),
		},
		"to nobody who does not exist": {email(), func(in *stage.Input) { in.Subject = ghost }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), ada)
			tt.who(&in)
			o, err := tt.stage.Enter(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			ask, ok := o.(execution.Ask)
			if !ok || ask.Challenge.Component() != "ak-stage-email" || ask.Learned["email_sent"] != true {
				t.Fatalf("got %+v", o)
			}
			var want []execution.Effect
			if tt.want != nil {
				want = []execution.Effect{{SendMail: tt.want}}
			}
			if diff := cmp.Diff(want, ask.Effects, likeness); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
			in.State.Context["email_sent"] = true
			again, err := tt.stage.Enter(t.Context(), in)
			if ask, ok := again.(execution.Ask); err != nil || !ok || len(ask.Effects) > 0 {
				t.Errorf("showing it again: %+v, %v", again, err)
			}
		})
	}
}

func TestEmailSendsAgain(t *testing.T) {
	sent := wrong("ak-stage-email", "non_field_errors email-sent email-sent")
	in := at(world(), ada)
	in.State.Context["email_sent"] = true
	o, err := email().Respond(t.Context(), in, []byte("{}"))
	compare(t, sent, o, err)
	limit := &execution.Limit{Address: "ada@example.org", Most: 5, Within: 5 * time.Minute}
	want := []execution.Effect{{SendMail: letter(func(m *execution.SendMail) { m.Limit = limit })}}
	if diff := cmp.Diff(want, o.(execution.Invalid).Again.Effects, likeness); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	// Somebody who does not exist is counted like anybody.
	in.Subject = ghost
	o, err = email().Respond(t.Context(), in, []byte("{}"))
	compare(t, sent, o, err)
	if m := o.(execution.Invalid).Again.Effects[0].SendMail; !m.Nobody || m.Limit == nil || m.Limit.Address != "ghost" {
		t.Errorf("a mail to nobody: %+v", m)
	}
	in.Subject = nobody
	o, err = email().Respond(t.Context(), in, []byte("{}"))
	compare(t, told{Deny: ": No pending user."}, o, err)
	golden(t, "email.json", onWire(t, at(world(), ada), stage.TooManyMails(61*time.Second)))
}

func TestEmailLetsThrough(t *testing.T) {
	link := map[string]token.State{"t": {Status: token.Used, User: "u1"}, "v": {Status: token.Used, User: "u2"}}
	activate := func(e *stage.Email) { e.Activate = true }
	denied := told{Deny: ":"}
	active := []execution.Effect{{ActivateUser: &execution.ActivateUser{User: "u2"}}}
	tests := map[string]struct {
		stage *stage.Email
		in    stage.Input
		link  string
		want  told
	}{
		"through the link":                           {email(), at(world(), ada), "t", told{Pass: true}},
		"but not with the link of another":           {email(), at(world(), idle), "t", denied},
		"nor with one that leads nowhere":            {email(), at(world(), ada), "?", denied},
		"nor without a user":                         {email(), at(world(), nobody), "?", denied},
		"who is active stays so":                     {email(activate), at(world(), ada), "t", told{Pass: true}},
		"who is not becomes so":                      {email(activate), at(world(), idle), "v", told{Pass: true, Effects: active}},
		"who is not stays so unless the stage is to": {email(), at(world(), idle), "v", told{Pass: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.in.Records = &records{tokens: link}
			tt.in.State.Context["is_restored"] = tt.link
			o, err := tt.stage.Enter(t.Context(), tt.in)
			compare(t, tt.want, o, err)
			o, err = tt.stage.Respond(t.Context(), tt.in, []byte("{}"))
			compare(t, tt.want, o, err)
		})
	}
	in := at(world(), nobody)
	o, err := email().Enter(t.Context(), in)
	compare(t, told{Deny: ": No pending user."}, o, err)
	in.State.Context["is_restored"], in.Records = "t", &records{broken: errDown}
	if _, err := email().Enter(t.Context(), in); err != errDown {
		t.Errorf("got %v", err)
	}
}

func TestEmailConfiguration(t *testing.T) {
	tests := map[string]struct {
		edit func(*stage.Email)
		want string
	}{
		"the defaults":         {func(*stage.Email) {}, ""},
		"no address":           {func(e *stage.Email) { e.From = "x" }, "from_address"},
		"an address with name": {func(e *stage.Email) { e.From = "A <a@example.org>" }, "from_address"},
		"two encryptions":      {func(e *stage.Email) { e.TLS, e.SSL = true, true }, "non_field_errors"},
		"no template":          {func(e *stage.Email) { e.Template = "email/none.html" }, "template"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := email(tt.edit).Validate()
			if (len(p) > 0) != (tt.want != "") || tt.want != "" && p[tt.want] == nil {
				t.Errorf("got %v", p)
			}
		})
	}
}

func TestConfirmation(t *testing.T) {
	valid := token.State{
		Status: token.Active, Intent: token.Verification, User: "u1", Expiring: true, Expires: now.Add(1),
		Resumption: token.Resumption{Secrets: map[string]domain.Secret{"prompt_data/password": domain.NewSecret("pw")}},
	}
	late, taken, ours, revoked := valid, valid, valid, valid
	late.Expires = now
	taken.Status, taken.UsedBy = token.Used, "x2"
	ours.Status, ours.UsedBy = token.Used, "x1"
	revoked.Status = token.Revoked
	ask := told{Ask: "ak-stage-consent"}
	through := told{
		Pass: true, Effects: []execution.Effect{{UseToken: &execution.UseToken{Token: "t"}}},
		Learned: execution.Context{"prompt_data": map[string]any{"name": "Ada", "password": domain.NewSecret("pw")}},
	}
	tests := map[string]struct {
		link          token.State
		opened, right told
	}{
		"a link that works":                {valid, ask, through},
		"one that this execution has used": {ours, ask, through},
		"one that another has used":        {taken, told{Deny: ": " + stage.LinkUsed}, told{Deny: ": " + stage.LinkUsed}},
		"one whose time is over":           {late, told{Deny: ": " + stage.LinkExpired}, told{Deny: ": " + stage.LinkExpired}},
		"one that somebody revoked":        {revoked, told{Deny: ": " + stage.LinkExpired}, told{Deny: ": " + stage.LinkExpired}},
		"none":                             {token.State{}, told{Deny: ": " + stage.LinkExpired}, told{Deny: ": " + stage.LinkExpired}},
	}
	const key = "t"
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), ada)
			in.Records = &records{tokens: map[string]token.State{key: tt.link}}
			in.State.Context = execution.Context{"is_restored": key, "prompt_data": map[string]any{"name": "Ada"}}
			o, err := stage.Confirmation{}.Enter(t.Context(), in)
			compare(t, tt.opened, o, err)
			answer := "?"
			if tt.opened.Deny == "" {
				answer, _ = onWire(t, in, o)["token"].(string)
			}
			o, err = stage.Confirmation{}.Respond(t.Context(), in, []byte(`{"token":"`+answer+`"}`))
			compare(t, tt.right, o, err)
			if tt.opened.Deny != "" {
				return
			}
			o, err = stage.Confirmation{}.Respond(t.Context(), in, []byte(`{"token":"another"}`))
			compare(t, wrong("ak-stage-consent"), o, err)
			o, err = stage.Confirmation{}.Respond(t.Context(), in, []byte(`{}`))
			compare(t, wrong("ak-stage-consent", "token required This field is required."), o, err)
		})
	}
	in := at(world(), ada)
	in.Flow.Flow = object.Flow{Title: "Recover"}
	in.Records = &records{tokens: map[string]token.State{key: valid}}
	in.State.Context = execution.Context{"is_restored": key}
	o, err := stage.Confirmation{}.Enter(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "confirmation.json", onWire(t, in, o))
}
