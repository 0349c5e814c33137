package projections

import (
	"context"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Changes are what people and programs changed of what the engine runs on:
// configuration, users, groups, roles, tokens and keys. It is an index: which
// fields changed is known by name alone, and what they were and are is read
// from the ledger when somebody asks.
//
// A change bears on a flow if an execution of it would have met what changed: a
// stage through its bindings, a policy or a group through what it is bound to,
// a prompt through its stage. So it is as of the change, with what stood before
// it and what stood after: later bindings make no difference, and later
// removals do not either.
type Changes struct {
	uncached
	views *Views
	store eventstore.Store
	codec *codec.Codec
}

// NewChanges makes the read model.
func NewChanges(v *Views, store eventstore.Store, c *codec.Codec) *Changes {
	return &Changes{views: v, store: store, codec: c}
}

// Name implements [Projection].
func (*Changes) Name() string { return "changes" }

// Schema implements [Projection]. The tables of things and references are as
// much of the configuration as tells what is met by which flow. What is gone is
// kept for as long as changes of the same origin come: of what is removed at
// once, the binding may go before the stage.
func (*Changes) Schema() string {
	return `-- 1
		CREATE TABLE changes(
			n          INTEGER PRIMARY KEY,
			event      TEXT NOT NULL UNIQUE,
			at         INTEGER NOT NULL,
			stream     TEXT NOT NULL,
			revision   INTEGER NOT NULL,
			kind       TEXT NOT NULL,
			object     TEXT NOT NULL,
			name       TEXT NOT NULL,
			verb       TEXT NOT NULL,
			fields     TEXT NOT NULL,
			actor      TEXT NOT NULL,
			actor_kind TEXT NOT NULL,
			via        TEXT NOT NULL,
			origin     TEXT NOT NULL
		);
		CREATE INDEX changes_by_at ON changes(at);
		CREATE INDEX changes_by_kind ON changes(kind, at);
		CREATE INDEX changes_by_object ON changes(object, at);
		CREATE INDEX changes_by_actor ON changes(actor, at);
		CREATE INDEX changes_by_verb ON changes(verb, at);
		CREATE INDEX changes_by_origin ON changes(origin) WHERE origin <> '';
		CREATE TABLE changes_flows(
			flow TEXT NOT NULL,
			n    INTEGER NOT NULL,
			PRIMARY KEY(flow, n)
		) WITHOUT ROWID;
		CREATE INDEX changes_flows_by_n ON changes_flows(n);
		CREATE TABLE changes_things(
			id     TEXT PRIMARY KEY,
			target TEXT NOT NULL,
			kind   TEXT NOT NULL,
			name   TEXT NOT NULL,
			gone   TEXT NOT NULL DEFAULT ''
		) WITHOUT ROWID;
		CREATE INDEX changes_things_by_target ON changes_things(target);
		CREATE INDEX changes_things_gone ON changes_things(gone) WHERE gone <> '';
		CREATE TABLE changes_refs(
			id    TEXT NOT NULL,
			field TEXT NOT NULL,
			ref   TEXT NOT NULL,
			PRIMARY KEY(id, field, ref)
		) WITHOUT ROWID;
		CREATE INDEX changes_refs_by_ref ON changes_refs(ref)`
}

// Needs implements [Projection]. Which secret fields of a thing changed is
// sealed with their values.
func (*Changes) Needs(e eventstore.Recorded) Need {
	switch e.Stream.Category() {
	case "object":
		return Sealed
	case "blueprint", "group", "role", "user", "token", "invitation", "key":
		return Clear
	}
	if e.Type == "LedgerRetentionChanged" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (c *Changes) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	change, ok := changeOf(e)
	if !ok {
		return nil
	}
	web := flowWeb{conn: conn, change: change}
	if err := web.fold(e); err != nil {
		return err
	}
	if change.Name == "" {
		change.Name = web.name
	}
	n := int64(e.Position.Value())
	err := exec(conn, `INSERT OR IGNORE INTO changes(n, event, at, stream, revision, kind, object, name, verb, fields, actor, actor_kind, via, origin)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n, change.Event, micros(change.At), string(change.Stream), change.Revision, change.Kind, change.Object, change.Name, change.Verb,
		strings.Join(change.Fields, "\n"), change.Actor, change.ActorKind, change.Via, change.Origin)
	if err != nil {
		return err
	}
	for _, flow := range web.flows {
		if err := exec(conn, "INSERT OR IGNORE INTO changes_flows(flow, n) VALUES(?, ?)", flow, n); err != nil {
			return err
		}
	}
	return nil
}

// List returns a page of the changes that f wants, the newest first, and how
// many there are in all.
func (c *Changes) List(ctx context.Context, f ChangeFilter, p Page) (list []ConfigurationChange, total int, err error) {
	var w where
	w.equal("event", f.Event)
	w.equal("kind", f.Kind)
	w.equal("object", f.Object)
	w.equal("actor", f.Actor)
	w.equal("verb", f.Verb)
	if f.Origin != "" {
		w.add("origin = ? AND origin <> ''", f.Origin) // the index has but those that have one
	}
	if f.Flow != "" {
		w.add("n IN (SELECT n FROM changes_flows WHERE flow = ?)", f.Flow)
	}
	w.between("at", f.From, f.Until)
	total, err = c.views.listed(ctx, "changes",
		`SELECT changes.*, (SELECT group_concat(flow, ' ') FROM changes_flows x WHERE x.n = changes.n) AS flows FROM changes`,
		"SELECT count(*) FROM changes", w, p, func(s *sqlite.Stmt) error {
			flows := strings.Fields(s.GetText("flows"))
			slices.Sort(flows)
			list = append(list, ConfigurationChange{
				Position: positionAt(s), Event: s.GetText("event"), At: timeAt(s, "at"), Stream: eventstore.StreamID(s.GetText("stream")),
				Revision: s.GetInt64("revision"), Kind: s.GetText("kind"), Object: s.GetText("object"), Name: s.GetText("name"),
				Verb: s.GetText("verb"), Fields: linesOf(s.GetText("fields")), Actor: s.GetText("actor"), ActorKind: s.GetText("actor_kind"),
				Via: s.GetText("via"), Origin: s.GetText("origin"), Flows: flows,
			})
			return nil
		})
	return list, total, err
}

// linesOf takes a text apart that was put together of lines.
func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
