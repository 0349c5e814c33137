package console

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Sources are where attempts to log in came from, and whom they were aimed at.
type Sources interface {
	// Top returns those with the most failures in a span of time, and how many
	// there are.
	Top(ctx context.Context, by string, from, until time.Time, p projections.Page) ([]projections.Source, int, error)
}

// A sourceWay is a way to tell sources apart.
type sourceWay struct {
	By, Text     string
	What         string // of many
	Column       string
	TargetColumn string
	filter       string // of executions
}

var sourceWays = []sourceWay{
	{projections.ByIP, "By address", "addresses", "Address", "People tried", "ip"},
	{projections.ByUser, "By person", "people", "Person", "Addresses", "user"},
	{projections.ByASN, "By network", "networks (autonomous systems)", "Network", "People tried", "asn"},
}

// A sourceRow is a source in the list.
type sourceRow struct {
	projections.Source
	Name    string
	Besides string // a country
	Mono    bool   // the name is an address
	Path    string // of the executions
}

// A source that failed so often, or tried so many people, is worth a look.
const (
	manyFailures = 20
	manyTargets  = 5
)

// Remarks are what an auditor should notice: who got in after many failures,
// and who tries many people.
func (r sourceRow) Remarks() (out []remark) {
	if r.Failures >= manyFailures && r.Successes > 0 {
		out = append(out, remark{"bad", "got in"})
	}
	if r.Mono && r.Targets >= manyTargets && r.Failures > r.Successes {
		out = append(out, remark{"bad", "tries many people"})
	}
	return out
}

// A sourcesView is the list of sources for the template.
type sourcesView struct {
	frame
	sourceWay
	From, Until time.Time
	Tabs        []choice
	Spans       []choice
	Sources     []sourceRow
	Total       int
	Pager       pager
}

func (s *Server) sources(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q := r.URL.Query()
	page, err := pageOf(q)
	if err != nil {
		return err
	}
	chosen, err := spanOf(r)
	if err != nil {
		return err
	}
	until := s.Now()
	from := chosen.since(until)
	v := sourcesView{sourceWay: sourceWays[0], From: from, Until: until, Spans: spanChoices(r.URL, chosen)}
	for _, way := range sourceWays {
		if way.By == q.Get("by") {
			v.sourceWay = way
		}
	}
	for _, way := range sourceWays {
		v.Tabs = append(v.Tabs, choice{way.Text, "?" + with(q, "by", way.By), way.By == v.By})
	}
	found, total, err := s.Sources.Top(r.Context(), v.By, from, until, page.Page)
	if err != nil {
		return err
	}
	v.Total, v.Pager = total, page.of(r.URL, total)
	if v.Sources, err = s.sourceRows(r.Context(), v.sourceWay, found, from); err != nil {
		return err
	}
	look := looked.Look{View: "sources", Filters: map[string]string{"by": v.By, "range": chosen.Name}, Count: total}
	if err := s.Looks.Queried(r.Context(), *c, look); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "Sources of attack")
	return render(w, http.StatusOK, "sources", v)
}

func (s *Server) sourceRows(ctx context.Context, way sourceWay, found []projections.Source, from time.Time) ([]sourceRow, error) {
	var names naming
	var err error
	if way.By == projections.ByUser {
		ids := make([]string, len(found))
		for i, f := range found {
			ids[i] = f.Key
		}
		if names, err = s.named(ctx, ids...); err != nil {
			return nil, err
		}
	}
	rows := make([]sourceRow, len(found))
	for i, f := range found {
		rows[i] = sourceRow{
			Source: f, Name: f.Key, Besides: f.Country, Mono: way.By == projections.ByIP,
			Path: "/if/admin/executions/?" + url.Values{way.filter: {f.Key}, "since": {from.UTC().Format(time.RFC3339)}}.Encode(),
		}
		switch way.By {
		case projections.ByUser:
			rows[i].Name = names.Who(f.Key).Name
		case projections.ByASN:
			rows[i].Name = "AS" + f.Key
			if f.Label != "" {
				rows[i].Name += " " + f.Label
			}
		}
	}
	return rows, nil
}
