package auditapi

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/projections"
)

// exportExecutions answers with the executions that the filters want, the
// oldest first. What is left out began at the time that the trailer
// X-Export-Truncated has, or later.
func (s *Server) exportExecutions(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	e, err := s.exporting(w, r, c, p, []string{"csv", "jsonl"})
	if err != nil {
		return err
	}
	f, some, err := s.executionFilter(r.Context(), p)
	if err != nil {
		return err
	}
	if err := p.strict(); err != nil {
		return err
	}
	e.about, e.event.Of = f.User, "executions"
	x := &executionExport{exporting: e, filter: f, none: !some}
	media := "application/jsonl"
	if e.event.Format == "csv" {
		media = "text/csv; charset=utf-8; header=present"
	}
	return e.send(media, "executions-"+e.event.Export+"."+e.event.Format, x.fill)
}

// An executionExport is an export of executions.
type executionExport struct {
	*exporting
	filter projections.ExecutionFilter
	none   bool            // nobody is called as the filter says
	last   map[string]bool // those that are done and began when the filter does
}

// fill writes the executions. It goes on where the ones before began, and so
// finds all of them however many begin or end meanwhile. Where it fails,
// somebody may go on.
func (x *executionExport) fill(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			x.rest = x.filter.From.Format(time.RFC3339Nano)
		}
	}()
	if x.event.Format == "csv" {
		if err := x.row(executionColumns); err != nil {
			return err
		}
	}
	if x.none {
		return nil
	}
	for size := exportPage; ; {
		found, err := x.server.Executions.Search(ctx, x.filter, "started", projections.Page{Limit: size})
		if err != nil {
			return err
		}
		wrote, err := x.page(ctx, found.Executions)
		if err != nil || x.rest != "" {
			return err
		}
		switch {
		case len(found.Executions) == size && wrote == 0:
			size *= 2 // so many began at once
		case len(found.Executions) == size:
			size = exportPage
		case found.Reached.After(x.filter.From):
			// A rare filter: so far was looked.
			x.filter.From, x.last = found.Reached, nil
		default:
			return nil
		}
	}
}

// page writes those of a page that are not done yet.
func (x *executionExport) page(ctx context.Context, found []projections.Execution) (wrote int, err error) {
	rows, err := x.server.named(ctx, found)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if row.Started.Equal(x.filter.From) && x.last[row.ID] {
			continue
		}
		if x.event.Count == x.limit {
			x.rest = row.Started.Format(time.RFC3339Nano)
			return wrote, nil
		}
		if err := x.execution(row); err != nil {
			return wrote, err
		}
		if !row.Started.Equal(x.filter.From) || x.last == nil {
			x.last = map[string]bool{}
		}
		x.filter.From, x.last[row.ID] = row.Started, true
		wrote++
	}
	return wrote, nil
}

// execution writes one.
func (x *executionExport) execution(e Execution) error {
	if x.event.Bare {
		e.Person, e.Origin = nil, Origin{}
	}
	x.event.Count++
	if x.event.Format == "csv" {
		return x.row(cellsOf(e))
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return x.put(append(text, '\n'))
}

// executionColumns are the columns of executions. New ones come at the end: who
// reads the file may count.
var executionColumns = []string{
	"pk", "started", "last_seen", "status", "cause", "flow", "flow_revision", "designation", "stage", "steps", "attempts", "restarts",
	"duration_ms", "user_ms", "server_ms", "factors", "user", "username", "visitor", "session", "application", "entry",
	"ip", "country", "city", "asn", "as_org", "device", "evaluation", "reference",
}

func cellsOf(e Execution) []string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	name, asn := "", ""
	if e.Person != nil {
		name = e.Person.Username
	}
	if e.Origin.ASN != 0 {
		asn = number(e.Origin.ASN)
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	return []string{
		e.ID, at(e.Started), at(e.LastSeen), e.Status, e.Cause, e.Slug, number(e.Flow.Revision), e.Designation, e.Stage.Name,
		number(int64(e.Steps)), number(int64(e.Attempts)), number(int64(e.Restarts)), number(e.DurationMS), number(e.UserMS), number(e.ServerMS),
		strings.Join(e.Factors, " "), e.User, name, e.Visitor, e.Session, e.Application, e.Entry,
		e.Origin.IP, e.Origin.Country, e.Origin.City, asn, e.Origin.ASOrg, e.Origin.Device, e.Evaluation, e.Reference,
	}
}

// row writes a row of CSV (RFC 4180). A cell that a spreadsheet would take for a
// formula begins with an apostrophe.
func (x *executionExport) row(cells []string) error {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for i, cell := range cells {
		if cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0 {
			cells[i] = "'" + cell
		}
	}
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return x.put([]byte(b.String()))
}
