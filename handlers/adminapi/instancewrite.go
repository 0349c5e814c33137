package adminapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
)

// A Keeper writes blueprint instances, and applies them.
type Keeper interface {
	Keep(ctx context.Context, c session.Caller, id string, want InstanceWish, create bool) error
	Drop(ctx context.Context, c session.Caller, id string) error
	// Apply applies an instance. That its blueprint is faulty is shown by the
	// instance and is no error.
	Apply(ctx context.Context, c session.Caller, id string) error
	// Try tells what is wrong with a text; nothing if it can be applied.
	Try(ctx context.Context, name string, text []byte, with map[string]any) ([]blueprint.LogEvent, error)
}

// An InstanceWish is what an instance is to be.
type InstanceWish struct {
	Name, Path, Content string
	Context             map[string]any
	Enabled             bool
}

// instanceFields are what a client can set.
var instanceFields = []catalog.Field{
	{Name: "name", Type: catalog.Text, Max: new(255)},
	{Name: "path", Type: catalog.Text, Blank: true, Max: new(4096)},
	{Name: "content", Type: catalog.Text, Blank: true, Verbatim: true},
	{Name: "context", Type: catalog.Map},
	{Name: "enabled", Type: catalog.Bool},
}

func (s *Server) createInstance(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	return s.putInstance(w, r, c, instancePut{Instance: Instance{ID: s.NewID(), Enabled: true}, create: true})
}

func (s *Server) changeInstance(partial bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		i, err := s.findInstance(r)
		if err != nil {
			return err
		}
		return s.putInstance(w, r, c, instancePut{Instance: i, partial: partial})
	}
}

// An instancePut is the instance to write, and how.
type instancePut struct {
	Instance
	create, partial bool
}

// putInstance judges what is wanted of an instance, writes it, and shows it.
func (s *Server) putInstance(w http.ResponseWriter, r *http.Request, c session.Caller, p instancePut) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	// All who write instances hold this lock, so what was compared stays so.
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	if _, _, err := s.compared(r, "blueprint", p.ID); err != nil {
		return err
	}
	if !p.create { // it is written whole, so it is read as the last change left it
		if p.Instance, err = s.instance(r.Context(), p.ID); err != nil {
			return err
		}
	}
	want, err := s.judgeInstance(r.Context(), p, input)
	if err != nil {
		return err
	}
	if err := s.Keeper.Keep(r.Context(), c, p.ID, want, p.create); err != nil {
		return err
	}
	return s.rewritten(w, r, c, p)
}

// rewritten shows an instance as it is after a change.
func (s *Server) rewritten(w http.ResponseWriter, r *http.Request, c session.Caller, p instancePut) error {
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	status := http.StatusOK
	if p.create {
		status = http.StatusCreated
	}
	return s.writeInstance(w, r, c, status, p.ID)
}

// judgeInstance puts together what an instance is to be. A new path is that of
// a file which lies there; a new text is one that could be applied.
func (s *Server) judgeInstance(ctx context.Context, p instancePut, input map[string]any) (InstanceWish, error) {
	want, given, err := s.wishOf(ctx, p, input)
	if err != nil {
		return want, err
	}
	var problems catalog.Problems
	if given["path"] && want.Path != "" {
		if err := s.judgePath(ctx, want.Path, &problems); err != nil {
			return want, err
		}
	}
	if given["name"] {
		same, _, err := s.Instances.Instances(ctx, InstanceFilter{Name: want.Name}, "", Page{Limit: 1})
		if err != nil {
			return want, err
		}
		if len(same) > 0 && same[0].ID != p.ID {
			problems.Add("name", "Blueprint Instance with this name already exists.")
		}
	}
	if given["content"] && want.Content != "" {
		if err := s.judgeContent(ctx, want, &problems); err != nil {
			return want, err
		}
	}
	if problems == nil && want.Path == "" && want.Content == "" {
		problems.Add(catalog.NonField, "Either path or content must be set.")
	}
	return want, problems.Err()
}

// wishOf reads the fields over those that the instance has.
func (s *Server) wishOf(ctx context.Context, p instancePut, input map[string]any) (InstanceWish, map[string]bool, error) {
	want, given := InstanceWish{Name: p.Name, Path: p.Path, Enabled: p.Enabled}, map[string]bool{}
	if !p.create {
		t, err := s.Instances.Texts(ctx, p.ID)
		if err != nil {
			return want, nil, err
		}
		want.Content, want.Context = t.Content, t.Context
	}
	var problems catalog.Problems
	values := map[string]any{}
	for _, f := range instanceFields {
		value, there := input[f.Name]
		if !there {
			continue
		}
		clean, fault := f.Clean(value)
		if fault != "" {
			problems.Add(f.Name, "%s", fault)
		}
		values[f.Name], given[f.Name] = clean, true
	}
	if !p.partial && !given["name"] {
		problems.Add("name", "This field is required.")
	}
	if err := problems.Err(); err != nil {
		return want, nil, err
	}
	if !p.partial && !given["path"] {
		want.Path = "" // the contract has a default here, and nowhere else
	}
	for name, to := range map[string]*string{"name": &want.Name, "path": &want.Path, "content": &want.Content} {
		if given[name] {
			*to, _ = values[name].(string)
		}
	}
	if given["context"] {
		want.Context, _ = values["context"].(map[string]any)
	}
	if given["enabled"] {
		want.Enabled, _ = values["enabled"].(bool)
	}
	return want, given, nil
}

// judgePath wants a file that is there.
func (s *Server) judgePath(ctx context.Context, path string, problems *catalog.Problems) error {
	if strings.HasPrefix(path, "oci://") {
		problems.Add("path", "Blueprints are not fetched from registries. Put the file into the blueprint folder, or give its content.")
		return nil
	}
	files, err := s.Instances.Available(ctx)
	if err == nil && !slices.ContainsFunc(files, func(f BlueprintFile) bool { return f.Path == path }) {
		problems.Add("path", "Blueprint file does not exist")
	}
	return err
}

// judgeContent wants a blueprint that could be applied at this moment.
func (s *Server) judgeContent(ctx context.Context, want InstanceWish, problems *catalog.Problems) error {
	logs, err := s.Keeper.Try(ctx, want.Name, []byte(want.Content), want.Context)
	if err != nil || len(logs) == 0 {
		return err
	}
	problems.Add("content", "Failed to validate blueprint")
	for _, l := range logs {
		problems.Add("content", "- %s", l.Event)
	}
	return nil
}

// deleteInstance drops an instance. What it made stays.
func (s *Server) deleteInstance(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	i, err := s.findInstance(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	if _, _, err := s.compared(r, "blueprint", i.ID); err != nil {
		return err
	}
	if err := s.Keeper.Drop(r.Context(), c, i.ID); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// applyInstance applies an instance before it answers, with the instance as it
// is then.
func (s *Server) applyInstance(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	i, err := s.findInstance(r)
	if err != nil {
		return err
	}
	if _, err := readObject(r); err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	if err := s.Keeper.Apply(r.Context(), c, i.ID); err != nil {
		return err
	}
	return s.rewritten(w, r, c, instancePut{Instance: i})
}

// Alone runs do while no request judges a change on what is read, and no other
// import: whoever applies blueprints beside the requests needs that.
func (s *Server) Alone(do func() error) error {
	leave, err := s.turn(context.Background())
	if err != nil {
		return err
	}
	defer leave()
	return do()
}
