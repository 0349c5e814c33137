package auditapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/siem"
	"github.com/flowledger/flowledger/projections"
)

// Records gathers what formats show of an event.
type Records interface {
	Record(ctx context.Context, e eventstore.Recorded) (siem.Record, error)
}

// maxExecutions is of how many executions one export has the events.
const maxExecutions = 10_000

// ofExecutions begins the names of the filters that say of which executions
// events are wanted.
const ofExecutions = "execution__"

// extensions are the ends of the names of files.
var extensions = map[siem.Format]string{
	siem.JSONL: "jsonl", siem.CSV: "csv", siem.OCSF: "ocsf.jsonl", siem.ECS: "ecs.jsonl", siem.CEF: "cef", siem.Syslog: "log",
}

// export answers with the events that the filters want, in a format of those
// who collect logs. What is left out because there is more of it than an export
// holds begins behind the position that the trailer X-Export-Truncated has.
func (s *Server) export(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	var formats []string
	for _, f := range siem.Formats() {
		formats = append(formats, string(f))
	}
	e, err := s.exporting(w, r, c, p, formats)
	if err != nil {
		return err
	}
	f, after, all := p.eventsBetween(), p.position("after"), p.flag("all")
	from, err := s.source(r.Context(), e, p, f)
	if err != nil {
		return err
	}
	if err := p.strict(); err != nil {
		return err
	}
	x := &eventExport{
		exporting: e, format: siem.Format(e.event.Format), records: s.Records, from: from, at: after, end: s.Tail.Applied(),
		options: siem.Options{Personal: !e.event.Bare, All: all != nil && *all, Host: r.Host, Version: s.Version},
	}
	if !e.event.Bare {
		x.records = s.Opened
	}
	return e.send(x.format.MediaType(), "events-"+e.event.Export+"."+extensions[x.format], x.fill)
}

// A source yields the next events behind a position, at most a number of them:
// fewer only at the end.
type source func(ctx context.Context, after eventstore.Position, limit int) ([]eventstore.Recorded, error)

// source finds the events that are wanted: those that the filters of events
// pick, or of these those of some executions.
func (s *Server) source(ctx context.Context, e *exporting, p *params, f projections.AuditFilter) (source, error) {
	of := p.below(ofExecutions)
	if !of.any() {
		return func(ctx context.Context, after eventstore.Position, limit int) ([]eventstore.Recorded, error) {
			return s.following(ctx, f, after, limit)
		}, nil
	}
	wanted, some, err := s.executionFilter(ctx, of)
	if err != nil || !some {
		return func(context.Context, eventstore.Position, int) ([]eventstore.Recorded, error) { return nil, nil }, err
	}
	e.about = wanted.User
	entries, err := s.entriesOf(ctx, wanted, f)
	return func(ctx context.Context, after eventstore.Position, limit int) ([]eventstore.Recorded, error) {
		at, _ := slices.BinarySearchFunc(entries, after, func(e projections.Entry, p eventstore.Position) int {
			if e.Position.Compare(p) <= 0 {
				return -1
			}
			return 1
		})
		return s.recorded(ctx, entries[at:min(at+limit, len(entries))])
	}, err
}

// entriesOf finds the events of the executions that are wanted, as far as they
// are themselves, in the order of the ledger.
func (s *Server) entriesOf(ctx context.Context, wanted projections.ExecutionFilter, f projections.AuditFilter) ([]projections.Entry, error) {
	found, err := s.Executions.Search(ctx, wanted, "started", projections.Page{Limit: maxExecutions + 1})
	if err != nil {
		return nil, err
	}
	if len(found.Executions) > maxExecutions || !found.Reached.IsZero() {
		return nil, domain.Errorf(domain.Invalid, "These are the events of too many executions: %d at most. Ask for less time.", maxExecutions)
	}
	var all []projections.Entry
	for _, x := range found.Executions {
		part, err := s.Index.Timeline(ctx, x.ID)
		if err != nil {
			return nil, fmt.Errorf("find the events of execution %s: %w", x.ID, err)
		}
		for _, entry := range part {
			if picks(f, entry) {
				all = append(all, entry)
			}
		}
	}
	slices.SortFunc(all, func(a, b projections.Entry) int { return a.Position.Compare(b.Position) })
	return slices.CompactFunc(all, func(a, b projections.Entry) bool { return a.Position == b.Position }), nil
}

// picks tells whether the filters of events want an event.
func picks(f projections.AuditFilter, e projections.Entry) bool {
	return (f.Stream == "" || f.Stream == string(e.Stream)) && (f.Category == "" || f.Category == e.Stream.Category()) &&
		(f.Execution == "" || f.Execution == e.Execution) && (len(f.Types) == 0 || slices.Contains(f.Types, e.Type)) &&
		(f.From.IsZero() || !e.At.Before(f.From)) && (f.Until.IsZero() || e.At.Before(f.Until))
}

// An eventExport is an export of events.
type eventExport struct {
	*exporting
	format  siem.Format
	options siem.Options
	records Records
	from    source
	at, end eventstore.Position // what is done, and what is the last: events that happen meanwhile are not in it
}

// fill writes the events. Where it fails, somebody may go on.
func (x *eventExport) fill(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			x.rest = x.at.String()
		}
	}()
	if err := x.put(x.format.Head(x.options)); err != nil {
		return err
	}
	for {
		page, err := x.from(ctx, x.at, exportPage)
		if err != nil {
			return err
		}
		for _, e := range page {
			if e.Position.Compare(x.end) > 0 {
				return nil
			}
			if x.event.Count == x.limit {
				x.rest = x.at.String()
				return nil
			}
			if err := x.one(ctx, e); err != nil {
				return err
			}
			x.at = e.Position
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

// one writes an event, if the format has anything to say of it.
func (x *eventExport) one(ctx context.Context, e eventstore.Recorded) error {
	record, err := x.records.Record(ctx, e)
	if err != nil {
		return err
	}
	text, said, err := x.format.Append(nil, record, x.options)
	if err != nil || !said {
		return err
	}
	x.event.Count++
	if x.event.From == "" {
		x.event.From = e.Position.String()
	}
	x.event.To = e.Position.String()
	return x.put(text)
}
