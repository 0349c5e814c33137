// Package importer puts what a blueprint wishes for into the ledger: all of
// it, or nothing. What the wish amounts to is decided in domain/blueprint.
package importer

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
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
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/command"
)

// An Importer applies blueprints, one at a time.
type Importer struct {
	Imports     *command.Handler[blueprint.Import]
	Objects     *command.Handler[object.State]
	Groups      *command.Handler[group.State]
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
	doc, err := blueprint.Parse(j.File, j.Text)
	if err != nil {
		return blueprint.Result{}, err
	}
	id := uuid.Must(uuid.NewV7())
	result, err := i.resolve(ctx, doc, j, id)
	if err != nil || j.DryRun || unchanged(result) {
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
	if err != nil || s.Status != blueprint.Importing {
		return err
	}
	text, err := inflate(s.Text)
	if err != nil {
		return fmt.Errorf("resume import %s: %w", id, err)
	}
	j := Job{File: s.File, Text: text, By: s.By, Via: s.Via, Meta: codec.Meta{Subject: "tenant", Time: i.Now()}}
	j.Meta.Header.Actor.Kind = "system"
	if err := json.Unmarshal([]byte(s.Context), &j.Context); err != nil {
		return fmt.Errorf("resume import %s: %w", id, err)
	}
	doc, err := blueprint.Parse(j.File, j.Text)
	if err != nil {
		return fmt.Errorf("resume import %s: %w", id, err)
	}
	key, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("resume import %s: %w", id, err)
	}
	result, err := i.resolve(ctx, doc, j, key)
	if _, refused := errors.AsType[*blueprint.Error](err); refused {
		return i.finish(ctx, key, j, blueprint.BlueprintImportFinished{Status: "error"})
	}
	if err != nil {
		return fmt.Errorf("resume import %s: %w", id, err)
	}
	return i.apply(ctx, key, j, result)
}

func unchanged(r blueprint.Result) bool {
	for _, c := range r.Changes {
		if c.Action != blueprint.Unchanged {
			return false
		}
	}
	return true
}

// resolve turns the wish into changes. New users need keys, which are taken
// only when the rest is known to be good.
func (i *Importer) resolve(ctx context.Context, doc *blueprint.Document, j Job, id uuid.UUID) (blueprint.Result, error) {
	counter, _, err := i.Counters.Load(ctx, eventstore.Stream("counter", "user"))
	if err != nil {
		return blueprint.Result{}, err
	}
	wanted := 0
	env := blueprint.Env{
		Context: j.Context, Getenv: os.LookupEnv, ReadFile: readFile,
		NewID:      func(key string) string { return uuid.NewSHA1(id, []byte(key)).String() },
		NextUserPK: func() int { wanted++; return counter.Last + wanted },
		Instance:   func(map[string]any) (blueprint.Instance, bool) { return blueprint.Instance{}, false },
	}
	result, err := i.look(ctx, doc, env, id)
	if err != nil || wanted == 0 || j.DryRun {
		return result, err
	}
	var keys []int
	for range wanted {
		key, err := i.Accounts.Key(ctx, j.Meta)
		if err != nil {
			return result, err
		}
		keys = append(keys, key)
	}
	env.NextUserPK = func() int {
		key := keys[0]
		keys = keys[1:]
		return key
	}
	return i.look(ctx, doc, env, id)
}

// look resolves a document against what exists at this moment.
func (i *Importer) look(ctx context.Context, doc *blueprint.Document, env blueprint.Env, id uuid.UUID) (blueprint.Result, error) {
	view := i.Look(ctx)
	var fault error
	env.MadeUser = func(pk string) bool {
		made, err := i.made(ctx, id, pk)
		fault = errors.Join(fault, err)
		return made
	}
	result, err := doc.Resolve(view, env)
	if fault = errors.Join(fault, view.Fault()); fault != nil {
		return blueprint.Result{}, fmt.Errorf("look at what exists: %w", fault)
	}
	return result, err
}

// made tells whether an import made the user with this key.
func (i *Importer) made(ctx context.Context, id uuid.UUID, pk string) (bool, error) {
	key, err := strconv.Atoi(pk)
	if err != nil {
		return false, err
	}
	who, err := i.Users.UserID(ctx, key)
	if err != nil || who == "" {
		return false, err
	}
	s, _, err := i.Accounts.Users.Load(ctx, eventstore.Stream("user", who))
	return who == userID(id, s.Username), err
}

// userID is the id of a user whom an import makes. It does not follow from the
// key, which is another one when the import is resumed: the name may be
// claimed already.
func userID(importID uuid.UUID, username string) string {
	return uuid.NewSHA1(importID, []byte("user/"+username)).String()
}

// readFile reads for !File: small regular files that anybody on the machine
// may read, so that a blueprint cannot fetch the server's own keys.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o004 == 0 || info.Size() > 64<<10 {
		return nil, errors.New("not a small file that everybody may read")
	}
	return os.ReadFile(path)
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
	_, err = i.Imports.Handle(ctx, eventstore.Stream("blueprint", id.String()), blueprint.StartImport{BlueprintImportStarted: started}, i.meta(j, id, opening))
	return err
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
