package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
)

// Retention is the rule that says how long what is sealed can be opened.
type Retention interface {
	// Rule returns the rule with its past, and the month in which the ledger
	// begins.
	Rule(ctx context.Context) (state retention.State, past []RuleChange, first time.Time, err error)
	// SetRetention sets the rule, or fails with Invalid, field by field.
	SetRetention(ctx context.Context, c session.Caller, rule retention.Rule) error
}

// A RuleChange is one time that somebody set the rule.
type RuleChange struct {
	At, From time.Time
	By       string // id of the user; empty for the program
	Rule     retention.Rule
}

// Text is the rule in words.
func (h RuleChange) Text() string { return ruleText(h.Rule) }

// monthly are the classes that have months.
var monthly = []domain.Sealed{domain.Trace, domain.Network}

// A retentionPart is the rule for the template.
type retentionPart struct {
	Rule      retention.Rule
	Warnings  []string
	Next      string // what is destroyed next, in words
	History   []RuleChange
	MayChange bool
	Form      ruleForm
	CSRF      string
	problems  map[string][]string
}

// A ruleForm is a rule as it was typed.
type ruleForm struct{ Profile, Trace, Network, Rows string }

// Profiles are the choices of the form.
func (retentionPart) Profiles() (out []choice) {
	for _, p := range retention.Profiles() {
		out = append(out, choice{Text: fmt.Sprintf("%s: %s", p.Profile, ruleMonths(p)), Path: p.Profile})
	}
	return append(out, choice{Text: "custom: as typed here", Path: retention.Custom})
}

// Problem says what is wrong with a field of the form.
func (p retentionPart) Problem(field string) string { return strings.Join(p.problems[field], " ") }

// Needs of reports: who has to keep less than a report asks about, cannot make
// it.
const (
	yearOfReports = 12
	healthReports = 72
)

func (s *Server) fillRetention(ctx context.Context, c *session.Caller, p *retentionPart) error {
	state, past, first, err := s.Retention.Rule(ctx)
	if err != nil {
		return err
	}
	p.Rule, p.History, p.MayChange = state.At(c.Now), past, c.Superuser
	if p.Form == (ruleForm{}) {
		p.Form = formOf(p.Rule)
	}
	p.Warnings = warningsOf(p.Rule)
	if rule, from, pending := state.Pending(c.Now); pending {
		p.Warnings = append([]string{fmt.Sprintf("From %s on, another rule is in force: %s. Until then it can be taken back.", day(from), ruleText(rule))}, p.Warnings...)
	}
	p.Next = nextText(state.Outlook(first, c.Now, monthly...))
	return nil
}

func formOf(r retention.Rule) ruleForm {
	if r.Profile != retention.Custom {
		return ruleForm{Profile: r.Profile}
	}
	return ruleForm{r.Profile, strconv.Itoa(r.Trace), strconv.Itoa(r.Network), strconv.Itoa(r.Rows)}
}

// warningsOf says which reports a rule makes impossible.
func warningsOf(r retention.Rule) (out []string) {
	if least := min(r.Trace, r.Network); least < yearOfReports {
		out = append(out, fmt.Sprintf("Reports that look back a year, as PCI DSS and SOC 2 ask for them, cannot show addresses and traces that are older than %s.", monthsText(least)))
	}
	if r.Profile == "hipaa" && min(r.Trace, r.Network) < healthReports {
		out = append(out, "HIPAA asks for six years.")
	}
	if r.Rows < min(r.Trace, r.Network) {
		out = append(out, "Rows of executions go before what they lead to: older executions are only found by their id, in the ledger.")
	}
	return out
}

func monthsText(n int) string {
	if n == 1 {
		return "1 month"
	}
	return strconv.Itoa(n) + " months"
}

func ruleMonths(r retention.Rule) string {
	return fmt.Sprintf("T %s, N %s, rows %s", monthsText(r.Trace), monthsText(r.Network), monthsText(r.Rows))
}

func ruleText(r retention.Rule) string { return r.Profile + ", " + ruleMonths(r) }

// nextText says which months go next.
func nextText(months []retention.Month) string {
	if len(months) == 0 {
		return ""
	}
	first := slices.MinFunc(months, func(a, b retention.Month) int { return a.GoneAt.Compare(b.GoneAt) })
	return fmt.Sprintf("Next to go: class %s of %s, on %s.", first.Class, first.Epoch, day(first.GoneAt))
}

// A retentionView asks whether a rule is meant.
type retentionView struct {
	frame
	Text         string
	Warnings     []string
	Consequences []string
	Form         ruleForm
	CSRF         string
}

// setRetention sets another rule, once it was said what that destroys.
func (s *Server) setRetention(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	form := r.PostForm
	typed := ruleForm{form.Get("profile"), form.Get("trace_months"), form.Get("network_months"), form.Get("rows_months")}
	rule, problems := typed.rule()
	state, _, first, err := s.Retention.Rule(r.Context())
	if err != nil {
		return err
	}
	// The domain judges the rule; what it would record is what will happen.
	events, err := retention.Change{Rule: rule, By: c.User, Now: c.Now}.Decide(state)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Code == domain.Invalid {
		for field, texts := range e.Fields {
			if problems[field] == nil {
				problems[field] = texts
			}
		}
	} else if err != nil {
		return err
	}
	if len(problems) > 0 {
		return s.showErasures(w, r, c, erasuresView{retentionPart: retentionPart{Form: typed, problems: problems}}, http.StatusBadRequest)
	}
	if len(events) == 0 {
		return s.showErasures(w, r, c, erasuresView{Done: "That is the rule already."}, http.StatusOK)
	}
	if form.Get("confirmed") == "yes" {
		// Dying behind this line leaves the rule set, and whoever asked without
		// an answer; setting it once more changes nothing.
		if err := s.Retention.SetRetention(r.Context(), *c, rule); err != nil {
			return err
		}
		return seeOther(w, r, "/if/admin/erasures/?done=retention")
	}
	next := state
	for _, e := range events {
		next = e.Evolve(next)
	}
	v := retentionView{
		Text: "In force is " + ruleText(state.At(c.Now)) + ". It becomes " + ruleText(next.Rule) + ".", Warnings: warningsOf(next.Rule),
		Consequences: consequences(state, next, first, c.Now), Form: typed, CSRF: s.Forgery.Token(w, r),
	}
	v.frame = s.frame(r, c, "Change how long data is kept?")
	return render(w, http.StatusOK, "retention", v)
}

// rule reads what was typed. A profile brings its months along; what somebody
// typed beside it is a mistake only if it is another number, and the domain
// says so.
func (f ruleForm) rule() (retention.Rule, map[string][]string) {
	rule, problems := retention.Rule{Profile: f.Profile}, map[string][]string{}
	for _, field := range []struct {
		name, text string
		months     *int
	}{{"trace_months", f.Trace, &rule.Trace}, {"network_months", f.Network, &rule.Network}, {"rows_months", f.Rows, &rule.Rows}} {
		text := strings.TrimSpace(field.text)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			problems[field.name] = []string{"A valid integer is required."}
			continue
		}
		*field.months = n
	}
	return rule, problems
}

// consequences say what one rule destroys that another would keep.
func consequences(is, next retention.State, first, now time.Time) (out []string) {
	kept := map[string]time.Time{}
	for _, m := range is.Outlook(first, now, monthly...) {
		kept[m.Class+m.Epoch] = m.GoneAt
	}
	lost := map[string][]string{}
	at := map[string]time.Time{}
	for _, m := range next.Outlook(first, now, monthly...) {
		if was, ok := kept[m.Class+m.Epoch]; ok && m.GoneAt.Before(was) && !m.GoneAt.After(next.From.Add(retention.Grace)) {
			lost[m.Class] = append(lost[m.Class], m.Epoch)
			at[m.Class] = m.GoneAt
		}
	}
	for _, class := range monthly {
		name := string(rune(class))
		if months := lost[name]; len(months) > 0 {
			out = append(out, fmt.Sprintf("%s (%s) of %s is destroyed on %s. It cannot be brought back.", classTexts[name].Name, classTexts[name].Text, rangeText(months), day(at[name])))
		}
	}
	if next.Rule.Rows < is.At(now).Rows {
		out = append(out, fmt.Sprintf("Rows of executions that began more than %s ago leave this console. The ledger keeps their events.", monthsText(next.Rule.Rows)))
	}
	switch {
	case len(out) == 0:
		out = append(out, "Nothing that can be read today is destroyed by the change itself.")
	case next.From.After(now):
		out = append(out, fmt.Sprintf("The change waits until %s. Until then setting the old rule again takes it back.", day(next.From)))
	}
	if len(lost) == 0 && next.Rule.Trace >= is.At(now).Trace && next.Rule.Network >= is.At(now).Network {
		out = append(out, "What was destroyed under the old rule stays so.")
	}
	return out
}

// rangeText names months in a row by the first and the last.
func rangeText(months []string) string {
	if len(months) == 1 {
		return months[0]
	}
	return months[0] + " to " + months[len(months)-1]
}
