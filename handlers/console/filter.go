package console

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/projections"
)

// A field is one filter of executions. Names are those of the API, so that an
// address means the same there.
type field struct {
	Name, Label string
	Kind        string // of the control: text, select, datetime-local or number
	Hint        string
	Choices     []choice
	More        bool   // it is rarely wanted
	Value       string // as it was asked for
	Problem     string

	set func(f *projections.ExecutionFilter, text string) (problem string)
}

// executionFields are all filters, in the order of the form.
func executionFields() []field {
	return []field{
		{Name: "search", Label: "Search", Kind: "search", Hint: "person, id, flow, stage, reference of an error …", set: setWords},
		{Name: "status", Label: "Outcome", Choices: labelled(statusChoices...), set: setStatus},
		{Name: "flow", Label: "Flow", Hint: "slug or id", set: setFlow},
		{Name: "user", Label: "Person", Hint: "name or id", set: func(f *projections.ExecutionFilter, text string) string { f.User = text; return "" }},
		{Name: "ip", Label: "Address", Hint: "203.0.113.7 or 203.0.113.0/24", set: setNetwork},
		{Name: "since", Label: "Began from (UTC)", Kind: "datetime-local", set: setTime(func(f *projections.ExecutionFilter) *time.Time { return &f.From })},
		{Name: "until", Label: "Began before (UTC)", Kind: "datetime-local", set: setTime(func(f *projections.ExecutionFilter) *time.Time { return &f.Until })},

		{Name: "cause", Label: "Reason of the end", Hint: "as the overview names it", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.Cause })},
		{Name: "designation", Label: "Kind of flow", More: true, Choices: labelled("authentication", "authorization", "invalidation", "enrollment", "unenrollment", "recovery", "stage_configuration"),
			set: setText(func(f *projections.ExecutionFilter) *string { return &f.Designation })},
		{Name: "flow_revision", Label: "Revision of the flow", Kind: "number", More: true, set: setRevision},
		{Name: "stage", Label: "Stage reached", Hint: "name or id", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.Reached })},
		{Name: "stage_kind", Label: "Kind of stage entered", Hint: "authentik_stages_password.passwordstage", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.StageKind })},
		{Name: "factor", Label: "Proved by", Hint: "password, totp, webauthn …", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.Factor })},
		{Name: "policy", Label: "Policy", Hint: "id", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.Policy })},
		{Name: "verdict", Label: "What policies said", More: true, Choices: labelled("passed", "failed", "erred"), set: setText(func(f *projections.ExecutionFilter) *string { return &f.Said })},
		{Name: "country", Label: "Country", Hint: "two letters", More: true, set: setCountry},
		{Name: "asn", Label: "Autonomous system", Hint: "AS64500", More: true, set: setSystem},
		{Name: "duration__gte", Label: "Took at least", Hint: "1m30s", More: true, set: setLength(func(f *projections.ExecutionFilter) *time.Duration { return &f.Longer })},
		{Name: "duration__lt", Label: "Took less than", Hint: "10s", More: true, set: setLength(func(f *projections.ExecutionFilter) *time.Duration { return &f.Shorter })},
		{Name: "running", Label: "Under way", More: true, Choices: yesAndNo, set: setFlag(func(f *projections.ExecutionFilter) **bool { return &f.Running })},
		{Name: "abandoned", Label: "Abandoned", More: true, Choices: yesAndNo, set: setFlag(func(f *projections.ExecutionFilter) **bool { return &f.Abandoned })},
		{Name: "visitor", Label: "Already logged in as", Hint: "name or id", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.Visitor })},
		{Name: "session", Label: "Session", Hint: "id", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.Session })},
		{Name: "application", Label: "Application", Hint: "id", More: true, set: setText(func(f *projections.ExecutionFilter) *string { return &f.Application })},
	}
}

var (
	statusChoices = []string{"running", "completed", "denied", "expired", "cancelled", "failed"}
	yesAndNo      = []choice{{Text: "Yes", Path: "true"}, {Text: "No", Path: "false"}}
)

// labelled are choices by their values.
func labelled(values ...string) (out []choice) {
	for _, v := range values {
		text := words(v)
		if o, ok := outcomes[v]; ok {
			text = o.Word
		}
		out = append(out, choice{Text: text, Path: v})
	}
	return out
}

// filterOf reads the filters of an address. Fields come back with what was
// asked for, and with what is wrong about it. Some is false when nobody can be
// meant.
func (s *Server) filterOf(ctx context.Context, q url.Values) (f projections.ExecutionFilter, fields []field, some bool, err error) {
	fields, some = executionFields(), true
	for i := range fields {
		one := &fields[i]
		one.Value = strings.TrimSpace(strings.Join(q[one.Name], " "))
		for j := range one.Choices {
			one.Choices[j].Current = one.Choices[j].Path == one.Value
		}
		if one.Value == "" {
			continue
		}
		if len(one.Value) > maxFilter {
			one.Problem = "That is too long."
		} else if len(one.Choices) > 0 && one.Name != "status" && !slices.ContainsFunc(one.Choices, func(c choice) bool { return c.Current }) {
			one.Problem = "There is no such choice."
		} else {
			one.Problem = one.set(&f, one.Value)
		}
	}
	for _, id := range []*string{&f.User, &f.Visitor} {
		if *id == "" {
			continue
		}
		if *id, err = s.People.UserID(ctx, *id); err != nil {
			return f, fields, false, err
		}
		some = some && *id != ""
	}
	return f, fields, some, nil
}

// maxFilter limits a value, in bytes.
const maxFilter = 200

func setText(of func(*projections.ExecutionFilter) *string) func(*projections.ExecutionFilter, string) string {
	return func(f *projections.ExecutionFilter, text string) string {
		*of(f) = text
		return ""
	}
}

func setWords(f *projections.ExecutionFilter, text string) string {
	f.Words = []string{text}
	return ""
}

func setStatus(f *projections.ExecutionFilter, text string) string {
	f.Statuses = strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	for _, status := range f.Statuses {
		if !slices.Contains(statusChoices, status) {
			return "It is one of " + strings.Join(statusChoices, ", ") + "."
		}
	}
	return ""
}

func setFlow(f *projections.ExecutionFilter, text string) string {
	if len(text) == 36 && strings.Count(text, "-") == 4 {
		f.Flow = strings.ToLower(text)
	} else {
		f.Slug = text
	}
	return ""
}

func setNetwork(f *projections.ExecutionFilter, text string) string {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		f.Network = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen())
		return ""
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return "Enter an address, or a network such as 203.0.113.0/24."
	}
	f.Network = p.Masked()
	return ""
}

func setTime(of func(*projections.ExecutionFilter) *time.Time) func(*projections.ExecutionFilter, string) string {
	return func(f *projections.ExecutionFilter, text string) string {
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, text); err == nil {
				*of(f) = t
				return ""
			}
		}
		return "Enter a time such as 2026-01-31T08:00."
	}
}

func setLength(of func(*projections.ExecutionFilter) *time.Duration) func(*projections.ExecutionFilter, string) string {
	return func(f *projections.ExecutionFilter, text string) string {
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			text += "s"
		}
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return "Enter a length such as 1m30s."
		}
		*of(f) = d
		return ""
	}
}

func setFlag(of func(*projections.ExecutionFilter) **bool) func(*projections.ExecutionFilter, string) string {
	return func(f *projections.ExecutionFilter, text string) string {
		yes := text == "true"
		*of(f) = &yes
		return ""
	}
}

func setRevision(f *projections.ExecutionFilter, text string) string {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return "Enter a number from 0 on."
	}
	f.FlowRevision = &n
	return ""
}

func setCountry(f *projections.ExecutionFilter, text string) string {
	if f.Country = strings.ToUpper(text); len(f.Country) != 2 {
		return "Enter a country as two letters."
	}
	return ""
}

func setSystem(f *projections.ExecutionFilter, text string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(text), "AS"), 10, 32)
	if err != nil || n == 0 {
		return "Enter a number such as AS64500."
	}
	f.ASN = int64(n)
	return ""
}

// ControlType is the type of the field's input.
func (f field) ControlType() string {
	switch {
	case f.Kind == "datetime-local" && f.Problem != "":
		return "text" // else the browser would not show what is wrong
	case f.Kind == "":
		return "text"
	}
	return f.Kind
}

// Shown is the value as the field's input takes it.
func (f field) Shown() string {
	if f.Kind != "datetime-local" || f.Problem != "" || f.Value == "" {
		return f.Value
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, f.Value); err == nil {
			return t.UTC().Format("2006-01-02T15:04")
		}
	}
	return f.Value
}
