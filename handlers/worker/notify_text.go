package worker

import (
	"strings"

	"github.com/flowledger/flowledger/domain/user"
)

// Summary says in one line what an event is: its own message if it has one,
// else what was done, by whom.
func Summary(r Report) string {
	about, _ := r.Shown["context"].(map[string]any)
	if message, _ := about["message"].(string); message != "" {
		return message
	}
	line := title(r)
	if model, _ := about["model"].(map[string]any); model != nil {
		line += ": " + strings.TrimSpace(textIn(model, "model_name")+" "+textIn(model, "name"))
	}
	if name := nameIn(r); name != "" {
		line += " (" + name + ")"
	}
	return line
}

// title is the action in words.
func title(r Report) string {
	text := strings.ReplaceAll(textIn(r.Shown, "action"), "_", " ")
	if text == "" {
		return "Event"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func nameIn(r Report) string {
	who, _ := r.Shown["user"].(map[string]any)
	return textIn(who, "username")
}

func textIn(m map[string]any, key string) string {
	text, _ := m[key].(string)
	return text
}

// subjectLine is the subject of a mail. It names nobody: subjects are read on
// locked screens.
func subjectLine(prefix string, r Report) string {
	return strings.Join(strings.Fields(prefix+" "+title(r)), " ")
}

// variables are what the template of a mail shows.
func variables(m notice, who user.Person) map[string]any {
	return map[string]any{
		"user": map[string]any{"username": who.Username, "name": who.Name}, "title": title(m.report), "body": Summary(m.report),
		"key_value": map[string]any{
			"Action": textIn(m.report.Shown, "action"), "User": nameIn(m.report), "Address": textIn(m.report.Shown, "client_ip"),
			"Severity": m.severity, "Rule": m.rule.Name, "Time": textIn(m.report.Shown, "created"),
		},
	}
}
