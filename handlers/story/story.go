// Package story tells executions to people who were not there: what happened,
// why each decision fell, and what was known at any moment. It opens what is
// sealed for execution and masks what is secret; who may ask is not its
// concern.
package story

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// A Teller tells executions. All fields must be set.
type Teller struct {
	Store    Store
	Codec    Codec
	People   People
	Objects  Objects
	ObjectAt func(ctx context.Context, id string, revision int64) (object.Thing, error)
	Index    Index
}

// Store is the ledger, for reading.
type Store interface {
	ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error]
}

// Codec opens events.
type Codec interface {
	Decode(ctx context.Context, r eventstore.Recorded) (codec.Decoded, error)
}

// People knows the living.
type People interface {
	Person(ctx context.Context, id string) (user.Person, error)
}

// Objects are the configured things as they are now.
type Objects interface {
	Thing(id string) (object.Thing, bool)
}

// Index finds what belongs to an execution in other streams.
type Index interface {
	Timeline(ctx context.Context, execution string) ([]projections.Entry, error)
}

// A Story is what happened in an execution, in the order of the ledger.
type Story struct {
	ID      string    `json:"pk"`
	Started time.Time `json:"started"`
	Steps   []Step    `json:"steps"`
}

// A Step is one event, in words.
type Step struct {
	Own       bool                `json:"own"`      // of the execution's stream; others are what it caused elsewhere
	At        eventstore.Revision `json:"revision"` // of the execution by then
	Stream    eventstore.StreamID `json:"stream"`
	Revision  eventstore.Revision `json:"stream_revision"`
	Position  eventstore.Position `json:"-"`
	Event     string              `json:"event"` // id
	Type      string              `json:"type"`
	Time      time.Time           `json:"time"`
	Offset    time.Duration       `json:"-"` // since the start
	Since     time.Duration       `json:"-"` // since the step before
	Waited    bool                `json:"-"` // that time was the client's
	Sentence  string              `json:"sentence"`
	Details   []string            `json:"details,omitempty"`
	Stage     domain.Ref          `json:"stage,omitzero"` // whose turn it was
	Forgotten []Forgotten         `json:"forgotten,omitempty"`
	Decision  *Decision           `json:"decision,omitempty"`
	Concerns  execution.BindingID `json:"-"` // the place in the flow that it is about
	Evidence  string              `json:"-"` // id of the evaluation that it rests on
}

// A Forgotten says that a part of an event can no longer be read, and since
// when.
type Forgotten struct {
	Class string    `json:"class"` // in words
	Since time.Time `json:"since"`
}

// classes are the classes of sealed data, in words.
var classes = map[domain.Sealed]string{
	domain.Profile: "who it was", domain.Trace: "what is personal", domain.Network: "where it came from",
	domain.Credential: "credentials", domain.Transient: "secrets",
}

func forgotten(d codec.Decoded) (out []Forgotten) {
	for _, f := range d.Forgotten {
		out = append(out, Forgotten{Class: classes[f.Class], Since: f.Since})
	}
	return out
}

// noExecution says that there is none.
func noExecution(id string) error {
	return domain.Errorf(domain.NotFound, "There is no execution %q.", id)
}

// Story tells an execution from its start, with what it caused in other
// streams. It fails with NotFound when there is no such execution.
func (t *Teller) Story(ctx context.Context, id string) (Story, error) {
	p, err := t.Past(ctx, id)
	if err != nil {
		return Story{}, err
	}
	return p.Story(ctx)
}

// State returns the state of an execution as of a revision, the newest for one
// that is beyond all. It fails with NotFound when there is no such execution,
// and with Invalid when that ends before.
func (t *Teller) State(ctx context.Context, id string, at eventstore.Revision) (Snapshot, error) {
	p, err := t.Past(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	return p.State(ctx, at)
}

// Decisions explains what policies decided in an execution. It fails with
// NotFound when there is no such execution.
func (t *Teller) Decisions(ctx context.Context, id string) ([]Decision, error) {
	p, err := t.Past(ctx, id)
	if err != nil {
		return nil, err
	}
	return p.Decisions(), nil
}

// A Past is an execution as it was read once.
type Past struct {
	ID     string
	events []happened
	tale   tale
}

// happened is an event of an execution with the state in front of it.
type happened struct {
	codec.Decoded
	event  execution.Event
	before execution.State
}

// Past reads an execution. It fails with NotFound when there is none.
func (t *Teller) Past(ctx context.Context, id string) (*Past, error) {
	p := &Past{ID: id, tale: tale{Teller: t, ctx: ctx}}
	var state execution.State
	for e, err := range t.Store.ReadStream(ctx, eventstore.Stream("execution", id), 0) {
		if err != nil {
			return nil, err
		}
		decoded, err := t.Codec.Decode(ctx, e)
		if err != nil {
			return nil, err
		}
		event, ok := decoded.Event.(execution.Event)
		if !ok {
			return nil, fmt.Errorf("revision %d is a %s, which is no event of an execution", e.Revision, e.Type)
		}
		p.events = append(p.events, happened{decoded, withID(event, e.ID.String()), state})
		state = event.Evolve(state)
	}
	if len(p.events) == 0 {
		return nil, noExecution(id)
	}
	return p, nil
}

// Last returns the revision of the newest event.
func (p *Past) Last() eventstore.Revision { return p.events[len(p.events)-1].Revision }

// after returns the state behind an event.
func (p *Past) after(i int) execution.State { return p.events[i].event.Evolve(p.events[i].before) }

// withID puts the id of an evaluation back, which is the event's own.
func withID(event execution.Event, id string) execution.Event {
	switch e := event.(type) {
	case execution.PolicyEvaluated:
		e.ID = id
		return e
	case execution.PolicyDenied:
		e.ID = id
		return e
	}
	return event
}
