package auditapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Models are the read models that are shown as they are.
type Models struct {
	Changes  Changes
	Outcomes Outcomes
	Sources  Sources
	Verdicts Verdicts
	Accesses Accesses
	Erasures Erasures
}

// modelRoutes adds their addresses.
func (s *Server) modelRoutes(r *mux.Router) {
	s.route(r, "ledger/changes/", viewEvents, "changes", s.changes)
	s.route(r, "ledger/changes/{id}/", viewEvents, "changes", s.change)
	s.route(r, "ledger/sources/", viewEvents, "sources", s.sources)
	s.route(r, "ledger/verdicts/", viewEvents, "verdicts", s.verdicts)
	s.route(r, "ledger/verdicts/policies/", viewEvents, "verdicts", s.judges)
	s.route(r, "ledger/verdicts/policies/{id}/", viewEvents, "verdicts", s.judge)
	s.route(r, "ledger/accesses/", viewEvents, "accesses", s.accesses)
	s.route(r, "ledger/erasures/", viewEvents, "erasures", s.erasures)
}

// answer finds a page of rows and answers with it. Names of people are opened
// as rows are shown.
func answer[Row, Shown any](s *Server, w http.ResponseWriter, r *http.Request, c session.Caller, p *params, look looked.Look,
	find func(context.Context, projections.Page) ([]Row, int, error), show func(*names, Row) (Shown, error),
) error {
	if err := p.strict("page", "page_size"); err != nil {
		return err
	}
	page, err := pagingOf(p.q)
	if err != nil {
		return err
	}
	rows, total, err := find(r.Context(), projections.Page{Offset: (page.number - 1) * page.size, Limit: page.size})
	if err != nil {
		return err
	}
	known, shown := &names{ctx: r.Context(), people: s.People, known: map[string]*Person{"": nil}}, make([]Shown, len(rows))
	for i, row := range rows {
		if shown[i], err = show(known, row); err != nil {
			return err
		}
	}
	look.Count = total
	return s.list(w, r, c, list{look: look, page: page}, shown)
}

// names are the names of those who are in one answer.
type names struct {
	ctx    context.Context
	people People
	known  map[string]*Person
}

// of returns a user; nil for nobody. Of those who were erased it has the id.
func (n *names) of(id string) (*Person, error) {
	p, ok := n.known[id]
	if ok {
		return p, nil
	}
	who, err := n.people.Person(n.ctx, id)
	if err != nil {
		return nil, err
	}
	p = &Person{ID: id, Key: who.Key, Username: who.Username}
	n.known[id] = p
	return p, nil
}

// since and until are a span of time; the zero times for none.
func (p *params) between() (since, until time.Time) { return p.time("since"), p.time("until") }

// within are a span of time that has to be given in part or not at all, and may
// not be longer than a limit: until is now unless given, since as long before
// as usual is.
func (p *params) within(usual, most time.Duration) (since, until time.Time) {
	since, until = p.between()
	if until.IsZero() {
		until = time.Now().UTC()
	}
	if since.IsZero() {
		since = until.Add(-usual)
	}
	switch {
	case until.Before(since):
		p.refuse("until", "Ensure this value is not before since.")
	case until.Sub(since) > most:
		p.refuse("since", "Ensure this value is at most "+days(most)+" before until.")
	}
	return since, until
}

// days writes a time as days.
func days(d time.Duration) string { return strconv.Itoa(int(d/(24*time.Hour))) + " days" }

// some is a list that is encoded as one even where there is none.
func some(of []string) []string { return append([]string{}, of...) }
