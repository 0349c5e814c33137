package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Persons are those who have an account.
type Persons interface {
	// Find returns those who have all of some words in a name, an e-mail
	// address or an id, and how many there are. Order is username, last_login
	// or either with a minus in front.
	Find(ctx context.Context, words, order string, p projections.Page) ([]Person, int, error)
	// Person returns one of them, with groups and permissions.
	Person(ctx context.Context, id string) (Person, bool, error)
	// Failures counts how often logging in as somebody failed since a time.
	Failures(ctx context.Context, id string, since time.Time) (int, error)
}

// A Person is somebody who has an account.
type Person struct {
	ID, Username, Name, Email  string
	Active, Superuser          bool
	Type                       string
	Joined, LastLogin          time.Time
	PasswordChanged            time.Time
	Groups, Roles, Permissions []string // by name
}

// A person is somebody to be linked to.
type person struct{ ID, Name string }

// A naming is how people are called by whom a page speaks.
type naming map[string]string

// Who returns somebody to be linked to. Who has no name any more is called by
// a pseudonym.
func (n naming) Who(id string) person {
	if name := n[id]; name != "" {
		return person{id, name}
	}
	return person{id, pseudonym(id)}
}

// pseudonym is how somebody is called whose name is not known any more.
func pseudonym(id string) string { return "person " + short(id) }

// named finds out how people are called.
func (s *Server) named(ctx context.Context, ids ...string) (naming, error) {
	ids = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id string) bool { return id == "" })
	if len(ids) == 0 {
		return nil, nil
	}
	return s.People.Named(ctx, ids)
}

// personTyped finds whom somebody means by a user name or an id. Not known
// means that there is nobody of that name, and so nothing about them.
func (s *Server) personTyped(ctx context.Context, typed string) (id string, known bool, err error) {
	if typed = strings.TrimSpace(typed); typed == "" {
		return "", true, nil
	}
	id, err = s.People.UserID(ctx, typed)
	return id, id != "", err
}

// A personRow is somebody in the list.
type personRow struct {
	Person
	Failures int // within a day
}

// A peopleView is a list of people for the template.
type peopleView struct {
	frame
	Search string
	Order  string
	People []personRow
	Total  int
	Erased *projections.Erasure // of whom the search names by id
	Pager  pager
	query  map[string][]string
}

// peopleOrders are how the list can be ordered, and what that is in words.
var peopleOrders = map[string]string{
	"username": "by user name", "-username": "by user name, backwards", "-last_login": "the last signed in first", "last_login": "the longest away first",
}

// Ordered is how the list is ordered, in words.
func (v peopleView) Ordered() string { return peopleOrders[v.Order] }

// Sort is the query of this page, ordered by a column or, if it is so already,
// the other way round.
func (v peopleView) Sort(column string) string {
	if v.Order == column || v.Order != "-"+column && column == "last_login" {
		column = "-" + column
	}
	return with(v.query, "ordering", column)
}

func (s *Server) people(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q := r.URL.Query()
	page, err := pageOf(q)
	if err != nil {
		return err
	}
	v := peopleView{Search: strings.TrimSpace(q.Get("q")), Order: q.Get("ordering"), query: q}
	if peopleOrders[v.Order] == "" {
		v.Order = "username"
	}
	found, total, err := s.Persons.Find(r.Context(), v.Search, v.Order, page.Page)
	if err != nil {
		return err
	}
	v.Total, v.Pager = total, page.of(r.URL, total)
	for _, one := range found {
		failures, err := s.Persons.Failures(r.Context(), one.ID, c.Now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		v.People = append(v.People, personRow{one, failures})
	}
	if total == 0 && v.Search != "" {
		if v.Erased, err = s.erasureOf(r.Context(), v.Search); err != nil {
			return err
		}
	}
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "people", Filters: asked(r), Count: total, Opened: []string{"P"}}); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "People")
	return render(w, http.StatusOK, "people", v)
}

// erasureOf returns how a person was erased; nil for nobody who was.
func (s *Server) erasureOf(ctx context.Context, id string) (*projections.Erasure, error) {
	found, _, err := s.Erasures.List(ctx, projections.ErasureFilter{Kind: "user", Subject: id}, projections.Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
