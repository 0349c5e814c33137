package adminapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/session"
)

// Instances are the stored blueprints, and the files that they can name.
type Instances interface {
	// Instances returns a page of the instances that f wants, and how many
	// there are on all pages.
	Instances(ctx context.Context, f InstanceFilter, order string, p Page) ([]Instance, int, error)
	// Texts opens what is kept sealed of an instance.
	Texts(ctx context.Context, id string) (InstanceTexts, error)
	Available(ctx context.Context) ([]BlueprintFile, error)
	// File reads one of these, and nothing else on the machine.
	File(path string) (blueprint.File, bool)
}

// An Instance is a blueprint instance as lists show one, without its texts.
type Instance struct {
	ID          string
	Name        string
	Path        string
	Enabled     bool
	Status      string
	Applied     string // SHA-512 of the text that was applied last; empty for none
	LastApplied time.Time
	Models      []string
	Metadata    blueprint.Metadata
}

// InstanceTexts are the parts of an instance that are sealed.
type InstanceTexts struct {
	Content string
	Context map[string]any
	Reason  string // why it could not be applied; empty if it could
}

// An InstanceFilter says which instances are wanted. What is empty does not
// matter.
type InstanceFilter struct {
	ID, Name, Path string
	Search         string // words of name and path
}

// A BlueprintFile is a blueprint that instances can name by its path.
type BlueprintFile struct {
	Path     string
	Modified time.Time
	Hash     string // SHA-512, hexadecimal
	Metadata blueprint.Metadata
}

func (s *Server) listInstances(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f := InstanceFilter{Name: q.Get("name"), Path: q.Get("path"), Search: q.Get("search")}
	found, total, err := s.Instances.Instances(r.Context(), f, q.Get("ordering"), pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, i := range found {
		shown, err := s.showInstance(r.Context(), c, i)
		if err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, total, results)
}

// showInstance shows an instance. A blueprint may hold passwords and the keys
// of tokens, so its text and its context are for those alone who may do
// everything anyway.
func (s *Server) showInstance(ctx context.Context, c session.Caller, i Instance) (map[string]any, error) {
	t, err := s.Instances.Texts(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	if !c.May("") {
		t.Content, t.Context = "", nil
	}
	if t.Context == nil {
		t.Context = map[string]any{}
	}
	about := map[string]any{}
	if i.Metadata.Name != "" {
		about = metadata(i.Metadata)
	}
	if t.Reason != "" {
		about["error"] = t.Reason
	}
	return map[string]any{
		"pk": i.ID, "name": i.Name, "path": i.Path, "context": t.Context, "last_applied": stamp(i.LastApplied), "last_applied_hash": i.Applied,
		"status": i.Status, "enabled": i.Enabled, "managed_models": append([]string{}, i.Models...), "metadata": about, "content": t.Content,
	}, nil
}

// metadata shows what a blueprint says of itself.
func metadata(m blueprint.Metadata) map[string]any {
	labels := m.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	return map[string]any{"name": m.Name, "labels": labels}
}

// findInstance returns the instance that the path names.
func (s *Server) findInstance(r *http.Request) (Instance, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return Instance{}, notFound("BlueprintInstance")
	}
	return s.instance(r.Context(), id.String())
}

func (s *Server) instance(ctx context.Context, id string) (Instance, error) {
	found, _, err := s.Instances.Instances(ctx, InstanceFilter{ID: id}, "", Page{Limit: 1})
	if err != nil {
		return Instance{}, err
	}
	if len(found) == 0 {
		return Instance{}, notFound("BlueprintInstance")
	}
	return found[0], nil
}

func (s *Server) getInstance(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	i, err := s.findInstance(r)
	if err != nil {
		return err
	}
	return s.writeInstance(w, r, c, http.StatusOK, i.ID)
}

// writeInstance shows an instance, and as of which revision: each time that it
// is applied is one.
func (s *Server) writeInstance(w http.ResponseWriter, r *http.Request, c session.Caller, status int, id string) error {
	as, err := s.tagged(r.Context(), "blueprint", id)
	if err != nil {
		return err
	}
	i, err := s.instance(r.Context(), id)
	if err != nil {
		return err
	}
	shown, err := s.showInstance(r.Context(), c, i)
	if err != nil {
		return err
	}
	as.show(w)
	return writeJSON(w, status, shown)
}

// instanceUses is always empty: that another blueprint asks for an instance
// stands in its text only.
func (s *Server) instanceUses(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	if _, err := s.findInstance(r); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}

func (s *Server) availableBlueprints(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	files, err := s.Instances.Available(r.Context())
	if err != nil {
		return err
	}
	shown := make([]any, len(files))
	for i, f := range files {
		shown[i] = map[string]any{"path": f.Path, "last_m": stamp(f.Modified), "hash": f.Hash, "meta": metadata(f.Metadata)}
	}
	return writeJSON(w, http.StatusOK, shown)
}
