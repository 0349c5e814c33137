package console

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/flowledger/flowledger/handlers/story"
)

// facts compares what the lists show.
func facts(a, b executionRow) []compareRow {
	row := func(what, a, b string) compareRow {
		return compareRow{What: what, A: cmp.Or(a, "–"), B: cmp.Or(b, "–")}
	}
	ended := func(x executionRow) string {
		return strings.TrimSuffix(outcomeOf(x.Status).Word+", "+words(x.Cause), ", ")
	}
	place := func(x executionRow) string {
		if !x.Origin.IP.IsValid() {
			return "no longer known"
		}
		return strings.TrimSpace(x.Origin.IP.String() + " " + x.Origin.Country)
	}
	name := func(x executionRow) string {
		if x.User == "" {
			return "nobody"
		}
		return x.Who.Name
	}
	return []compareRow{
		row("Outcome", ended(a), ended(b)), row("Person", name(a), name(b)),
		row("Flow", cmp.Or(a.Flow.Name, a.Slug), cmp.Or(b.Flow.Name, b.Slug)),
		row("Revision of the flow", revisionText(a.Flow.Revision), revisionText(b.Flow.Revision)),
		row("Proved by", strings.Join(a.Factors, ", "), strings.Join(b.Factors, ", ")),
		row("Wrong answers", count(a.Attempts), count(b.Attempts)), row("Starts over", count(a.Restarts), count(b.Restarts)),
		row("Address", place(a), place(b)), row("Device", a.Origin.Device, b.Origin.Device),
		row("Application", a.Application, b.Application), row("Entered by", a.Entry, b.Entry),
		row("Time of the server", roughly(a.ServerTime), roughly(b.ServerTime)), row("Time of the person", roughly(a.UserTime), roughly(b.UserTime)),
	}
}

// roughly says how long something took so that what is much the same reads the
// same.
func roughly(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return "less than 0.1 s"
	case d < time.Second:
		return "less than 1 s"
	case d < 10*time.Second:
		return took(d.Round(time.Second))
	}
	return took(d.Round(10 * time.Second))
}

// stageRows aligns the stages of two executions: the same stage as often as
// it came.
func stageRows(a, b side) []compareRow {
	var rows []compareRow
	index := map[string]int{}
	for i, one := range []side{a, b} {
		seen := map[string]int{}
		for _, st := range one.state.Stages {
			seen[st.Stage.ID]++
			key := fmt.Sprintf("%s %d", st.Stage.ID, seen[st.Stage.ID])
			at, known := index[key]
			if !known {
				at = len(rows)
				index[key] = at
				what := "Stage " + st.Stage.Name
				if n := seen[st.Stage.ID]; n > 1 {
					what += fmt.Sprintf(", time %d", n)
				}
				rows = append(rows, compareRow{What: what, A: "not planned", B: "not planned"})
			}
			text, link := one.became(st)
			if i == 0 {
				rows[at].A, rows[at].LinkA = text, link
			} else {
				rows[at].B, rows[at].LinkB = text, link
			}
		}
	}
	return rows
}

// became says what became of a stage, and where to see it.
func (s side) became(st story.Stage) (text, link string) {
	at := max(st.Left, st.Entered)
	if at > 0 {
		link = base + "executions/" + url.PathEscape(s.x.ID) + "/?revision=" + revisionText(at) + "#cursor"
	}
	text = map[string]string{story.Done: "passed"}[st.State]
	text = cmp.Or(text, st.Word())
	if st.Wrong > 0 {
		text += fmt.Sprintf(", wrong answers: %d", st.Wrong)
	}
	for _, d := range s.decisions {
		if d.Event == st.Evaluation && st.Evaluation != "" {
			return text + " because of " + against(&d), link
		}
	}
	if st.State == story.Skipped && st.Cause != "" {
		text += ", " + st.Cause
	}
	if st.State == story.Stopped && s.x.Cause != "" {
		text += ": " + words(s.x.Cause)
	}
	return text, link
}

// whyRows aligns what policies said of the same target in the same phase.
func whyRows(a, b side) []compareRow {
	var rows []compareRow
	index := map[string]int{}
	for i, one := range []side{a, b} {
		seen := map[string]int{}
		for _, d := range one.decisions {
			if len(d.Reasons) == 0 {
				continue
			}
			key := d.Kind + d.Target.ID + d.Phase
			seen[key]++
			key = fmt.Sprintf("%s %d", key, seen[key])
			at, known := index[key]
			if !known {
				at = len(rows)
				index[key] = at
				rows = append(rows, compareRow{What: "Policies of " + d.Name + " (" + d.Phase + ")", A: "not asked", B: "not asked"})
			}
			link := base + "executions/" + url.PathEscape(one.x.ID) + "/?revision=" + revisionText(d.Revision) + "#cursor"
			if i == 0 {
				rows[at].A, rows[at].LinkA = d.Because, link
			} else {
				rows[at].B, rows[at].LinkB = d.Because, link
			}
		}
	}
	return rows
}

// stateRows compares two states, value by value.
func stateRows(a, b story.Snapshot) (rows []compareRow) {
	for _, d := range story.Differences(a, b) {
		rows = append(rows, compareRow{What: d.Path, A: cmp.Or(d.Old, "–"), B: cmp.Or(d.New, "–")})
	}
	return rows
}
