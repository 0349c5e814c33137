package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/web"
)

// functions are what templates of the console may call beside the methods of
// their views.
var functions = template.FuncMap{
	"asset":    asset,
	"webasset": web.Asset,
	"took":     took,
	"ago":      ago,
	"count":    count,
	"words":    words,
	"short":    short,
	"percent":  percent,
	"outcome":  outcomeOf,
	"sides":    sides,
	"kind":     kindName,
	"because":  becauseText,
	"months":   monthsText,
	"device":   session.Device,
}

// took says how long something took, in the unit that fits.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "–"
	case d < time.Millisecond:
		return "0 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// ago says how long before now t was, as people say it.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case d < 2*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// count writes a number with gaps between the thousands.
func count(n any) string {
	text := fmt.Sprint(n)
	start := 0
	if strings.HasPrefix(text, "-") {
		start = 1
	}
	for i := len(text) - 3; i > start; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// words writes a name of the ledger as people read it.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// short is the end of an id, where ids differ most.
func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return "…" + id[len(id)-8:]
}

// percent says how much of a whole a part is; a dash for nothing of nothing.
func percent(part, whole int) string {
	switch p := 100 * float64(part) / float64(whole); {
	case whole == 0:
		return "–"
	case part == 0:
		return "0 %"
	case part > 0 && p < 0.1:
		return "< 0.1 %"
	case p > 99.9 && part < whole:
		return "> 99.9 %"
	case p < 10:
		return fmt.Sprintf("%.1f %%", p)
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

// An outcome is a status as people see it: nobody needs its colour.
type outcome struct {
	Sign, Word, Class string
}

var outcomes = map[string]outcome{
	"running":   {"▸", "Running", "running"},
	"completed": {"✓", "Completed", "completed"},
	"denied":    {"✕", "Denied", "denied"},
	"cancelled": {"–", "Given up", "cancelled"},
	"expired":   {"◌", "Abandoned", "expired"},
	"failed":    {"!", "Failed", "failed"},

	"verdict-passed": {"✓", "Passed", "verdict-passed"},
	"verdict-failed": {"✕", "Failed", "verdict-failed"},
	"verdict-erred":  {"!", "Erred", "verdict-erred"},
}

func outcomeOf(status string) outcome {
	if o, ok := outcomes[status]; ok {
		return o
	}
	return outcome{"?", status, "unknown"}
}
