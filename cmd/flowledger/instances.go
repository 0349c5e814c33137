package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/importer"
	"github.com/flowledger/flowledger/handlers/worker"
	"github.com/flowledger/flowledger/projections"
)

const (
	watchEvery = 3 * time.Second // how long a change in the blueprint folder may go unseen
	watchAgain = time.Hour       // after which all of it is read anew
)

// foundPurpose separates the ids of what lies in the folder from all other
// digests.
const foundPurpose = "blueprint-file"

// shelve puts the library and the instances together.
func (a *app) shelve() {
	a.library = &importer.Library{Since: time.Now(), Now: time.Now, Log: a.log}
	a.importer.Library, a.importer.Held = a.library, &instances{a}
	a.keeper = &importer.Keeper{
		Importer: a.importer, Holdings: a.instances, Again: watchAgain, Log: a.log,
		Alone: func(do func() error) error { return do() },
		// The digest is keyed, so the id tells nobody what the file is called,
		// and all nodes of a ledger have the same one.
		FoundID: func(path string) string {
			return uuid.Must(uuid.FromBytes(a.vault.Digest(foundPurpose, path)[:16])).String()
		},
	}
}

// checkFolder refuses a blueprint folder that is not there when the program
// starts: later on it may come and go.
func checkFolder(folder string) error {
	if folder == "" {
		return nil
	}
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a folder")
	}
	if err != nil {
		return fmt.Errorf("--blueprints %s: %w", folder, err)
	}
	return nil
}

// watch keeps the instances in agreement with the blueprint folder. Without one
// there are still those of shipped files, which a new version may have changed.
func (a *app) watch(ctx context.Context) error {
	w := &worker.Watcher{Name: "blueprints", Every: watchEvery, Look: a.keeper.Sync, Log: a.log}
	return a.alone(ctx, "blueprints", w.Run)
}

// instances shows and writes blueprint instances for the administration API.
type instances struct{ app *app }

// Find implements importer.Held.
func (s *instances) Find(ctx context.Context, identifiers map[string]any) (string, bool, error) {
	var f projections.InstanceFilter
	to := map[string]*string{"name": &f.Name, "path": &f.Path, "pk": &f.ID, "instance_uuid": &f.ID}
	for name, value := range identifiers {
		text, _ := value.(string)
		if to[name] == nil || text == "" {
			return "", false, nil
		}
		*to[name] = text
	}
	if len(identifiers) == 0 {
		return "", false, nil
	}
	found, _, err := s.app.instances.List(ctx, f, "pk", projections.Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	return found[0].ID, true, nil
}

// Instances implements adminapi.Instances.
func (s *instances) Instances(
	ctx context.Context, f adminapi.InstanceFilter, order string, p adminapi.Page,
) ([]adminapi.Instance, int, error) {
	found, total, err := s.app.instances.List(ctx, projections.InstanceFilter(f), order, page(p))
	out := make([]adminapi.Instance, len(found))
	for i, one := range found {
		out[i] = adminapi.Instance(one)
	}
	return out, total, err
}

// Texts implements adminapi.Instances.
func (s *instances) Texts(ctx context.Context, id string) (adminapi.InstanceTexts, error) {
	state, _, err := s.app.importHandler.Load(ctx, eventstore.Stream("blueprint", id))
	if err != nil {
		return adminapi.InstanceTexts{}, err
	}
	with, content, err := importer.Texts(state.Terms)
	t := adminapi.InstanceTexts{Content: string(content), Context: with}
	if len(state.Outcome.Logs) > 0 {
		t.Reason = state.Outcome.Logs[0]
	}
	return t, err
}

// Available implements adminapi.Instances.
func (s *instances) Available(ctx context.Context) ([]adminapi.BlueprintFile, error) {
	files, _, err := s.app.library.Look(ctx)
	if err != nil {
		return nil, err
	}
	out := []adminapi.BlueprintFile{}
	for _, f := range files {
		if f.Fault == "" && f.Hash != "" {
			out = append(out, adminapi.BlueprintFile{Path: f.Path, Modified: f.Modified, Hash: f.Hash, Metadata: f.Metadata})
		}
	}
	return out, nil
}

// File implements adminapi.Instances.
func (s *instances) File(path string) (blueprint.File, bool) {
	text, err := s.app.library.Read(path)
	return blueprint.File{Name: path, Text: text}, err == nil
}

// Keep implements adminapi.Keeper.
func (s *instances) Keep(ctx context.Context, c session.Caller, id string, want adminapi.InstanceWish, create bool) error {
	w := importer.Wanted{Name: want.Name, Path: want.Path, Content: []byte(want.Content), Context: want.Context, Enabled: want.Enabled}
	return s.app.keeper.Keep(ctx, id, w, importer.Writer{By: c.User, Via: "api", Meta: caused("tenant", c)}, create)
}

// Drop implements adminapi.Keeper.
func (s *instances) Drop(ctx context.Context, c session.Caller, id string) error {
	return s.app.keeper.Drop(ctx, id, importer.Writer{By: c.User, Via: "api", Meta: caused("tenant", c)})
}

// Apply implements adminapi.Keeper.
func (s *instances) Apply(ctx context.Context, c session.Caller, id string) error {
	err := s.app.importer.Apply(ctx, id, importer.Application{By: c.User, Meta: caused("tenant", c)})
	if _, refused := errors.AsType[*blueprint.Error](err); refused {
		return nil
	}
	return err
}

// Try implements adminapi.Keeper. A fault of an entry is told with its place; a
// fault of the whole text has none.
func (s *instances) Try(ctx context.Context, name string, text []byte, with map[string]any) ([]blueprint.LogEvent, error) {
	result, err := s.app.importer.Try(ctx, name, text, with)
	fault, refused := errors.AsType[*blueprint.Error](err)
	switch {
	case !refused:
		return nil, err
	case fault.Entry == 0 && fault.Column == 0:
		return append(result.Logs, blueprint.LogEvent{Level: "error", Event: fault.Message}), nil
	}
	return append(result.Logs, blueprint.LogEvent{Level: "error", Event: fault.Error()}), nil
}
