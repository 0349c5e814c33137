package stage_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// An env is what there is to look up: plain lists and maps.
type env struct {
	users       []user.Person
	passwords   map[string]string // by user id
	rehash      domain.Secret
	objects     map[string]any // configurations by id
	sessions    []stage.OtherSession
	complete    bool              // all sessions were asked for, not only those known of
	flows       map[string]string // ids by slug
	verdict     execution.Evaluation
	expressions map[string]any // values by text; the others fail
	broken      error          // of every look-up
	hashes      int            // how many passwords were verified
	typed       map[string]any // what validation policies were asked about
}

// FindUser implements [stage.Env].
func (e *env) FindUser(_ context.Context, fields []string, value string, fold bool) (user.Person, error) {
	same := func(a string) bool { return a == value || fold && strings.EqualFold(a, value) }
	for _, u := range e.users {
		upn, _ := u.Attributes["upn"].(string)
		of := map[string]string{"username": u.Username, "email": u.Email, "upn": upn}
		if slices.ContainsFunc(fields, func(f string) bool { return of[f] != "" && same(of[f]) }) {
			return u, e.broken
		}
	}
	return user.Person{}, e.broken
}

// CheckPassword implements [stage.Env].
func (e *env) CheckPassword(_ context.Context, who user.Person, password string) (stage.Verified, error) {
	e.hashes++
	if e.broken != nil || !who.Exists() || !who.Active || e.passwords[who.ID] != password {
		return stage.Verified{}, e.broken
	}
	return stage.Verified{OK: true, Credential: "c1", Rehash: e.rehash}, nil
}

// Object implements [stage.Env].
func (e *env) Object(_ context.Context, id string) (stage.Object, error) {
	config, ok := e.objects[id]
	if !ok {
		return stage.Object{}, e.broken
	}
	kind := map[bool]string{true: object.FlowModel, false: "authentik_stages_dummy.dummystage"}
	_, isFlow := config.(*object.Flow)
	return stage.Object{Ref: domain.Ref{ID: id, Kind: kind[isFlow], Revision: 1, Name: "object " + id}, Config: config}, e.broken
}

// Sessions implements [stage.Env].
func (e *env) Sessions(_ context.Context, _ string, all bool) ([]stage.OtherSession, error) {
	e.complete = all
	return e.sessions, e.broken
}

// Policies implements [stage.Env].
func (e *env) Policies() stage.Asker { return e }

// FlowBySlug implements [stage.Asker].
func (e *env) FlowBySlug(_ context.Context, slug string) (string, error) {
	return e.flows[slug], e.broken
}

// Validate implements [stage.Asker].
func (e *env) Validate(_ context.Context, _ stage.Input, _ []string, typed map[string]any) (stage.Validation, error) {
	e.typed = typed
	return stage.Validation{Evaluation: e.verdict, Typed: typed}, e.broken
}

// Expression implements [stage.Asker].
func (e *env) Expression(_ context.Context, _ stage.Input, source string, _ map[string]any) (any, error) {
	if v, ok := e.expressions[source]; ok || e.broken != nil {
		return v, e.broken
	}
	return nil, &stage.ExpressionError{Err: errors.New("the expression fails")}
}

// HashPassword implements [stage.Asker].
func (e *env) HashPassword(_ context.Context, password domain.Secret) (domain.Secret, error) {
	return domain.NewSecret("hash of " + password.Reveal()), e.broken
}

var (
	now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

	system = &session.System{Number: 64500}
	ada    = user.Person{
		ID: "u1", Key: 5, Username: "ada", Email: "Ada@example.org", Active: true, Attributes: map[string]any{"upn": "ada@corp", "a": "b"}, Credential: "c1",
	}
	idle    = user.Person{ID: "u2", Key: 6, Username: "idle", Email: "idle@example.org"}
	ghost   = user.Person{Username: "ghost", Email: "ghost"} // somebody who does not exist
	errDown = errors.New("the store does not answer")
	nobody  = user.Person{}
)

func ptr[T any](v T) *T { return &v }

// world is what most tests look up in.
func world() *env {
	return &env{
		users: []user.Person{ada, idle}, passwords: map[string]string{"u1": "right", "u2": "right"},
		objects: map[string]any{
			"enroll": &object.Flow{Name: "Enroll", Slug: "enroll"}, "other": &object.Flow{Name: "Other", Slug: "other"},
			"password": &stage.Password{Backends: []string{stage.InbuiltBackend}, AllowShow: true},
		},
		flows: map[string]string{"other": "other"},
	}
}

// at is a visit of a person to a stage.
func at(e *env, who user.Person) stage.Input {
	return stage.Input{
		Execution: "x1", Name: "the stage", Subject: who, Env: e, Records: &records{},
		Flow: stage.Flow{ID: "f", Flow: object.Flow{
			Name: "Login", Slug: "login", Title: "Welcome, %(user)s!", Designation: "authentication", Layout: "stacked",
		}},
		Entry: execution.Entry{
			Binding: domain.Ref{ID: "b1"}, Stage: domain.Ref{ID: "s1", Name: "the stage"}, Marker: execution.Static, OnInvalid: "retry",
		},
		State: execution.State{
			Status: execution.Running, Session: "sess", Subject: execution.Subject{User: who.ID}, Context: execution.Context{},
			Current: &execution.Current{Binding: "b1", Asked: true, Sequence: 1}, Plan: []execution.Entry{{}},
		},
		Caller: session.Caller{Now: now, BaseURL: "https://id.example.org", Network: session.Network{IP: "192.0.2.1", System: system}},
	}
}

// told is an outcome as tests state it: what is asked is its component.
type told struct {
	Ask      string
	Problems []string // field, code and text
	Refuse   string
	Deny     string // cause and message
	Pass     bool
	Skipped  string
	Learned  execution.Context
	Facts    []execution.Event
	Grounds  execution.Grounds
	Effects  []execution.Effect
	Insert   []execution.Insertion
	Handover *execution.Handover
}

func tell(o execution.Outcome) told {
	switch o := o.(type) {
	case execution.Ask:
		return told{Ask: o.Challenge.Component(), Facts: o.Facts, Handover: o.Handover}
	case execution.Invalid:
		t := told{Ask: o.Again.Challenge.Component(), Refuse: o.Refuse, Learned: o.Learned, Facts: o.Facts, Grounds: o.Grounds, Problems: []string{}}
		for _, p := range o.Problems {
			t.Problems = append(t.Problems, p.Field+" "+p.Code+" "+p.Text)
		}
		return t
	case execution.Deny:
		return told{Deny: strings.TrimSpace(o.Cause + ": " + o.Message)}
	case execution.Pass:
		return told{Pass: true, Skipped: o.Skipped, Learned: o.Learned, Facts: o.Facts, Grounds: o.Grounds, Effects: o.Effects, Insert: o.Insert}
	}
	return told{}
}

var likeness = cmp.Options{cmp.Comparer(domain.Secret.Equal), cmpopts.EquateEmpty()}

func compare(t *testing.T, want told, o execution.Outcome, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got := tell(o)
	if (want.Problems == nil) != (got.Problems == nil) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff(want, got, likeness); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

// problem is what a response is turned down with.
func wrong(component string, problems ...string) told {
	if problems == nil {
		problems = []string{}
	}
	return told{Ask: component, Problems: problems}
}

// onWire is a challenge as clients get it.
func onWire(t *testing.T, in stage.Input, o execution.Outcome) map[string]any {
	t.Helper()
	var c execution.Challenge
	var problems []execution.Problem
	rejected := false
	switch o := o.(type) {
	case execution.Ask:
		c = o.Challenge
	case execution.Invalid:
		c, problems, rejected = o.Again.Challenge, o.Problems, true
	default:
		t.Fatalf("outcome %T has no challenge", o)
	}
	wire, err := stage.Envelope(c, stage.Frame{Flow: in.Flow, User: stage.Shown(in)}, problems, rejected)
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// golden compares a value with a file of its JSON.
func golden(t *testing.T, name string, value any) {
	t.Helper()
	got, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
