package importer

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Held finds instances.
type Held interface {
	// Find returns the id of the instance that has these values, by the names
	// of the contract.
	Find(ctx context.Context, identifiers map[string]any) (id string, ok bool, err error)
}

// An Application asks for an instance to be applied.
type Application struct {
	By   string // id of the user who asks; empty for the program
	Meta codec.Meta
	// Tentative says that a failure need not be recorded: it is tried again.
	Tentative bool
}

// Apply applies an instance as its blueprint is at this moment, and records how
// it ended. That it cannot be applied is a [*blueprint.Error], and nothing is
// changed then. Of one that is disabled, or not there, nothing is applied.
//
// Whatever an earlier attempt began and left behind is carried out first: two
// who do that at once append the same events, so each of them counts once.
func (i *Importer) Apply(ctx context.Context, id string, a Application) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.Wait(ctx); err != nil {
		return err
	}
	s, _, err := i.Imports.Load(ctx, eventstore.Stream("blueprint", id))
	if err != nil || s.Life != blueprint.Kept || !s.Terms.Enabled {
		return err
	}
	j, err := i.job(s, id)
	j.By, j.Meta = a.By, a.Meta
	if s.Import.Status == blueprint.Importing {
		if err := i.resume(ctx, id, s); err != nil {
			return fmt.Errorf("resume import %s: %w", s.Import.ID, err)
		}
		if err == nil && of(s.Import, j.Text, j.Context) {
			return nil // that was it
		}
	}
	var result blueprint.Result
	if err == nil {
		result, err = i.run(ctx, j)
	}
	fault, refused := refusal(j, err)
	switch {
	case refused && a.Tentative:
		return fault
	case refused:
		if err := i.note(ctx, j, uuid.Must(uuid.NewV7()), failure(fault), a.By != ""); err != nil {
			return err
		}
		return fault
	case err != nil || !unchanged(result.Changes):
		return err
	}
	j.models = modelsOf(result.Changes)
	return i.note(ctx, j, uuid.Must(uuid.NewV7()), counted(result.Changes), a.By != "")
}

// of tells whether an import is one of this text and context.
func of(m blueprint.Import, text []byte, with map[string]any) bool {
	packed, err := deflate(text)
	if err != nil || packed != m.Text {
		return false
	}
	variables, err := json.Marshal(with)
	return err == nil && string(variables) == m.Context
}

// refusal tells whether an error is the blueprint's fault, and which.
func refusal(j Job, err error) (*blueprint.Error, bool) {
	if fault, ok := errors.AsType[*blueprint.Error](err); ok {
		return fault, true
	}
	if code, sentence := domain.Explain(err); code == domain.TooLarge {
		return &blueprint.Error{File: j.File, Message: sentence}, true
	}
	return nil, false
}

// Try resolves a text as if it were applied, and changes nothing.
func (i *Importer) Try(ctx context.Context, file string, text []byte, with map[string]any) (blueprint.Result, error) {
	return i.Import(ctx, Job{File: file, Text: text, Context: with, DryRun: true})
}

// job is what it takes to apply an instance. A text that cannot be had is a
// fault of the blueprint.
func (i *Importer) job(s blueprint.State, id string) (Job, error) {
	j := Job{File: s.Terms.Path, Via: "blueprint", instance: id}
	if j.File == "" {
		j.File = s.Terms.Name
	}
	var err error
	if j.Context, j.Text, err = Texts(s.Terms); err != nil {
		return j, err
	}
	if s.Terms.Path == "" {
		return j, nil
	}
	if j.Text, err = i.Library.Read(s.Terms.Path); err != nil {
		return j, &blueprint.Error{File: j.File, Message: err.Error()}
	}
	return j, nil
}

// Texts opens what an instance keeps sealed: its context, and its own text.
func Texts(t blueprint.Terms) (with map[string]any, content []byte, err error) {
	if !t.Context.Empty() {
		if err := json.Unmarshal([]byte(t.Context.Reveal()), &with); err != nil {
			return nil, nil, fmt.Errorf("read the context of %s: %w", t.Name, err)
		}
	}
	if !t.Content.Empty() {
		if content, err = inflate(t.Content.Reveal()); err != nil {
			return nil, nil, fmt.Errorf("read the content of %s: %w", t.Name, err)
		}
	}
	return with, content, nil
}

// note records how applying an instance ended where nothing was started. A
// crash before it leaves things as they were: the next look finds the same.
func (i *Importer) note(ctx context.Context, j Job, id uuid.UUID, done blueprint.BlueprintImportFinished, asked bool) error {
	_, err := i.Imports.Handle(ctx, j.stream(id), blueprint.NoteImport{Asked: asked, BlueprintImportFinished: j.told(done)}, i.meta(j, id, opening))
	if err != nil {
		return err
	}
	return i.Wait(ctx)
}

// Hash is what the contract tells texts by: SHA-512, hexadecimal.
func Hash(text []byte) string {
	sum := sha512.Sum512(text)
	return hex.EncodeToString(sum[:])
}

// told completes what is recorded of an import that ended.
func (j Job) told(done blueprint.BlueprintImportFinished) blueprint.BlueprintImportFinished {
	done.Digest = digest(j.Text)
	if j.instance == "" {
		return done
	}
	if j.Text != nil { // a file that cannot be read has no hash
		done.Hash = Hash(j.Text)
	}
	done.Models = j.models
	doc := j.doc
	if doc == nil {
		doc, _ = blueprint.Parse(j.File, j.Text) // of a faulty text nothing is known
	}
	if doc != nil {
		done.Metadata = blueprint.Metadata{Name: doc.Name, Labels: doc.Labels}
	}
	return done
}

// modelsOf lists the models of what a blueprint touches.
func modelsOf(changes []blueprint.Change) []string {
	var models []string
	for _, c := range changes {
		models = append(models, c.Model)
	}
	slices.Sort(models)
	return slices.Compact(models)
}

// A needed instance is one that a blueprint asks for with metaapplyblueprint.
type needed struct {
	blueprint.Instance
	job   Job
	fault error // why its text cannot be had
}

// needed finds the instance with these identifiers. What the first start
// applies is there without an instance, and is not applied again: it may have
// been changed since.
func (i *Importer) needed(ctx context.Context, identifiers map[string]any) (needed, bool, error) {
	id, ok, err := i.Held.Find(ctx, identifiers)
	if err != nil {
		return needed{}, false, err
	}
	if !ok {
		name, _ := identifiers["name"].(string)
		shipped := len(identifiers) == 1 && slices.Contains(defaults(), name)
		return needed{Instance: blueprint.Instance{ID: "shipped", Enabled: false}}, shipped, nil
	}
	s, _, err := i.Imports.Load(ctx, eventstore.Stream("blueprint", id))
	if err != nil || s.Life != blueprint.Kept {
		return needed{}, false, err
	}
	// A command that works on the ledger knows no folder: its files are left to
	// the server.
	enabled := s.Terms.Enabled && (s.Terms.Path == "" || i.Library.Knows(s.Terms.Path))
	n := needed{Instance: blueprint.Instance{ID: id, Enabled: enabled}}
	n.job, n.fault = i.job(s, id)
	if _, bad := errors.AsType[*blueprint.Error](n.fault); n.fault != nil && !bad {
		return n, false, n.fault
	}
	n.File, n.Text, n.Context = n.job.File, n.job.Text, n.job.Context
	return n, true, nil
}

// defaults are the names of the blueprints that the first start applies.
func defaults() []string {
	var names []string
	for _, f := range blueprint.Defaults() {
		if doc, err := blueprint.Parse(f.Name, f.Text); err == nil {
			names = append(names, doc.Name)
		}
	}
	return names
}

// dependency is the id of the import of an instance that another import asks
// for.
func dependency(id uuid.UUID, instance string) uuid.UUID {
	return uuid.NewSHA1(id, []byte("instance/"+instance))
}

// dependencies applies what a blueprint asked for, in order, each in an import
// of its own. Whether that succeeds is recorded there and does not concern the
// one who asked. A crash after some of them leaves these applied, and the
// blueprint itself as if it had never been tried.
func (i *Importer) dependencies(ctx context.Context, j Job, id uuid.UUID, r blueprint.Result, asked map[string]needed) error {
	for _, d := range r.Dependencies {
		n := asked[d.Instance]
		own, of := n.job, dependency(id, d.Instance)
		own.By, own.Meta, own.models = j.By, j.Meta, modelsOf(d.Changes)
		fault := d.Err
		if n.fault != nil {
			fault = n.fault // which says more than that there is no text
		}
		var err error
		switch {
		case fault != nil:
			err = i.note(ctx, own, of, failure(fault), false)
		case unchanged(d.Changes):
			err = i.note(ctx, own, of, counted(d.Changes), false)
		default:
			if err = i.start(ctx, own, of); err == nil {
				err = i.apply(ctx, of, own, blueprint.Result{Changes: d.Changes})
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// failure is what is recorded of a blueprint that cannot be applied.
func failure(fault error) blueprint.BlueprintImportFinished {
	return blueprint.BlueprintImportFinished{Status: blueprint.Failed, Logs: []string{fault.Error()}}
}
