package adminapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/session"
)

// An Importer applies blueprints.
type Importer interface {
	// Import applies one, all or nothing. A fault of the blueprint is part of
	// the result; an error means that there is none.
	Import(ctx context.Context, c session.Caller, name string, text []byte, context map[string]any) (ImportResult, error)
	// DryRun says what Import would do, and does nothing.
	DryRun(ctx context.Context, c session.Caller, name string, text []byte, context map[string]any) (ImportResult, error)
}

// An ImportResult says whether a blueprint was applied, and what is to be
// said about it.
type ImportResult struct {
	Success bool
	Logs    []blueprint.LogEvent
}

// mountBlueprints adds the import, and the instances. The names come before the
// keys, which match them, too.
func (s *Server) mountBlueprints(r *mux.Router) {
	const path, model = "managed/blueprints/", "authentik_blueprints.blueprintinstance"
	s.route(r, path+"import/", superusers, verbs{http.MethodPost: s.importBlueprint(false)})
	// An address of its own: a server that does not know it must not import.
	s.route(r, path+"import/dry_run/", superusers, verbs{http.MethodPost: s.importBlueprint(true)})
	s.route(r, path+"available/", lookAt(model), verbs{http.MethodGet: s.availableBlueprints})
	s.route(r, path, lookAt(model), verbs{http.MethodGet: s.listInstances, http.MethodPost: s.createInstance})
	s.edit(r, path+"{key}/", lookAt(model), verbs{
		http.MethodGet: s.getInstance, http.MethodPut: s.changeInstance(false), http.MethodPatch: s.changeInstance(true),
		http.MethodDelete: s.deleteInstance,
	})
	s.route(r, path+"{key}/apply/", superusers, verbs{http.MethodPost: s.applyInstance})
	s.route(r, path+"{key}/used_by/", lookAt(model), verbs{http.MethodGet: s.instanceUses})
}

// maxFraming is what a form may add to the blueprint in it.
const maxFraming = 64 << 10

// importBlueprint applies an uploaded blueprint, or one that the program
// ships, or only tells what would become of it. A faulty one is answered with
// what is wrong, and status 200.
func (s *Server) importBlueprint(dry bool) endpoint {
	do := func(ctx context.Context, c session.Caller, u upload) (ImportResult, error) {
		return s.Importer.DryRun(ctx, c, u.name, u.text, u.with)
	}
	if !dry {
		do = func(ctx context.Context, c session.Caller, u upload) (ImportResult, error) {
			result, err := s.Importer.Import(ctx, c, u.name, u.text, u.with)
			if err != nil {
				return result, err
			}
			return result, s.changed(ctx)
		}
	}
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		u, err := s.readBlueprint(r)
		if err != nil {
			return err
		}
		// an import judges on what is read, too
		leave, err := s.turn(r.Context())
		if err != nil {
			return err
		}
		defer leave()
		result, err := do(r.Context(), c, u)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, map[string]any{
			"success": result.Success, "logs": logs(result.Logs, "blueprint", s.Now()),
		})
	}
}

// readBlueprint reads the form, and finds the file that it may name.
func (s *Server) readBlueprint(r *http.Request) (upload, error) {
	u, err := readUpload(r)
	if err != nil {
		return u, err
	}
	if u.context != "" {
		if err := json.Unmarshal([]byte(u.context), &u.with); err != nil || !shallow(u.with, maxDepth) {
			return u, invalid("context", "Value must be valid JSON.")
		}
	}
	if u.path != "" {
		f, ok := s.Instances.File(u.path)
		if !ok {
			f, ok = blueprint.Shipped(u.path) // which have short names, too
		}
		if !ok {
			return u, invalid("path", "Blueprint file does not exist")
		}
		u.name, u.text = f.Name, f.Text
	}
	return u, nil
}

// An upload is the form that a blueprint comes in.
type upload struct {
	name    string
	text    []byte
	path    string
	context string
	with    map[string]any // what context says
}

// readUpload reads the form. All of it is bounded, so it is read to memory.
func readUpload(r *http.Request) (upload, error) {
	var u upload
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return u, domain.Errorf(domain.Unsupported, "Unsupported media type %q in request.", cut(r.Header.Get("Content-Type")))
	}
	body, err := readBody(r, maxBody+maxFraming)
	if err != nil {
		return u, err
	}
	form := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	found := false
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u, domain.Errorf(domain.Invalid, "Multipart form parse error - %s", err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return u, domain.Errorf(domain.Invalid, "Multipart form parse error - %s", err)
		}
		switch part.FormName() {
		case "file":
			found, u.name, u.text = true, cut(path.Base(part.FileName())), text
		case "path":
			found, u.path = true, string(text)
		case "context":
			u.context = string(text)
		}
	}
	switch {
	case len(u.text) > maxBody:
		return u, tooLarge()
	case !found:
		return u, invalid("file", "No file was submitted.")
	}
	return u, nil
}
