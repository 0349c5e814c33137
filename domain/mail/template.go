package mail

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"
	texttemplate "text/template"
)

//go:embed templates
var files embed.FS

// A Template is a kind of mail that can be sent, by the contract's name.
type Template struct {
	Path  string // email/password_reset.html
	Label string // in a list of all
	title string // above the text
	html  *htmltemplate.Template
	text  *texttemplate.Template
}

// templates are what there is. They are parsed once, at start.
var templates = []*Template{
	parse("email/password_reset.html", "Password Reset", "Reset your password"),
	parse("email/account_confirmation.html", "Account Confirmation", "Confirm your address"),
	parse("email/email_otp.html", "Email OTP", "Your code"),
	parse("email/event_notification.html", "Event Notification", "Notification"),
	parse("email/invitation.html", "Invitation", "You are invited"),
}

func parse(path, label, title string) *Template {
	twin := "templates/" + strings.TrimSuffix(path, ".html") + ".txt"
	return &Template{
		Path: path, Label: label, title: title,
		html: htmltemplate.Must(htmltemplate.ParseFS(files, "templates/layout.html", "templates/"+path)),
		text: texttemplate.Must(texttemplate.ParseFS(files, twin, "templates/layout.txt")).Lookup(twin[strings.LastIndex(twin, "/")+1:]),
	}
}

// Templates lists what there is.
func Templates() []Template {
	all := make([]Template, len(templates))
	for i, t := range templates {
		all[i] = *t
	}
	return all
}

// Known tells whether there is a template of that name.
func Known(path string) bool { return lookup(path) != nil }

func lookup(path string) *Template {
	i := slices.IndexFunc(templates, func(t *Template) bool { return t.Path == path })
	if i < 0 {
		return nil
	}
	return templates[i]
}

// A Rendered mail is what its reader sees.
type Rendered struct {
	Subject string
	HTML    string
	Text    string
}

// Render makes of a request what is sent. A body is HTML already; its plain
// text is what is left without the tags.
func Render(e MailRequested) (Rendered, error) {
	if e.Template == "" {
		return Rendered{Subject: e.Subject, HTML: e.Body, Text: Strip(e.Body)}, nil
	}
	t := lookup(e.Template)
	if t == nil {
		return Rendered{}, fmt.Errorf("render a mail: there is no template %q", e.Template)
	}
	v := viewOf(e, t.title)
	var html, text strings.Builder
	if err := t.html.ExecuteTemplate(&html, "layout", v); err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", t.Path, err)
	}
	if err := t.text.Execute(&text, v); err != nil {
		return Rendered{}, fmt.Errorf("render the text of %s: %w", t.Path, err)
	}
	r := Rendered{Subject: e.Subject, HTML: html.String(), Text: strings.TrimSpace(text.String()) + "\n"}
	if r.Subject == "" {
		r.Subject = v.Title
	}
	return r, nil
}
