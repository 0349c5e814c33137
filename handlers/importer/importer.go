// Package importer puts what a blueprint wishes for into the ledger: all of
// it, or nothing. What the wish amounts to is decided in domain/blueprint.
package importer

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/command"
)

// An Importer applies blueprints, one at a time.
type Importer struct {
	Imports     *command.Handler[blueprint.State]
	Objects     *command.Handler[object.State]
	Groups      *command.Handler[group.State]
	Roles       *command.Handler[role.State]
	Counters    *command.Handler[user.Counter]
	Accounts    *account.Accounts
	Invitations *command.Handler[invitation.State]
	Tokens      *command.Handler[token.State]
	Digest      func(key domain.Secret) domain.Secret // what is stored of a token's key
	Look        func(ctx context.Context) View
	Users       Users
	Forget      func(ctx context.Context, credential string) error // destroys the key of a text
	Wait        func(ctx context.Context) error                    // until the read models have seen all
	Now         func() time.Time
	Library     *Library // where the texts of instances lie
	Held        Held     // the instances that there are

	mu sync.Mutex // held during an import: two would see each other half done
}

// A View shows what exists to one import. What cannot be read looks as if it
// did not exist, so Fault is asked before anything is done.
type View interface {
	blueprint.View
	// Fault returns the first error of reading, if there was one.
	Fault() error
}

// Users finds users by their integer keys.
type Users interface {
	UserID(ctx context.Context, key int) (string, error)
	GroupsOf(ctx context.Context, userID string) ([]string, error)
}

// A Job is one blueprint to apply.
type Job struct {
	File    string
	Text    []byte
	Context map[string]any
	By      string // id of the user who asks
	Via     string // import, blueprint or bootstrap
	Meta    codec.Meta
	DryRun  bool

	instance string              // id of the instance that is applied; empty for none
	doc      *blueprint.Document // what Text says
	models   []string            // what its entries are
}

// maxText bounds the compressed text of a blueprint: it has to fit into an
// event.
const maxText = 180 << 10

// Import validates a blueprint and applies it. A fault of the blueprint is a
// [*blueprint.Error], and nothing is changed then. Applying one that changes
// nothing appends nothing.
func (i *Importer) Import(ctx context.Context, j Job) (blueprint.Result, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.Wait(ctx); err != nil {
		return blueprint.Result{}, err
	}
	return i.run(ctx, j)
}

// run is Import for who holds the lock. What the blueprint depends on is
// applied first, and stands even if the blueprint itself is refused.
func (i *Importer) run(ctx context.Context, j Job) (blueprint.Result, error) {
	doc, err := blueprint.Parse(j.File, j.Text)
	if err != nil {
		return blueprint.Result{}, err
	}
	j.doc = doc
	id := uuid.Must(uuid.NewV7())
	result, needed, err := i.resolve(ctx, j, id)
	if j.DryRun {
		return result, err
	}
	if fault := i.dependencies(ctx, j, id, result, needed); fault != nil {
		return result, fault
	}
	if err != nil || unchanged(result.Changes) {
		return result, err
	}
	if err := i.start(ctx, j, id); err != nil {
		return result, err
	}
	return result, i.apply(ctx, id, j, result)
}

// Resume carries out an import that a crash interrupted. What was applied
// before is found unchanged. If the rest makes no sense any more, because
// others have changed things since, the import ends as it is: it must not keep
// the program from starting.
func (i *Importer) Resume(ctx context.Context, id string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	s, _, err := i.Imports.Load(ctx, eventstore.Stream("blueprint", id))
	if err != nil || s.Import.Status != blueprint.Importing {
		return err
	}
	if err := i.resume(ctx, id, s); err != nil {
		return fmt.Errorf("resume import %s: %w", id, err)
	}
	return nil
}

// resume is Resume for who holds the lock.
func (i *Importer) resume(ctx context.Context, stream string, s blueprint.State) error {
	text, err := inflate(s.Import.Text)
	if err != nil {
		return err
	}
	j := Job{File: s.Import.File, Text: text, By: s.Import.By, Via: s.Import.Via, Meta: codec.Meta{Subject: "tenant", Time: i.Now()}}
	j.Meta.Header.Actor.Kind = "system"
	if stream != s.Import.ID {
		j.instance = stream
	}
	if err := json.Unmarshal([]byte(s.Import.Context), &j.Context); err != nil {
		return err
	}
	if j.doc, err = blueprint.Parse(j.File, j.Text); err != nil {
		return err
	}
	id, err := uuid.Parse(s.Import.ID)
	if err != nil {
		return err
	}
	result, needed, err := i.resolve(ctx, j, id)
	if fault, refused := errors.AsType[*blueprint.Error](err); refused {
		return i.finish(ctx, id, j, failure(fault))
	}
	if err == nil {
		err = i.dependencies(ctx, j, id, result, needed)
	}
	if err != nil {
		return err
	}
	err = i.apply(ctx, id, j, result)
	if limit, refused := errors.AsType[*eventstore.LimitError](err); refused {
		return i.finish(ctx, id, j, failure(limit)) // it would be refused for ever
	}
	return err
}

func unchanged(changes []blueprint.Change) bool {
	return !slices.ContainsFunc(changes, func(c blueprint.Change) bool { return c.Action != blueprint.Unchanged })
}

// resolve turns the wish into changes, and tells which instances it asked for.
// New users need keys, which are taken only when something is to be done.
func (i *Importer) resolve(ctx context.Context, j Job, id uuid.UUID) (blueprint.Result, map[string]needed, error) {
	counter, _, err := i.Counters.Load(ctx, eventstore.Stream("counter", "user"))
	if err != nil {
		return blueprint.Result{}, nil, err
	}
	wanted := 0
	result, asked, err := i.look(ctx, j, id, func() int { wanted++; return counter.Last + wanted })
	_, refused := errors.AsType[*blueprint.Error](err)
	if err != nil && !refused || wanted == 0 || j.DryRun || refused && unchanged(result.All()) {
		return result, asked, err
	}
	var keys []int
	for range wanted {
		key, err := i.Accounts.Key(ctx, j.Meta)
		if err != nil {
			return result, asked, err
		}
		keys = append(keys, key)
	}
	return i.look(ctx, j, id, func() int {
		key := keys[0]
		keys = keys[1:]
		return key
	})
}

// look resolves a document against what exists at this moment.
func (i *Importer) look(ctx context.Context, j Job, id uuid.UUID, nextKey func() int) (blueprint.Result, map[string]needed, error) {
	view := i.Look(ctx)
	asked := map[string]needed{}
	var faults []error
	seed := func(instance string) uuid.UUID {
		if instance == j.instance {
			return id
		}
		return dependency(id, instance)
	}
	env := blueprint.Env{
		Context: j.Context, Self: j.instance, Getenv: getenv, ReadFile: readFile, NextUserPK: nextKey,
		NewID: func(key string) string {
			instance, _, _ := strings.Cut(key, "#")
			return uuid.NewSHA1(seed(instance), []byte(key)).String()
		},
		MadeUser: func(pk string) bool {
			made, err := i.made(ctx, pk, id, asked)
			faults = append(faults, err)
			return made
		},
		Instance: func(identifiers map[string]any) (blueprint.Instance, bool) {
			n, ok, err := i.needed(ctx, identifiers)
			if faults = append(faults, err); ok {
				asked[n.ID] = n
			}
			return n.Instance, ok
		},
	}
	result, err := j.doc.Resolve(view, env)
	if fault := errors.Join(append(faults, view.Fault())...); fault != nil {
		return blueprint.Result{}, nil, fmt.Errorf("look at what exists: %w", fault)
	}
	if fault := fits(j, result.All()); fault != nil && err == nil {
		return blueprint.Result{Logs: result.Logs}, asked, fault
	}
	return result, asked, err
}

// made tells whether an import, or that of an instance that it asked for, made
// the user with this key.
func (i *Importer) made(ctx context.Context, pk string, id uuid.UUID, asked map[string]needed) (bool, error) {
	key, err := strconv.Atoi(pk)
	if err != nil {
		return false, err
	}
	who, err := i.Users.UserID(ctx, key)
	if err != nil || who == "" {
		return false, err
	}
	s, _, err := i.Accounts.Users.Load(ctx, eventstore.Stream("user", who))
	if err != nil || who == userID(id, s.Username) {
		return err == nil, err
	}
	for instance := range asked {
		if who == userID(dependency(id, instance), s.Username) {
			return true, nil
		}
	}
	return false, nil
}

// userID is the id of a user whom an import makes. It does not follow from the
// key, which is another one when the import is resumed: the name may be
// claimed already.
func userID(importID uuid.UUID, username string) string {
	return uuid.NewSHA1(importID, []byte("user/"+username)).String()
}

// start records the import with its text. A crash after it leaves a promise
// that the next start keeps.
func (i *Importer) start(ctx context.Context, j Job, id uuid.UUID) error {
	text, err := deflate(j.Text)
	if err != nil {
		return err
	}
	if len(text) > maxText {
		return domain.Errorf(domain.TooLarge, "The blueprint is too large.")
	}
	variables, err := json.Marshal(j.Context)
	if err != nil {
		return err
	}
	file := j.File
	if j.Via != "bootstrap" {
		file = path.Base(file) // where it lies on somebody's machine is nobody's business
	}
	started := blueprint.BlueprintImportStarted{
		Import: id.String(), File: file, Digest: digest(j.Text), By: j.By, Via: j.Via,
		Text: domain.NewSecret(text), Context: domain.NewSecret(string(variables)),
	}
	_, err = i.Imports.Handle(ctx, j.stream(id), blueprint.StartImport{BlueprintImportStarted: started}, i.meta(j, id, opening))
	return err
}

// stream is where the import is recorded: that of the instance, or one of its
// own.
func (j Job) stream(id uuid.UUID) eventstore.StreamID {
	return eventstore.Stream("blueprint", cmp.Or(j.instance, id.String()))
}

// digest is the SHA-256 of a text.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// opening is the step of an import that its other steps follow from.
const opening = "start"

// meta says of an append of an import what it belongs to. Its event ids follow
// from the thing, not from its place in the list: the list is shorter after a
// crash.
func (i *Importer) meta(j Job, id uuid.UUID, of string) codec.Meta {
	m := j.Meta
	m.Header.Correlation, m.Time = id.String(), i.Now()
	if of != opening {
		// The start of the import is an event with its id. It carries the
		// network, too, once for all.
		m.Header.Causation, m.Network = id.String(), nil
	}
	if m.Subject == "" {
		m.Subject = "tenant"
	}
	m.Command = uuid.NewSHA1(id, []byte(of))
	return m
}

func deflate(text []byte) (string, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func inflate(text string) ([]byte, error) {
	return io.ReadAll(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text))))
}
