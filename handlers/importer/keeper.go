package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A Keeper keeps blueprint instances: it adds, changes and drops them, and makes
// them agree with the files in the library.
type Keeper struct {
	Importer *Importer
	Holdings Holdings
	FoundID  func(path string) string // of the instance that a file gets: the same one each time
	// Alone runs do while nobody else judges a change on what is read.
	Alone func(do func() error) error
	Again time.Duration // after which everything is read and what failed is tried again
	Log   *slog.Logger

	looked lately
}

// Holdings are the instances as the read model has them.
type Holdings interface {
	// Holdings lists those that name a file.
	Holdings(ctx context.Context) ([]blueprint.Holding, error)
	// Named tells whether there is an instance with this name.
	Named(ctx context.Context, name string) (bool, error)
}

// Wanted is what somebody wants an instance to be.
type Wanted struct {
	Name    string
	Path    string
	Content []byte
	Context map[string]any
	Enabled bool
	Found   bool // it is for a file that lies there
}

// A Writer is who writes instances, and how.
type Writer struct {
	By   string
	Via  string // api or blueprint
	Meta codec.Meta
}

// Keep adds an instance, or changes one. The texts that it had are readable
// until their key is destroyed: a crash before that leaves them to whoever has
// the keys.
func (k *Keeper) Keep(ctx context.Context, id string, want Wanted, w Writer, create bool) error {
	terms, err := want.terms()
	if err != nil {
		return err
	}
	stream := eventstore.Stream("blueprint", id)
	old, _, err := k.Importer.Imports.Load(ctx, stream)
	if err != nil {
		return err
	}
	s, err := k.Importer.Imports.Handle(ctx, stream, blueprint.Keep{Terms: terms, By: w.By, Via: w.Via, Create: create}, w.Meta)
	if err != nil || s.Terms.CredentialID == old.Terms.CredentialID {
		return err
	}
	return k.forget(ctx, old.Terms)
}

// Drop ends an instance, and forgets its texts. What it made stays.
func (k *Keeper) Drop(ctx context.Context, id string, w Writer) error {
	stream := eventstore.Stream("blueprint", id)
	old, _, err := k.Importer.Imports.Load(ctx, stream)
	if err != nil {
		return err
	}
	if _, err := k.Importer.Imports.Handle(ctx, stream, blueprint.Drop{By: w.By, Via: w.Via}, w.Meta); err != nil {
		return err
	}
	return k.forget(ctx, old.Terms)
}

// forget destroys the key of an instance's texts, if it has any.
func (k *Keeper) forget(ctx context.Context, t blueprint.Terms) error {
	if t.Content.Empty() && t.Context.Empty() {
		return nil
	}
	return k.Importer.Forget(ctx, t.CredentialID)
}

// terms are what is recorded.
func (w Wanted) terms() (blueprint.Terms, error) {
	t := blueprint.Terms{
		Name: w.Name, Path: w.Path, Source: blueprint.Internal, Enabled: w.Enabled, Found: w.Found, CredentialID: uuid.NewString(),
		ContextKeys: slices.Sorted(maps.Keys(w.Context)),
	}
	if w.Path != "" {
		t.Source = blueprint.FromFile
	}
	if len(w.Context) > 0 {
		text, err := json.Marshal(w.Context)
		if err != nil {
			return t, fmt.Errorf("write the context of %s: %w", w.Name, err)
		}
		t.Context = domain.NewSecret(string(text))
	}
	if len(w.Content) > 0 {
		text, err := deflate(w.Content)
		if err != nil {
			return t, err
		}
		if len(text) > maxText {
			return t, domain.Errorf(domain.TooLarge, "The blueprint is too large.")
		}
		t.Content = domain.NewSecret(text)
	}
	return t, nil
}
