package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/importer"
	"github.com/flowledger/flowledger/projections"
)

// administrator is the first user there is.
const administrator = "akadmin"

// bootstrap finishes what a crash interrupted, applies the shipped blueprints
// that were never applied, and leads a newcomer to a working administrator.
// Each part looks at what is there, so it may be interrupted anywhere.
func (a *app) bootstrap(ctx context.Context, cfg config, out io.Writer, address net.Addr) error {
	if err := a.wait(ctx); err != nil {
		return err
	}
	unfinished, err := a.imports.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, id := range unfinished {
		if err := a.importer.Resume(ctx, id); err != nil {
			return err
		}
	}
	first, err := a.shipped(ctx)
	if err != nil {
		return err
	}
	who, err := a.users.FindPerson(ctx, []string{"username"}, administrator, false)
	if err != nil || !who.Exists() {
		return err
	}
	// Until akadmin has a password the first start is not over: a crash may
	// have cut it short.
	if first || !who.Usable {
		if err := a.firstAdministrator(ctx, cfg, who); err != nil {
			return err
		}
		if who, err = a.users.Person(ctx, who.ID); err != nil {
			return err
		}
	}
	if who.Usable {
		return nil
	}
	return a.setupLink(ctx, cfg, out, address, who)
}

// shipped applies the shipped blueprints that were never applied, and tells
// whether there were any.
func (a *app) shipped(ctx context.Context) (any bool, err error) {
	for _, f := range blueprint.Defaults() {
		done, err := a.imports.Applied(ctx, f.Name)
		if err != nil {
			return any, err
		}
		if done {
			continue
		}
		any = true
		if _, err := a.importer.Import(ctx, importer.Job{File: f.Name, Text: f.Text, Via: "bootstrap", Meta: bootstrapMeta()}); err != nil {
			return any, fmt.Errorf("apply the shipped blueprint %s: %w", f.Name, err)
		}
	}
	return any, nil
}

func bootstrapMeta() codec.Meta {
	m := system("tenant")
	m.Header.Actor.Kind = "blueprint"
	return m
}

// firstAdministrator takes over what was given on the command line. The
// password comes last, for with it the first start is over; doing the rest
// again changes nothing.
func (a *app) firstAdministrator(ctx context.Context, cfg config, who user.Person) error {
	w := account.Writer{Via: "bootstrap", Meta: system("user:" + who.ID)}
	if cfg.bootstrapToken != "" {
		id := uuid.NewSHA1(uuid.NameSpaceOID, []byte("bootstrap-token/"+who.ID)).String()
		if err := a.putToken(ctx, id, token.Create{
			Intent: token.API, User: who.ID, Identifier: "authentik-bootstrap-token", Producer: "bootstrap",
		}, cfg.bootstrapToken); err != nil {
			return err
		}
	}
	if cfg.bootstrapEmail != "" {
		if _, err := a.accounts.Write(ctx, who.ID, user.Fields{Email: &cfg.bootstrapEmail}, w); err != nil {
			return err
		}
	}
	if cfg.bootstrapPassword != "" {
		if err := a.accounts.SetPassword(ctx, who.ID, domain.NewSecret(cfg.bootstrapPassword), w); err != nil {
			return err
		}
	}
	return a.wait(ctx)
}

// createToken makes a token with this key, and returns its id.
func (a *app) createToken(ctx context.Context, c token.Create, key string) (string, error) {
	id := uuid.Must(uuid.NewV7()).String()
	return id, a.putToken(ctx, id, c, key)
}

// putToken makes a token with this id and key, of which only a digest is kept.
func (a *app) putToken(ctx context.Context, id string, c token.Create, key string) error {
	c.Digest, c.Credential = domain.NewSecret((&bearers{app: a}).digest(key)), uuid.NewString()
	_, err := a.tokenHandler.Handle(ctx, eventstore.Stream("token", id), c, system("user:"+c.User))
	return err
}

// newKey makes the key of a token: 256 bits.
func newKey() string { return rand.Text() + rand.Text() }

// setupTTL is how long the set-up link works. A restart prints another.
const setupTTL = 24 * time.Hour

// sameStart is how far apart nodes are that were started together: only the
// first one prints a link, for each link ends the one before.
const sameStart = time.Minute

// reachable is the address under which a browser on this machine finds a
// listener, also one that listens everywhere.
func reachable(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return address.String()
}

// setupLink prints the link that leads to the first password. Links of earlier
// starts stop working.
func (a *app) setupLink(ctx context.Context, cfg config, out io.Writer, address net.Addr, who user.Person) error {
	flow, ok := a.objects.FlowBySlug("initial-setup")
	if !ok {
		return nil // somebody removed it: there are other ways to set a password
	}
	old, _, err := a.tokens.List(ctx, projections.TokenFilter{Identifier: token.Setup}, "", projections.Page{})
	if err != nil {
		return err
	}
	for _, t := range old {
		if a.cluster != nil && time.Since(t.Created) < sameStart {
			_, err := fmt.Fprintf(out, "Another node has just printed the link that sets up the administrator %s. To get another, start again in a minute.\n", administrator)
			return err
		}
		if _, err := a.tokenHandler.Handle(ctx, eventstore.Stream("token", t.ID), token.Revoke{Cause: "replaced"}, system("tenant")); err != nil {
			return err
		}
	}
	key := newKey()
	if _, err := a.createToken(ctx, token.Create{
		Intent: token.Verification, Flow: flow.ID, User: who.ID, Identifier: token.Setup, Producer: "bootstrap",
		Expiring: true, Expires: time.Now().Add(setupTTL),
	}, key); err != nil {
		return err
	}
	if err := a.wait(ctx); err != nil {
		return err
	}
	base := cfg.baseURL
	if base == "" {
		base = "http://" + reachable(address)
	}
	_, err = fmt.Fprintf(out, "Set up the administrator %s here: %s/if/flow/initial-setup/?flow_token=%s\n", administrator, base, key)
	return err
}
