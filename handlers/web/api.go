package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/openapi"
)

// apiPage is where people read what the API can do.
const apiPage = "/api/v3/schema/browser/"

// mountAPI adds the pages that show the API's document. They are for anybody,
// as the document is.
func (s *Server) mountAPI(m *mux.Router) {
	if s.API == nil {
		return
	}
	m.Handle(apiPage, s.handle(s.listOperations)).Methods(http.MethodGet, http.MethodHead)
	m.Handle(apiPage+"{operation}/", s.handle(s.showOperation)).Methods(http.MethodGet, http.MethodHead)
	m.Handle("/api/v3/", s.handle(func(w http.ResponseWriter, r *http.Request, _ *session.Caller) error {
		return seeOther(w, r, apiPage)
	})).Methods(http.MethodGet, http.MethodHead)
}

// An operationRow is an operation in a list.
type operationRow struct {
	ID, Method, Path, Summary, Permission, Access string
	tag                                           string
}

// Link leads to the operation's page.
func (o operationRow) Link() string { return apiPage + o.ID + "/" }

// Who says who may call it beside superusers.
func (o operationRow) Who() string {
	switch o.Access {
	case "anybody":
		return "Anybody"
	case "members":
		return "Whoever is logged in"
	case "own":
		return "Own, or " + o.Permission
	case "permission":
		return o.Permission
	}
	return "Superusers"
}

// Words are what a search looks into.
func (o operationRow) Words() string {
	return strings.ToLower(strings.Join([]string{o.Method, o.Path, o.Summary, o.ID, o.Who()}, " "))
}

// An operationGroup is the operations of a tag.
type operationGroup struct {
	Name, About string
	Rows        []operationRow
}

// An operationsView is the list of operations for the template.
type operationsView struct {
	frame
	Query   string
	Groups  []operationGroup
	Count   int
	Version string
}

// methods in the order in which people think of them.
var methods = []string{"get", "post", "put", "patch", "delete"}

// operations lists the document's operations by path and method.
func operations(d *openapi.Document) (rows []operationRow) {
	for path, item := range d.Paths {
		for method, op := range item {
			rows = append(rows, operationRow{
				ID: op.ID, Method: strings.ToUpper(method), Path: path, Summary: op.Summary, Permission: op.Permission, Access: op.Access, tag: op.Tags[0],
			})
		}
	}
	slices.SortFunc(rows, func(a, b operationRow) int {
		if n := strings.Compare(a.Path, b.Path); n != 0 {
			return n
		}
		return slices.Index(methods, strings.ToLower(a.Method)) - slices.Index(methods, strings.ToLower(b.Method))
	})
	return rows
}

// maxAPIQuery bounds what is searched for.
const maxAPIQuery = 100

func (s *Server) listOperations(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	v := operationsView{frame: s.frame(r, *c, "API"), Query: r.URL.Query().Get("q"), Version: s.API().Info.Version}
	v.Query = strings.ToValidUTF8(v.Query[:min(len(v.Query), maxAPIQuery)], "")
	v.Wide = true
	words := strings.Fields(strings.ToLower(v.Query))
	rows := operations(s.API())
	for _, tag := range s.API().Tags {
		g := operationGroup{Name: tag.Name, About: tag.Description}
		for _, row := range rows {
			if row.tag == tag.Name && contains(row.Words(), words) {
				g.Rows = append(g.Rows, row)
			}
		}
		v.Count += len(g.Rows)
		if len(g.Rows) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	return render(w, http.StatusOK, "api", v)
}

// contains tells whether all words occur in a text.
func contains(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

// An operationView is one operation for the template.
type operationView struct {
	frame
	operationRow
	Description []string
	Siblings    []operationRow // of the same path, and of those below it
	Path        string
	Parameters  []describedField
	Body        []describedField
	BodyMedia   string
	Answers     []describedAnswer
	Shapes      []describedShape
	Curl        string
}

func (s *Server) showOperation(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	rows := operations(s.API())
	at := slices.IndexFunc(rows, func(o operationRow) bool { return o.ID == mux.Vars(r)["operation"] })
	if at < 0 {
		return domain.Errorf(domain.NotFound, "There is no such operation.")
	}
	row := rows[at]
	v := operationView{frame: s.frame(r, *c, row.Summary), operationRow: row, Path: row.Path}
	v.Wide = true
	for _, other := range rows {
		if related(row.Path, other.Path) {
			v.Siblings = append(v.Siblings, other)
		}
	}
	describe(&v, s.API(), s.API().Paths[row.Path][strings.ToLower(row.Method)], c.BaseURL)
	return render(w, http.StatusOK, "api-operation", v)
}

// related tells whether two paths are about the same things.
func related(a, b string) bool {
	of := func(path string) string {
		before, _, _ := strings.Cut(path, "{")
		return before
	}
	return of(a) == of(b)
}

// parts splits a long name where a line may end.
func parts(name string) []string {
	var out []string
	for name != "" {
		i := strings.IndexAny(name, "/._") + 1
		if i == 0 {
			i = len(name)
		}
		out, name = append(out, name[:i]), name[i:]
	}
	return out
}
