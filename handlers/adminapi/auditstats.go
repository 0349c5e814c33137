package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
)

// AuditCounts counts events.
type AuditCounts interface {
	// Volume counts what f wants by day and action, the oldest first.
	Volume(ctx context.Context, f AuditFilter) ([]AuditVolume, error)
	// Count returns how many events f wants.
	Count(ctx context.Context, f AuditFilter) (int, error)
	// People returns to how many different users they are ascribed.
	People(ctx context.Context, f AuditFilter) (int, error)
	// Top returns the applications that most of them name.
	Top(ctx context.Context, f AuditFilter, limit int) ([]AuditTop, error)
}

// An AuditVolume is how many events of one action there were in one day.
type AuditVolume struct {
	Day    time.Time
	Action string
	Count  int
}

// An AuditTop is an application that events name, how many do, and of how many
// users.
type AuditTop struct {
	Newest AuditEntry
	Events int
	Users  int
}

// Bounds of what is counted at once.
const (
	historyDays    = 7
	maxHistoryDays = 60
	topApps        = 15
	maxTopApps     = 100
	maxSteps       = 16
)

// counted reads the filter of a question for numbers, and records it. What is
// searched for in words cannot be counted: it says so.
func (s *Server) counted(r *http.Request, c session.Caller, count func(AuditFilter) error) error {
	q := r.URL.Query()
	if len(wordsOf(q)) > 0 {
		return invalid("search", "Numbers are of what filters say, not of words.")
	}
	f, some, err := s.auditFilter(r.Context(), q)
	if err != nil {
		return err
	}
	if some {
		if err := count(f); err != nil {
			return err
		}
	}
	l := looked.Look{View: "event numbers", Filters: filtersOf(r)}
	if len(f.Users) == 1 {
		l.About = f.Users[0]
	}
	return s.queried(r.Context(), c, l)
}

// eventVolume answers with how many events there were by day and action.
func (s *Server) eventVolume(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	days, err := numberParam(r.URL.Query(), "history_days", historyDays, maxHistoryDays)
	if err != nil {
		return err
	}
	out := []any{}
	err = s.counted(r, c, func(f AuditFilter) error {
		f.From = s.Now().Add(-time.Duration(days) * 24 * time.Hour)
		found, err := s.Counts.Volume(r.Context(), f)
		for _, v := range found {
			out = append(out, map[string]any{"action": v.Action, "count": v.Count, "time": stamp(v.Day)})
		}
		return err
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// topPerUser answers with the applications that most events name.
func (s *Server) topPerUser(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	limit, err := numberParam(r.URL.Query(), "top_n", topApps, maxTopApps)
	if err != nil {
		return err
	}
	out := []any{}
	err = s.counted(r, c, func(f AuditFilter) error {
		found, err := s.Counts.Top(r.Context(), f, limit)
		for _, t := range found {
			note, _ := t.Newest.Event.(audit.AuditCustomRecorded)
			application, _ := cleansed(note.Context)["authorized_application"].(map[string]any)
			if application == nil {
				application = map[string]any{}
			}
			out = append(out, map[string]any{"application": application, "counted_events": t.Events, "unique_users": t.Users})
		}
		return err
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// eventStats answers with how many users and events there were within some
// times.
func (s *Server) eventStats(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	steps, err := stepsOf(r.URL.Query()["count_steps"])
	if err != nil {
		return err
	}
	counts, people := map[string]any{}, 0
	for text := range steps {
		counts[text] = 0
	}
	err = s.counted(r, c, func(f AuditFilter) (err error) {
		if people, err = s.Counts.People(r.Context(), f); err != nil {
			return err
		}
		for text, d := range steps {
			f.From = s.Now().Add(-d)
			if counts[text], err = s.Counts.Count(r.Context(), f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"count_step": counts, "unique_users": people})
}

// numberParam reads a number from 1 on. More than most is most.
func numberParam(q url.Values, name string, usual, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, invalid(name, "A valid integer is required.")
	}
	return min(n, most), nil
}

// units are the parts of the contract's durations.
var units = map[string]time.Duration{
	"microseconds": time.Microsecond, "milliseconds": time.Millisecond, "seconds": time.Second, "minutes": time.Minute,
	"hours": time.Hour, "days": 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// stepsOf reads durations such as weeks=3;days=2;hours=3,seconds=2, by their
// texts.
func stepsOf(texts []string) (map[string]time.Duration, error) {
	out := map[string]time.Duration{}
	for _, text := range given(texts) {
		var total time.Duration
		for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == ',' }) {
			name, number, _ := strings.Cut(strings.TrimSpace(part), "=")
			n, err := strconv.ParseFloat(number, 64)
			unit, known := units[strings.ToLower(name)]
			if err != nil || !known || !(n >= 0 && n <= 1e6) {
				return nil, invalid("count_steps", "Durations are written as in weeks=3;days=2;hours=3,seconds=2.")
			}
			total += time.Duration(n * float64(unit))
		}
		out[text] = total
	}
	switch {
	case len(out) == 0:
		return nil, invalid("count_steps", "This field is required.")
	case len(out) > maxSteps:
		return nil, invalid("count_steps", "Ensure this field has no more than 16 elements.")
	}
	return out, nil
}
