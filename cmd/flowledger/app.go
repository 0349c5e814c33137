package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/command"
	"github.com/flowledger/flowledger/handlers/executor"
	"github.com/flowledger/flowledger/handlers/importer"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/handlers/outside"
	"github.com/flowledger/flowledger/projections"
)

// A ledger is a store that can tell its end.
type ledger interface {
	eventstore.Store
	Head(ctx context.Context) (eventstore.Position, error)
}

// An app is the program without its HTTP face: the ledger, the read models and
// the shells around the aggregates.
type app struct {
	log   *slog.Logger
	data  string
	temp  string   // folder to remove at the end; empty for none
	lock  *os.File // of the data folder, where the store has none
	store ledger
	vault *vault.Vault
	codec *codec.Codec
	views *projections.Views

	cluster *cluster // nil where nobody else has the ledger

	places *outside.Places // nil where nothing is known of addresses

	objects    *projections.Objects
	users      *projections.Users
	groups     *projections.Groups
	sessions   *projections.Sessions
	tokens     *projections.Tokens
	executions *projections.Executions
	audit      *projections.Audit
	imports    *projections.Imports
	instances  *projections.Instances
	reputation *projections.Reputation
	runner     *projections.Runner

	invitations *projections.Invitations
	consents    *projections.Consents
	roles       *projections.Roles
	subjects    *projections.Subjects

	outgoing      *outgoing
	notifications *projections.Notifications
	revisions     *projections.Revisions
	changes       *projections.Changes
	sources       *projections.Sources
	verdicts      *projections.Verdicts
	accesses      *projections.Accesses
	erasures      *projections.Erasures

	executionHandler command.Handler[execution.State]
	sessionHandler   command.Handler[session.State]
	userHandler      command.Handler[user.State]
	claimHandler     command.Handler[user.Claimed]
	counterHandler   command.Handler[user.Counter]
	groupHandler     command.Handler[group.State]
	tokenHandler     command.Handler[token.State]
	objectHandler    command.Handler[object.State]
	importHandler    command.Handler[blueprint.State]

	invitationHandler command.Handler[invitation.State]
	consentHandler    command.Handler[consent.State]
	roleHandler       command.Handler[role.State]
	keyHandler        command.Handler[key.State]
	retentionHandler  command.Handler[retention.State]

	workerHandler command.Handler[worker.State]
	auditHandler  command.Handler[audit.State]
	mailHandler   command.Handler[mail.State]
	noticeHandler command.Handler[notification.State]
	resendHandler command.Handler[mail.Resends]

	ready    atomic.Bool   // the first start is over
	ending   chan struct{} // closed when requests are to end that would go on for ever
	pool     *account.Pool
	accounts *account.Accounts
	executor *executor.Executor
	importer *importer.Importer
	library  *importer.Library
	keeper   *importer.Keeper
	looks    *looked.Recorder // of who looks at audit data
}

// openLimit bounds the opening of an engine: its store gives up before.
const openLimit = 30 * time.Second

// tenant is part of every data key. There is one tenant.
const tenant = "default"

// open opens what lies in the data folder, and makes what is missing. Nothing
// is replayed.
func open(s storage, log *slog.Logger) (a *app, err error) {
	a = &app{log: log, data: s.data, pool: account.NewPool(), ending: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), openLimit)
	defer cancel()
	if err := a.openLedger(ctx, s); err != nil {
		return a, err
	}
	if err := a.openVault(ctx, s); err != nil {
		return a, err
	}
	a.codec = &codec.Codec{
		Vault: a.vault, Tenant: tenant, Writer: codec.Writer{Version: version(), Instance: uuid.NewString()},
		Leak: func(event, key string) {
			a.log.Error("a secret in a clear field was masked", "event", event, "key", key)
		},
	}
	if err := a.openViews(); err != nil {
		return a, err
	}
	a.wire()
	return a, nil
}

func (a *app) openViews() (err error) {
	if a.views, err = projections.Open(filepath.Join(a.data, "views.db")); err != nil {
		return err
	}
	a.objects, a.users, a.groups = projections.NewObjects(), projections.NewUsers(a.views), projections.NewGroups(a.views)
	a.sessions, a.tokens = projections.NewSessions(a.views), projections.NewTokens(a.views)
	a.invitations, a.subjects = projections.NewInvitations(a.views), projections.NewSubjects(a.views)
	a.consents, a.roles = projections.NewConsents(a.views), projections.NewRoles(a.views)
	a.instances = projections.NewInstances(a.views)
	a.executions, a.imports = projections.NewExecutions(a.views), projections.NewImports(a.views)
	a.audit = projections.NewAudit(a.views, a.store, a.codec, a.vault.Digest)
	a.reputation = projections.NewReputation(a.views, a.store, a.codec, a.vault.Digest)
	a.notifications = projections.NewNotifications(a.views)
	a.revisions = projections.NewRevisions(a.views)
	a.changes, a.sources = projections.NewChanges(a.views, a.store, a.codec), projections.NewSources(a.views)
	a.verdicts, a.accesses, a.erasures = projections.NewVerdicts(a.views), projections.NewAccesses(a.views), projections.NewErasures(a.views)
	a.outgoing = newOutgoing(a, projections.NewDeliveries(a.views))
	a.runner, err = projections.NewRunner(a.store, a.codec, a.views, a.log,
		a.instances,
		a.objects, a.users, a.groups, a.sessions, a.tokens, a.invitations, a.consents, a.subjects, a.executions, a.audit, a.imports, a.reputation,
		a.notifications, a.roles, a.revisions, a.changes, a.sources, a.verdicts, a.accesses, a.erasures, a.outgoing.deliveries, &forgetting{a})
	return err
}

// cached is how many executions and sessions are kept in memory: about as many
// as are under way at a time.
const cached = 4096

// wire puts the shells together.
func (a *app) wire() {
	a.executionHandler = command.Handler[execution.State]{
		Store: a.store, Codec: a.codec, Cache: command.NewCache[execution.State](cached),
	}
	a.sessionHandler = command.Handler[session.State]{Store: a.store, Codec: a.codec, Cache: command.NewCache[session.State](cached)}
	a.userHandler = command.Handler[user.State]{Store: a.store, Codec: a.codec}
	a.claimHandler = command.Handler[user.Claimed]{Store: a.store, Codec: a.codec}
	a.counterHandler = command.Handler[user.Counter]{Store: a.store, Codec: a.codec}
	a.roleHandler = command.Handler[role.State]{Store: a.store, Codec: a.codec}
	// A group can have ten thousand members, and as many events.
	a.groupHandler = command.Handler[group.State]{Store: a.store, Codec: a.codec, Cache: command.NewCache[group.State](64)}
	a.tokenHandler = command.Handler[token.State]{Store: a.store, Codec: a.codec}
	a.consentHandler = command.Handler[consent.State]{Store: a.store, Codec: a.codec}
	a.keyHandler = command.Handler[key.State]{Store: a.store, Codec: a.codec}
	a.retentionHandler = command.Handler[retention.State]{Store: a.store, Codec: a.codec}
	a.invitationHandler = command.Handler[invitation.State]{Store: a.store, Codec: a.codec}
	a.objectHandler = command.Handler[object.State]{Store: a.store, Codec: a.codec}
	a.auditHandler = command.Handler[audit.State]{Store: a.store, Codec: a.codec}
	a.mailHandler = command.Handler[mail.State]{Store: a.store, Codec: a.codec}
	a.noticeHandler = command.Handler[notification.State]{Store: a.store, Codec: a.codec}
	a.resendHandler = command.Handler[mail.Resends]{Store: a.store, Codec: a.codec, Cache: command.NewCache[mail.Resends](cached)}
	a.workerHandler = command.Handler[worker.State]{Store: a.store, Codec: a.codec}
	a.importHandler = command.Handler[blueprint.State]{Store: a.store, Codec: a.codec}

	people := &people{app: a}
	a.accounts = &account.Accounts{
		Users: &a.userHandler, Claims: &a.claimHandler, Counters: &a.counterHandler, Groups: &a.groupHandler,
		Sessions: &a.sessionHandler, Living: people.living, Code: a.vault.Code, Passwords: a.pool, Forget: a.forget, Erase: a.erase,
		Told: (&records{a}).told, Now: time.Now,
	}
	a.executor = &executor.Executor{
		Executions: &a.executionHandler, Sessions: &a.sessionHandler, Users: &a.userHandler, Tokens: &a.tokenHandler,
		Invitations: &a.invitationHandler, Consents: &a.consentHandler,
		Audit: &a.auditHandler, Mails: &a.mailHandler, Resends: &a.resendHandler, Accounts: a.accounts, Objects: a.objectAt, Hidden: a.secretsAt, Definitions: a.objects, People: people, Links: &bearers{app: a},
		Passwords: a.pool, Policies: policy.Env{Directory: people, History: &records{a}}, Secrets: a.vault, Now: time.Now,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Idle: execution.Idle, Wait: a.wait, Log: a.log,
	}
	if a.cluster != nil {
		a.executor.Abreast = a.wait
	}
	a.importer = &importer.Importer{
		Imports: &a.importHandler, Objects: &a.objectHandler, Groups: &a.groupHandler, Roles: &a.roleHandler, Counters: &a.counterHandler,
		Tokens: &a.tokenHandler, Digest: (&directory{a}).Digest,
		Invitations: &a.invitationHandler, Accounts: a.accounts, Look: a.shelf, Users: people, Forget: a.forget, Wait: a.wait,
		Now: time.Now,
	}
	a.looks = &looked.Recorder{Audits: &a.auditHandler, Now: time.Now, NewID: uuid.NewString}
	a.shelve()
	a.ask(outsideFlags{})
}

// objectAt reads a configured thing as of a revision.
func (a *app) objectAt(ctx context.Context, id string, revision int64) (object.Thing, error) {
	s, at, err := a.objectHandler.LoadAt(ctx, eventstore.Stream("object", id), eventstore.Revision(revision))
	if err == nil && s.Status != object.Present {
		err = fmt.Errorf("object %s is not there at revision %d", id, revision)
	}
	return object.Thing{ID: id, Kind: s.Kind, Name: s.Name, Revision: int64(at), Fields: s.Fields}, err
}

// wait returns when the read models have seen all that is in the ledger now.
// Where others append, too, a client is sent away rather than kept waiting,
// but not before the first start is over.
func (a *app) wait(ctx context.Context) error {
	if a.cluster != nil && a.ready.Load() {
		_, err := a.reach(ctx, endOfLedger)
		return err
	}
	head, err := a.store.Head(ctx)
	if err != nil {
		return err
	}
	return a.runner.WaitFor(ctx, head)
}

// close releases everything. The runner must have ended.
func (a *app) close() error {
	var errs []error
	if a.views != nil {
		errs = append(errs, a.views.Close())
	}
	if a.vault != nil {
		errs = append(errs, a.vault.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	if a.temp != "" {
		errs = append(errs, os.RemoveAll(a.temp))
	}
	return errors.Join(errs...)
}

// with opens the app for one job, with read models that follow.
func with(ctx context.Context, s storage, log *slog.Logger, job func(ctx context.Context, a *app) error) (err error) {
	s.guest = true
	a, err := open(s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.runner.Run(ctx) }()
	err = a.wait(ctx)
	if err == nil {
		err = job(ctx, a)
	}
	stop()
	if fault := <-ended; !errors.Is(fault, context.Canceled) {
		err = errors.Join(err, fault)
	}
	return err
}
