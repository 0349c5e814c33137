package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// An executionRow is an execution in a list.
type executionRow struct {
	projections.Execution
	Who     person // whom it is about; none where it is about nobody
	Visitor person
}

// Somebody tells whether it is about a person.
func (x executionRow) Somebody() bool { return x.User != "" }

// Waited is the part of the time that was the person's.
func (x executionRow) Waited() string {
	return percent(int(x.UserTime/time.Millisecond), int(x.Took/time.Millisecond))
}

// A chip is a filter that is in force, and the way to lift it.
type chip struct{ Label, Value, Without string }

// A sorting is a column by which a list can be ordered.
type sorting struct {
	Text, Path string
	Direction  string // ascending or descending; empty when it is another one
}

// An executionsView is a list of executions for its template.
type executionsView struct {
	frame
	Fields  []field
	More    bool // filters that are rarely wanted are in use, or wrong
	Chips   []chip
	Wrong   int // fields that make no sense
	Rows    []executionRow
	Total   int
	Exact   bool
	Reached time.Time
	Nobody  bool // no person is called so
	Pager   pager
	Sorts   map[string]sorting
	Order   string
	Export  []choice
	Events  []choice
}

// orders are how the list can be ordered: the API's names, and the read
// model's.
var orders = map[string]string{
	"": "-started", "started": "started", "-started": "-started", "last_seen": "seen", "-last_seen": "-seen", "duration": "duration", "-duration": "-duration",
}

// executions lists executions that have what an address says.
func (s *Server) executions(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q := r.URL.Query()
	f, fields, some, err := s.filterOf(r.Context(), q)
	if err != nil {
		return err
	}
	part, err := pageOf(q)
	if err != nil {
		return err
	}
	v := executionsView{Fields: fields, Chips: chips(q, fields), Nobody: !some, Exact: true, Order: q.Get("ordering")}
	order, ok := orders[v.Order]
	if !ok {
		return invalid("ordering", "Executions are ordered by started, last_seen or duration.")
	}
	for _, one := range fields {
		v.More = v.More || one.More && one.Value != ""
		if one.Problem != "" {
			v.Wrong++
		}
	}
	status := http.StatusOK
	switch {
	case v.Wrong > 0:
		status = http.StatusBadRequest
	case some:
		if err := s.fill(r.Context(), &v, f, order, part); err != nil {
			return err
		}
	}
	if err := s.sawExecutions(r, c, f, v); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "Executions")
	v.Pager, v.Sorts = part.of(r.URL, v.Total), sortings(q, v.Order)
	v.exports(q, f)
	return render(w, status, "executions", v)
}

// fill finds the rows.
func (s *Server) fill(ctx context.Context, v *executionsView, f projections.ExecutionFilter, order string, part listPage) error {
	found, err := s.Executions.Search(ctx, f, order, part.Page)
	if err != nil {
		return err
	}
	v.Total, v.Exact, v.Reached = found.Total, found.Exact, found.Reached
	v.Rows, err = s.rowsOf(ctx, found.Executions)
	return err
}

// rowsOf adds the names of persons to executions.
func (s *Server) rowsOf(ctx context.Context, found []projections.Execution) ([]executionRow, error) {
	var ids []string
	for _, x := range found {
		ids = append(ids, x.User, x.Visitor)
	}
	names, err := s.named(ctx, ids...)
	rows := make([]executionRow, len(found))
	for i, x := range found {
		rows[i] = executionRow{Execution: x, Who: names.Who(x.User), Visitor: names.Who(x.Visitor)}
	}
	return rows, err
}

// sawExecutions records who looked at a list.
func (s *Server) sawExecutions(r *http.Request, c *session.Caller, f projections.ExecutionFilter, v executionsView) error {
	if v.Wrong > 0 {
		return nil // nothing is shown
	}
	return s.Looks.Queried(r.Context(), *c, looked.Look{View: "executions", Filters: asked(r), Count: v.Total, About: cmp.Or(f.User, f.Visitor)})
}

// chips are the filters in force.
func chips(q url.Values, fields []field) (out []chip) {
	for _, one := range fields {
		if one.Value == "" {
			continue
		}
		rest := url.Values{}
		for name, values := range q {
			if name != one.Name && name != "page" {
				rest[name] = values
			}
		}
		value := one.Value
		for _, c := range one.Choices {
			if c.Current {
				value = c.Text
			}
		}
		out = append(out, chip{one.Label, value, "?" + rest.Encode()})
	}
	return out
}

// sortings are the columns by which the list can be ordered.
func sortings(q url.Values, order string) map[string]sorting {
	order = cmp.Or(order, "-started")
	out := map[string]sorting{}
	for name, text := range map[string]string{"started": "Began", "duration": "Took", "last_seen": "Last seen"} {
		one := sorting{Text: text, Path: "?" + with(q, "ordering", "-"+name)}
		switch order {
		case name:
			one.Direction = "ascending"
		case "-" + name:
			one.Direction, one.Path = "descending", "?"+with(q, "ordering", name)
		}
		out[name] = one
	}
	return out
}

// exports are the addresses under which all that was found can be had.
func (v *executionsView) exports(q url.Values, f projections.ExecutionFilter) {
	if v.Wrong > 0 || v.Nobody {
		return
	}
	same := url.Values{}
	for _, one := range v.Fields {
		if one.Value != "" {
			same[one.Name] = q[one.Name]
		}
	}
	if len(f.Statuses) > 0 {
		same["status"] = f.Statuses
	}
	for name, t := range map[string]time.Time{"since": f.From, "until": f.Until} {
		if !t.IsZero() {
			same.Set(name, t.UTC().Format(time.RFC3339))
		}
	}
	for _, format := range []string{"csv", "jsonl"} {
		same.Set("format", format)
		v.Export = append(v.Export, choice{Text: exportNames[format], Path: "/api/v3/flows/executions/export/?" + same.Encode()})
	}
	events := url.Values{} // which executions they belong to
	for name, values := range same {
		events["execution__"+name] = values
	}
	delete(events, "execution__format")
	for _, format := range []string{"ocsf", "ecs", "cef", "syslog", "jsonl", "csv"} {
		events.Set("format", format)
		v.Events = append(v.Events, choice{Text: exportNames[format], Path: "/api/v3/ledger/export/?" + events.Encode()})
	}
}

// exportNames are the formats of exports, as people know them.
var exportNames = map[string]string{"csv": "CSV", "jsonl": "JSON Lines", "ocsf": "OCSF", "ecs": "ECS", "cef": "CEF", "syslog": "RFC 5424"}

// Range says which rows are shown.
func (v executionsView) Range() string {
	if len(v.Rows) == 0 {
		return ""
	}
	first := (v.Pager.Page-1)*listSize + 1
	text := count(first) + "–" + count(first+len(v.Rows)-1) + " of "
	if !v.Exact {
		text += "at least "
	}
	return text + count(v.Total)
}

// revisionText is a revision as addresses have it.
func revisionText[R ~int64](r R) string { return strconv.FormatInt(int64(r), 10) }
