package executor_test

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"sync"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// fields are those of a configured thing.
type fields map[string]any

// with adds to fields.
func (f fields) with(more fields) fields {
	out := maps.Clone(f)
	if out == nil {
		out = fields{}
	}
	maps.Copy(out, more)
	return out
}

// id makes an id that follows from a name.
func id(name string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String() }

// put makes or changes a configured thing.
func (w *world) put(kind, name string, f fields) string {
	w.t.Helper()
	_, err := w.objects.Handle(w.t.Context(), eventstore.Stream("object", id(name)),
		object.Put{Kind: kind, Fields: f, Via: "api"}, w.meta())
	if err != nil {
		w.t.Fatalf("put %s: %v", name, err)
	}
	return id(name)
}

// A step is a stage in its place, with what is bound to it.
type step struct {
	name     string
	kind     string
	stage    fields
	binding  fields
	policies []rule
}

// A rule is an expression in its place.
type rule struct {
	source  string
	binding fields
}

// flow makes a flow of steps.
func (w *world) flow(slug string, f fields, steps ...step) string {
	w.t.Helper()
	flow := w.put(object.FlowModel, slug, fields{
		"name": slug, "slug": slug, "title": slug, "designation": "stage_configuration",
	}.with(f))
	for i, s := range steps {
		w.bind(flow, fmt.Sprint(slug, "/", i), i, s)
	}
	w.sync()
	return flow
}

func (w *world) bind(flow, path string, order int, s step) {
	w.t.Helper()
	if s.name == "" {
		s.name = path
	}
	kind := "authentik_stages_" + s.kind
	stage := w.put(kind, s.name, fields{"name": s.name}.with(s.stage))
	binding := w.put(object.StageBindingModel, path+"/binding", fields{
		"target": flow, "stage": stage, "order": order,
	}.with(s.binding))
	w.rules(binding, path, s.policies)
}

// rules binds expressions to a target.
func (w *world) rules(target, path string, rules []rule) {
	w.t.Helper()
	for i, r := range rules {
		name := fmt.Sprint(path, "/policy", i)
		p := w.put("authentik_policies_expression.expressionpolicy", name, fields{"name": name, "expression": r.source})
		w.put(object.PolicyBindingModel, name+"/binding", fields{"policy": p, "target": target, "order": i}.with(r.binding))
	}
	w.sync()
}

// The stages that most flows are made of.
func dummy(policies ...rule) step { return step{kind: "dummy.dummystage", policies: policies} }

func identification() step {
	return step{name: "identification", kind: "identification.identificationstage", stage: fields{"user_fields": []any{"email", "username"}}}
}

func password() step {
	return step{name: "password", kind: "password.passwordstage", stage: fields{"backends": []any{"authentik.core.auth.InbuiltBackend"}}}
}

func login() step { return step{name: "login", kind: "user_login.userloginstage"} }

func mfa(source string) step {
	return step{
		name: "mfa", kind: "authenticator_validate.authenticatorvalidatestage", policies: []rule{{source: source}},
		stage: fields{"not_configured_action": "skip"},
	}
}

// signIn is the flow of spec/events.md 11.
func (w *world) signIn() {
	w.t.Helper()
	w.flow("signin", fields{"designation": "authentication", "authentication": "require_unauthenticated"},
		identification(), password(), mfa("return False"), login())
}

// user makes a user, whose password is the name and "!".
func (w *world) user(name string) string {
	w.t.Helper()
	email := name + "@example.org"
	n := account.New{ID: id(name), Fields: user.Fields{Username: &name, Email: &email, Name: &name}, Hash: cheap(name + "!")}
	if _, err := w.accounts.Create(w.t.Context(), n, account.Writer{Via: "api", Meta: w.meta()}); err != nil {
		w.t.Fatal(err)
	}
	w.sync()
	return id(name)
}

// hashes keeps what was hashed: goroutines share worlds.
var hashes sync.Map

// cheap is a password's stored form that costs nothing.
func cheap(password string) domain.Secret {
	if known, ok := hashes.Load(password); ok {
		return known.(domain.Secret)
	}
	sum, err := pbkdf2.Key(sha256.New, password, []byte("salt"), 1, 32)
	if err != nil {
		panic(err)
	}
	made := domain.NewSecret("pbkdf2_sha256$1$salt$" + base64.StdEncoding.EncodeToString(sum))
	hashes.Store(password, made)
	return made
}

// A browser visits flows in a session.
type browser struct {
	w      *world
	caller session.Caller
}

// browser begins a session.
func (w *world) browser(name string) *browser {
	w.t.Helper()
	b := &browser{w: w, caller: session.Caller{
		Session: id(name), Network: session.Network{IP: "192.0.2.1"}, Request: "request-" + name, BaseURL: "http://test",
	}}
	_, err := w.Sessions.Handle(w.t.Context(), eventstore.Stream("session", b.caller.Session), session.Begin{
		Kind: "browser", Now: w.clock(), Expires: w.clock().Add(24 * 365 * 3600e9),
	}, w.meta())
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// as logs a user in without any flow.
func (b *browser) as(userID string) *browser {
	b.w.t.Helper()
	_, err := b.w.Sessions.Handle(b.w.t.Context(), eventstore.Stream("session", b.caller.Session), session.Authenticate{
		User: userID, Execution: "none", Now: b.w.clock(), Expires: b.w.clock().Add(24 * 365 * 3600e9),
	}, b.w.meta())
	if err != nil {
		b.w.t.Fatal(err)
	}
	b.w.sync()
	b.caller.User = userID
	return b
}

// try makes one request.
func (b *browser) try(v execution.Visit) (execution.Answer, error) {
	v.Caller = b.caller
	v.Caller.Now = b.w.clock()
	if v.Entry == "" {
		v.Entry = "api"
	}
	if v.Query == nil {
		v.Query = url.Values{}
	}
	a, err := b.w.Visit(b.w.t.Context(), v)
	if err == nil && a.Renew {
		s, _, err := b.w.Sessions.Load(b.w.t.Context(), eventstore.Stream("session", b.caller.Session))
		if err != nil {
			b.w.t.Error(err)
		}
		b.caller.User = s.User
	}
	return a, err
}

// visit makes one request, which has to succeed.
func (b *browser) visit(v execution.Visit) execution.Answer {
	b.w.t.Helper()
	a, err := b.try(v)
	if err != nil {
		b.w.t.Fatalf("visit %s: %v", v.Slug, err)
	}
	return a
}

func (b *browser) get(slug string) execution.Answer {
	b.w.t.Helper()
	return b.visit(execution.Visit{Slug: slug})
}

// post answers, and fetches what comes then if the stage is passed.
func (b *browser) post(slug, body string) execution.Answer {
	b.w.t.Helper()
	a := b.visit(execution.Visit{Slug: slug, Response: []byte(body)})
	if a.Advanced {
		return b.get(slug)
	}
	return a
}

// said puts an answer into a word or two.
func said(a execution.Answer) string {
	if a.Advanced {
		return "302"
	}
	text, _ := a.Challenge["component"].(string)
	for _, key := range []string{"name", "to", "error_message", "request_id"} {
		if more, ok := a.Challenge[key].(string); ok {
			text += " " + more
		}
	}
	if errors, ok := a.Challenge["response_errors"]; ok {
		text += fmt.Sprint(" ", errors)
	}
	return text
}
