package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// lately is what a keeper remembers of its last look. Only one goroutine looks.
type lately struct {
	all    time.Time // when everything was read
	failed bool      // some files are worth another try
}

// batch is how many instances are written before others may change things.
const batch = 100

// Sync looks at the library once, and makes the instances agree with it: new
// files get one, changed ones are applied, those whose file is gone go. What is
// wrong with one file stops no other; it is logged and recorded.
//
// It may be interrupted anywhere: each step is an append of its own, or an
// import that is carried out by the next one, and the next look finds what is
// left to do. Two nodes may look at the same folder: an instance has the same
// id on both, its stream lets one of them begin to apply it, and the other finds
// nothing to change.
func (k *Keeper) Sync(ctx context.Context) error {
	now := k.Importer.Now()
	again := k.looked.failed || now.Sub(k.looked.all) >= k.Again
	if now.Sub(k.looked.all) >= k.Again {
		k.Importer.Library.Forget() // the times of files may lie
		k.looked.all = now
	}
	files, complete, err := k.Importer.Library.Look(ctx)
	if err != nil {
		return err
	}
	byPath, lying := map[string]File{}, make([]blueprint.Lying, len(files))
	for i, f := range files {
		byPath[f.Path], lying[i] = f, f.lying()
	}
	steps, err := k.steps(ctx, lying, complete, again)
	if err != nil || len(steps) == 0 {
		return err
	}
	if err := k.settle(ctx, steps, byPath); err != nil {
		return err
	}
	// What was new a moment ago can be applied, and what failed for want of it.
	if steps, err = k.steps(ctx, lying, complete, true); err != nil {
		return err
	}
	k.looked.failed, err = k.applyAll(ctx, steps)
	return err
}

// steps says what is to be done.
func (k *Keeper) steps(ctx context.Context, files []blueprint.Lying, complete, again bool) ([]blueprint.Step, error) {
	if err := k.Importer.Wait(ctx); err != nil {
		return nil, err
	}
	held, err := k.Holdings.Holdings(ctx)
	if err != nil {
		return nil, err
	}
	held = slices.DeleteFunc(held, func(h blueprint.Holding) bool { return !k.Importer.Library.Knows(h.Path) })
	return blueprint.Reconcile(files, complete, held, again), nil
}

// settle adds, drops and orphans instances.
func (k *Keeper) settle(ctx context.Context, steps []blueprint.Step, files map[string]File) error {
	steps = slices.DeleteFunc(slices.Clone(steps), func(s blueprint.Step) bool { return s.Do == blueprint.ApplyInstance })
	for some := range slices.Chunk(steps, batch) {
		err := k.Alone(func() error {
			taken := map[string]bool{} // names that the read model does not know yet
			for _, s := range some {
				if err := k.step(ctx, s, files[s.Path], taken); err != nil {
					return fmt.Errorf("%s the instance of %s: %w", s.Do, s.Path, err)
				}
			}
			return k.Importer.Wait(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) step(ctx context.Context, s blueprint.Step, f File, taken map[string]bool) error {
	w := Writer{Via: "blueprint", Meta: k.meta()}
	switch s.Do {
	case blueprint.AddInstance:
		name, err := k.name(ctx, f, taken)
		if err != nil {
			return err
		}
		if name == "" {
			k.Log.Error("blueprint ignored", "path", f.Path, "reason", "its name and its path are names of other instances")
			return nil
		}
		taken[name] = true
		return k.Keep(ctx, k.FoundID(f.Path), Wanted{Name: name, Path: f.Path, Enabled: true, Found: true}, w, true)
	case blueprint.DropInstance:
		k.Log.Info("blueprint is gone, what it made stays", "path", s.Path)
		return k.Drop(ctx, s.ID, w)
	}
	k.Log.Warn("blueprint is gone, its instance stays as an orphan", "path", s.Path, "instance", s.ID)
	note := blueprint.NoteImport{BlueprintImportFinished: blueprint.BlueprintImportFinished{
		Status: blueprint.Orphaned, Logs: []string{errNoFile.Error()},
	}}
	_, err := k.Importer.Imports.Handle(ctx, eventstore.Stream("blueprint", s.ID), note, w.Meta)
	return err
}

// name finds a name for the instance of a file: the one that the file gives
// itself, or its path, or both. Empty if others have all of them.
func (k *Keeper) name(ctx context.Context, f File, taken map[string]bool) (string, error) {
	names := []string{f.Path}
	if own := f.Metadata.Name; own != "" {
		names = []string{own, f.Path, own + " (" + f.Path + ")"}
	}
	for _, name := range names {
		held, err := k.Holdings.Named(ctx, name)
		if err != nil || !held && !taken[name] {
			return name, err
		}
	}
	return "", nil
}

// meta says of what the keeper does by itself that the program is the cause.
func (k *Keeper) meta() codec.Meta {
	m := codec.Meta{Subject: "tenant", Time: k.Importer.Now()}
	m.Header.Actor.Kind = "blueprint"
	return m
}

// rounds bounds how often what failed is tried at one look.
const rounds = 10

// applyAll applies instances. One may need what another makes, in any order, so
// those that fail are tried again as long as others succeed, and only then is
// their failure recorded. It tells whether some failed that are worth another
// try at the next look.
func (k *Keeper) applyAll(ctx context.Context, steps []blueprint.Step) (retry bool, err error) {
	steps = slices.DeleteFunc(slices.Clone(steps), func(s blueprint.Step) bool { return s.Do != blueprint.ApplyInstance })
	var faults []error
	for round := 1; len(steps) > 0; round++ {
		failed, err := k.applyEach(ctx, steps, true)
		faults = append(faults, err)
		progress := len(failed) < len(steps)
		if steps = failed; !progress || round == rounds {
			retry = progress
			break
		}
	}
	_, err = k.applyEach(ctx, steps, false)
	return retry && len(steps) > 0, errors.Join(append(faults, err)...)
}

// enough is after how many errors it is the ledger that is at fault.
const enough = 20

// applyEach applies instances and returns those that failed for a reason of
// their own.
func (k *Keeper) applyEach(ctx context.Context, steps []blueprint.Step, tentative bool) (failed []blueprint.Step, err error) {
	var faults []error
	for _, s := range steps {
		if len(faults) == enough || ctx.Err() != nil {
			break
		}
		err := k.Alone(func() error { return k.Importer.Apply(ctx, s.ID, Application{Meta: k.meta(), Tentative: tentative}) })
		fault, refused := errors.AsType[*blueprint.Error](err)
		switch {
		case refused:
			failed = append(failed, s)
			if !tentative {
				k.Log.Error("blueprint was not applied", "path", s.Path, "instance", s.ID, "reason", fault.Error())
			}
		case err != nil:
			faults = append(faults, fmt.Errorf("apply %s: %w", s.Path, err))
		case tentative:
			k.Log.Info("blueprint applied", "path", s.Path, "instance", s.ID)
		}
	}
	return failed, errors.Join(faults...)
}
