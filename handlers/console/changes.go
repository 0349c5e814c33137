package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Changes are what was changed of configured things, people and keys.
type Changes interface {
	// List returns the changes that f wants, the newest first, and how many
	// there are.
	List(ctx context.Context, f projections.ChangeFilter, p projections.Page) ([]projections.ConfigurationChange, int, error)
	// Content opens one of them: what was, and what is.
	Content(ctx context.Context, change projections.ConfigurationChange) (ChangeContent, error)
}

// A ChangeContent is what a change was about.
type ChangeContent struct {
	Before, After map[string]any // fields that the change names
	Secrets       []string       // names of secret fields that were set
	Sealed        []string       // names of fields that describe a person and are not opened, or cannot be
	Opened        []string       // classes of sealed data in it
	Person        string         // id of the user whom it is about; empty for none
	File, Digest  string         // of the blueprint that it came with
}

// Things are the configured things as they are now.
type Things interface {
	// Thing returns one by id.
	Thing(id string) (object.Thing, bool)
	// Kind returns those of one model, by name.
	Kind(model string) []object.Thing
}

// A changeRow is a change in a list.
type changeRow struct {
	projections.ConfigurationChange
	What string // it was changed
	Who  person // nobody for the program
}

// Besides is the kind of what was changed, unless its name says that.
func (r changeRow) Besides() string {
	if kind := kindName(r.Kind); !strings.HasPrefix(r.What, kind) {
		return kind
	}
	return ""
}

// fewFields is how many fields a list names of each change.
const fewFields = 5

// Named are the first of the fields that changed.
func (r changeRow) Named() []string { return r.Fields[:min(len(r.Fields), fewFields)] }

// More is how many others there are.
func (r changeRow) More() int { return len(r.Fields) - len(r.Named()) }

// A changesView is a list of changes for the template.
type changesView struct {
	frame
	Filter       projections.ChangeFilter
	Actor        string // as it was typed
	Since, Until string
	Kinds        []catalog.Kind
	Flows        []object.Thing
	Changes      []changeRow
	Total        int
	Pager        pager
}

// Verbs are the choices of the filter.
func (changesView) Verbs() []string {
	return []string{"created", "changed", "removed", "imported", "erased"}
}

func (s *Server) changes(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q := r.URL.Query()
	page, err := pageOf(q)
	if err != nil {
		return err
	}
	v := changesView{Actor: q.Get("actor"), Since: q.Get("since"), Until: q.Get("until"), Kinds: catalog.All(), Flows: s.Things.Kind(object.FlowModel)}
	v.Filter = projections.ChangeFilter{
		Kind: q.Get("kind"), Object: q.Get("object"), Flow: q.Get("flow"), Verb: q.Get("verb"), Origin: q.Get("origin"),
	}
	if v.Filter.From, v.Filter.Until, err = timesOf(q); err != nil {
		return err
	}
	known := true
	if v.Filter.Actor, known, err = s.personTyped(r.Context(), v.Actor); err != nil {
		return err
	}
	var found []projections.ConfigurationChange
	if known {
		if found, v.Total, err = s.Changes.List(r.Context(), v.Filter, page.Page); err != nil {
			return err
		}
	}
	v.Pager = page.of(r.URL, v.Total)
	if v.Changes, err = s.changeRows(r.Context(), found); err != nil {
		return err
	}
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "changes", Filters: asked(r), Count: v.Total}); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "Changes")
	return render(w, http.StatusOK, "changes", v)
}

// changeRows puts names to changes.
func (s *Server) changeRows(ctx context.Context, found []projections.ConfigurationChange) ([]changeRow, error) {
	var ids []string
	for _, one := range found {
		ids = append(ids, one.Actor)
		if one.Name == "" && personal(one) {
			ids = append(ids, one.Object)
		}
	}
	names, err := s.named(ctx, ids...)
	if err != nil {
		return nil, err
	}
	rows := make([]changeRow, len(found))
	for i, one := range found {
		rows[i] = changeRow{ConfigurationChange: one, What: whatOf(one, names)}
		if one.Actor != "" {
			rows[i].Who = names.Who(one.Actor)
		}
	}
	return rows, nil
}

// personal tells whether a change is one of a person.
func personal(c projections.ConfigurationChange) bool { return c.Kind == object.UserModel }

// whatOf is how the changed thing is called.
func whatOf(c projections.ConfigurationChange, names naming) string {
	switch {
	case c.Name != "":
		return c.Name
	case personal(c):
		return names.Who(c.Object).Name
	case c.Object == "" || c.Object == c.Kind: // there is but one
		return kindName(c.Kind)
	default:
		return kindName(c.Kind) + " " + short(c.Object)
	}
}

// ways are the ways to make a change, in words.
var ways = map[string]string{
	"api": "over the API", "admin": "over the API", "blueprint": "with a blueprint", "import": "with an import", "bootstrap": "at the first start",
	"user_write": "by a flow", "source": "by a source", "cli": "from the command line",
}

// A flowOutcomes is what became of the executions of a flow before and after a
// change.
type flowOutcomes struct {
	comparison
	Name                  string
	BeforePath, AfterPath string
	Short                 bool // the time after is not over yet
}

// A changeView is one change for the template.
type changeView struct {
	frame
	naming
	Change        projections.ConfigurationChange
	What          string
	Way           string
	Import        *ChangeContent
	Fields        []fieldChange
	Outcomes      []flowOutcomes
	Together      []changeRow
	TogetherTotal int
}

// maxTogether is how much of what came in the same request is shown.
const maxTogether = 20

func (s *Server) change(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	one, err := s.changeNamed(r)
	if err != nil {
		return err
	}
	content, err := s.Changes.Content(r.Context(), one)
	if err != nil {
		return err
	}
	v := changeView{Change: one, Way: ways[one.Via], Fields: fieldChanges(content)}
	if v.Way == "" {
		v.Way = cmp.Or(one.Via, "–")
	}
	if content.File != "" {
		v.Import = &content
	}
	if v.naming, err = s.named(r.Context(), one.Actor, one.Object); err != nil {
		return err
	}
	v.What = whatOf(one, v.naming)
	if v.Outcomes, err = s.outcomes(r.Context(), one, c.Now); err != nil {
		return err
	}
	if v.Together, v.TogetherTotal, err = s.together(r.Context(), one); err != nil {
		return err
	}
	look := looked.Look{View: "changes", Filters: map[string]string{"event": one.Event}, Count: 1, Opened: content.Opened, About: content.Person}
	if err := s.Looks.Queried(r.Context(), *c, look); err != nil {
		return err
	}
	v.frame = s.frame(r, c, v.What+" "+one.Verb)
	return render(w, http.StatusOK, "change", v)
}

// outcomeTime is how much time before and after a change is compared.
const outcomeTime = time.Hour

// maxAffected is how many flows are compared; a change of a brand may bear on
// all there are.
const maxAffected = 8

// outcomes compares what became of the executions of the flows that a change
// bears on.
func (s *Server) outcomes(ctx context.Context, c projections.ConfigurationChange, now time.Time) (out []flowOutcomes, err error) {
	for _, id := range c.Flows[:min(len(c.Flows), maxAffected)] {
		from, until := c.At.Add(-outcomeTime), c.At.Add(outcomeTime)
		before, err := s.Executions.Outcomes(ctx, id, from, c.At)
		if err != nil {
			return nil, err
		}
		after, err := s.Executions.Outcomes(ctx, id, c.At, until)
		if err != nil {
			return nil, err
		}
		name := "Flow " + short(id)
		if t, ok := s.Things.Thing(id); ok {
			name = t.Name
		}
		out = append(out, flowOutcomes{
			comparison: compareOutcomes(before, after), Name: name, Short: now.Before(until),
			BeforePath: executionsOf(id, from, c.At), AfterPath: executionsOf(id, c.At, until),
		})
	}
	return out, nil
}

// executionsOf is the list of a flow's executions in a span of time.
func executionsOf(flow string, from, until time.Time) string {
	return "/if/admin/executions/?" + url.Values{
		"flow": {flow}, "since": {from.UTC().Format(time.RFC3339)}, "until": {until.UTC().Format(time.RFC3339)},
	}.Encode()
}

// together lists what came in the same request, or by the same import.
func (s *Server) together(ctx context.Context, c projections.ConfigurationChange) ([]changeRow, int, error) {
	if c.Origin == "" {
		return nil, 0, nil
	}
	found, total, err := s.Changes.List(ctx, projections.ChangeFilter{Origin: c.Origin}, projections.Page{Limit: maxTogether + 1})
	if err != nil {
		return nil, 0, err
	}
	found = slices.DeleteFunc(found, func(one projections.ConfigurationChange) bool { return one.Event == c.Event })
	rows, err := s.changeRows(ctx, found[:min(len(found), maxTogether)])
	return rows, total - 1, err
}

// changeNamed returns the change whose event the path names.
func (s *Server) changeNamed(r *http.Request) (projections.ConfigurationChange, error) {
	id := mux.Vars(r)["event"]
	found, _, err := s.Changes.List(r.Context(), projections.ChangeFilter{Event: id}, projections.Page{Limit: 1})
	if err == nil && len(found) == 0 {
		err = domain.Errorf(domain.NotFound, "There is no change %q.", id)
	}
	if err != nil {
		return projections.ConfigurationChange{}, err
	}
	return found[0], nil
}
