package web

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// promptPrefix begins the names of a prompt's form fields:
// prompt.<kind of value>.<key>.
const promptPrefix = "prompt."

// A prompt is one field of a prompt stage, as on the wire.
type prompt struct {
	Key         string   `json:"field_key"`
	Label       string   `json:"label"`
	Type        string   `json:"type"`
	Required    bool     `json:"required"`
	Placeholder string   `json:"placeholder"`
	Initial     string   `json:"initial_value"`
	SubText     string   `json:"sub_text"`
	Choices     []choice `json:"choices"`
}

type choice struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// An input is a prompt for the template.
type input struct {
	prompt
	ID       string
	Name     string
	Widget   string // which part of the template shows it
	Type     string // of an HTML input
	Complete string // its autocomplete
	Mode     string // its inputmode
	Value    string
	Problems []string
	Focus    bool // the cursor starts here
	ReadOnly bool
}

// widget says how a type of prompt looks and what kind of value it sends.
type widget struct {
	Name, Type, Kind, Complete, Mode string
	ReadOnly                         bool
}

// widgets has every type of prompt that can be answered here or only looks
// nice. A hidden one is the server's alone, and needs no place on the page.
var widgets = map[string]widget{
	"text":                {Name: "input", Type: "text", Kind: "text"},
	"text_read_only":      {Name: "input", Type: "text", Kind: "text", ReadOnly: true},
	"text_area":           {Name: "textarea", Kind: "text"},
	"text_area_read_only": {Name: "textarea", Kind: "text", ReadOnly: true},
	"username":            {Name: "input", Type: "text", Kind: "text", Complete: "username"},
	"email":               {Name: "input", Type: "email", Kind: "text", Complete: "email", Mode: "email"},
	"password":            {Name: "input", Type: "password", Kind: "text", Complete: "new-password"},
	"number":              {Name: "input", Type: "number", Kind: "number", Mode: "numeric"},
	"date":                {Name: "input", Type: "date", Kind: "some"},
	"date-time":           {Name: "input", Type: "datetime-local", Kind: "some"},
	"file":                {Name: "file", Kind: "file"},
	"checkbox":            {Name: "checkbox", Kind: "bool"},
	"radio-button-group":  {Name: "radio", Kind: "some"},
	"dropdown":            {Name: "select", Kind: "some"},
	"ak-locale":           {Name: "select", Kind: "text", Complete: "language"},
	"separator":           {Name: "separator"},
	"static":              {Name: "static"},
	"alert_info":          {Name: "info"},
	"alert_warning":       {Name: "warning"},
	"alert_danger":        {Name: "danger"},
	"hidden":              {Name: "hidden"},
}

// inputs prepares the fields of a prompt stage. The cursor starts in the first
// field that has a problem, or else in the first that can be filled in.
func (v flowView) inputs() []input {
	var inputs []input
	first, wrong := -1, -1
	for i, p := range v.Fields {
		in := v.input(i, p)
		if first < 0 && in.Name != "" && !in.ReadOnly {
			first = i
		}
		if wrong < 0 && in.Shows() && len(in.Problems) > 0 {
			wrong = i
		}
		inputs = append(inputs, in)
	}
	if wrong >= 0 {
		first = wrong
	}
	if first >= 0 {
		inputs[first].Focus = true
	}
	return inputs
}

func (v flowView) input(i int, p prompt) input {
	w, ok := widgets[p.Type]
	if !ok {
		w.Name = "unsupported"
	}
	in := input{
		prompt: p, ID: fmt.Sprintf("field-%d", i), Widget: w.Name, Type: w.Type,
		Complete: w.Complete, Mode: w.Mode, Value: p.Initial, ReadOnly: w.ReadOnly,
		Problems: v.Problems(p.Key),
	}
	if w.Kind != "" {
		in.Name = promptPrefix + w.Kind + "." + p.Key
	}
	if typed, ok := v.typed[in.Name]; ok && !w.ReadOnly && len(typed) > 0 {
		in.Value = typed[len(typed)-1]
	}
	switch p.Type {
	case "password":
		in.Value = "" // what is secret is not sent back
	case "file":
		// A page cannot fill in a file. One that is known stays as it is.
		in.Required, in.Value = in.Required && p.Initial == "", ""
	case "date-time":
		in.Value = localTime(in.Value)
	case "ak-locale":
		in.Choices = locales(p.Choices)
	}
	return in
}

// localTime writes a time as the browser's input wants it, which knows no
// zone: as what a time without one is taken for, UTC.
func localTime(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	if t.Second() != 0 {
		return t.UTC().Format("2006-01-02T15:04:05")
	}
	return t.UTC().Format("2006-01-02T15:04")
}

// Shows tells whether the input has a place on the page for its problems.
func (in input) Shows() bool {
	switch in.Widget {
	case "input", "textarea", "checkbox", "radio", "select", "file":
		return true
	}
	return false
}

// Uploads tells whether the form has to send files.
func (v flowView) Uploads() bool {
	return slices.ContainsFunc(v.Fields, func(p prompt) bool { return p.Type == "file" })
}

// Checked tells whether a checkbox starts out checked.
func (in input) Checked() bool {
	switch in.Value {
	case "true", "True", "1", "on", "yes":
		return true
	}
	return false
}

// DescribedBy names the elements that explain the field.
func (in input) DescribedBy() string {
	ids := ""
	if len(in.Problems) > 0 {
		ids = in.ID + "-problem"
	}
	if in.SubText != "" {
		ids += " " + in.ID + "-help"
	}
	return strings.TrimSpace(ids)
}

// Text is the body of a field that only shows something.
func (in input) Text() template.HTML { return rich(in.Value) }

// locales are the languages to choose from, in their own words, unless the
// stage has its own list.
func locales(own []choice) []choice {
	if len(own) > 0 {
		return own
	}
	return []choice{
		{"", "Choose automatically"},
		{"cs", "Čeština"}, {"de", "Deutsch"}, {"en", "English"}, {"es", "Español"}, {"fi", "Suomi"},
		{"fr", "Français"}, {"it", "Italiano"}, {"ja", "日本語"}, {"ko", "한국어"}, {"nl", "Nederlands"},
		{"pl", "Polski"}, {"pt-BR", "Português (Brasil)"}, {"ru", "Русский"}, {"tr", "Türkçe"},
		{"zh-Hans", "简体中文"}, {"zh-Hant", "繁體中文"},
	}
}
