package adminapi

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
)

// mountKinds adds the endpoints of every kind in the catalog. What a category
// has beside them is mounted before.
func (s *Server) mountKinds(r *mux.Router) {
	for _, k := range catalog.All() {
		if !configured(k) {
			continue
		}
		s.route(r, k.Path+"/", of(k.Model), verbs{http.MethodGet: s.listThings(k), http.MethodPost: s.createThing(k)})
		s.edit(r, k.Path+"/{key}/", of(k.Model), verbs{
			http.MethodGet: s.getThing(k), http.MethodPut: s.changeThing(k, false), http.MethodPatch: s.changeThing(k, true),
			http.MethodDelete: s.removeThing(ofKind(k)),
		})
		s.route(r, k.Path+"/{key}/used_by/", of(k.Model), verbs{http.MethodGet: s.usedBy(ofKind(k))})
	}
}

// An addressee is what a path with a key in it is about.
type addressee struct {
	name   string // for errors
	wants  func(catalog.Kind) bool
	bySlug bool // the key is the slug of a flow; else it is the primary key
}

// ofKind addresses things of one kind.
func ofKind(k catalog.Kind) addressee {
	return addressee{
		name: k.Name, bySlug: k.Key == "slug", wants: func(other catalog.Kind) bool { return other.Model == k.Model },
	}
}

// ofCategory addresses things of all kinds of a category.
func ofCategory(c catalog.Category, name string) addressee {
	return addressee{name: name, wants: func(k catalog.Kind) bool { return k.Category == c }}
}

// find returns the thing that the path names. A key that is no identifier
// names nothing.
func (s *Server) find(r *http.Request, a addressee) (object.Thing, error) {
	key := mux.Vars(r)["key"]
	if a.bySlug {
		if t, ok := s.Things.FlowBySlug(key); ok {
			return t, nil
		}
		return object.Thing{}, notFound(a.name)
	}
	id, err := uuid.Parse(key)
	if err != nil {
		return object.Thing{}, notFound(a.name)
	}
	t, ok := s.Things.Thing(id.String())
	if k, known := catalog.Lookup(t.Kind); ok && known && a.wants(k) {
		return t, nil
	}
	return object.Thing{}, notFound(a.name)
}

func (s *Server) listThings(k catalog.Kind) endpoint {
	return func(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
		v := s.view(r)
		return v.write(w, r, peculiarityOf(k.Category), k.Fields(), v.kind(k))
	}
}

// write answers with the page of a list of things that the query wants.
func (v *view) write(w http.ResponseWriter, r *http.Request, p peculiarity, fields []catalog.Field, things []object.Thing) error {
	pg, err := pagingOf(r.URL.Query())
	if err != nil {
		return err
	}
	found, err := v.selectThings(r.URL.Query(), p, fields, things)
	if err != nil {
		return err
	}
	var results []any
	for _, t := range slice(pg, found) {
		shown, err := v.show(r.Context(), t)
		if err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, len(found), results)
}

func (s *Server) getThing(k catalog.Kind) endpoint {
	return func(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
		t, err := s.find(r, ofKind(k))
		if err != nil {
			return err
		}
		return s.writeThing(w, r, http.StatusOK, t)
	}
}

func (s *Server) writeThing(w http.ResponseWriter, r *http.Request, status int, t object.Thing) error {
	shown, err := s.view(r).show(r.Context(), t)
	if err != nil {
		return err
	}
	tagOf(t).show(w)
	return writeJSON(w, status, shown)
}
