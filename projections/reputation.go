package projections

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// ReputationModel is what the ledger calls a score whose removal it records.
const ReputationModel = "authentik_policies_reputation.reputation"

// A score stays between these bounds, and is forgotten this long after its
// last change (spec/stages.md 2.5).
const (
	lowestScore      = -5
	highestScore     = 5
	reputationExpiry = 24 * time.Hour
)

// Reputation are the scores of addresses and of what was typed for a user name
// there. People type passwords into that field, so the rows have keyed digests
// only, and the place in the ledger that tells the rest.
type Reputation struct {
	uncached
	views  *Views
	store  eventstore.Store
	codec  *codec.Codec
	digest func(purpose, text string) []byte
}

// NewReputation makes the read model. The digest must be keyed.
func NewReputation(v *Views, store eventstore.Store, c *codec.Codec, digest func(purpose, text string) []byte) *Reputation {
	return &Reputation{views: v, store: store, codec: c, digest: digest}
}

// Name implements [Projection].
func (*Reputation) Name() string { return "reputation" }

// Schema implements [Projection]. A login has no user name in it: the names
// tell where the ledger has the one that the user bears.
func (*Reputation) Schema() string {
	return `-- 1
		CREATE TABLE reputation(
			id             TEXT PRIMARY KEY,
			ip             TEXT NOT NULL,
			identifier     TEXT NOT NULL,
			score          INTEGER NOT NULL,
			updated        INTEGER NOT NULL,
			expires        INTEGER NOT NULL,
			stream         TEXT NOT NULL,
			revision       INTEGER NOT NULL,
			named_stream   TEXT NOT NULL,
			named_revision INTEGER NOT NULL
		) WITHOUT ROWID;
		CREATE INDEX reputation_by_ip ON reputation(ip, expires, score);
		CREATE INDEX reputation_by_identifier ON reputation(identifier, expires, ip, score);
		CREATE INDEX reputation_by_expires ON reputation(expires);
		CREATE TABLE reputation_names(
			user       TEXT PRIMARY KEY,
			identifier TEXT NOT NULL,
			revision   INTEGER NOT NULL
		) WITHOUT ROWID`
}

// reputationNeeds are the types of events that say something about scores. Old
// ones are opened too: a score of today may have begun long ago.
var reputationNeeds = map[string]Need{
	execution.LoginFailed{}.EventType():          Located,
	execution.IdentificationFailed{}.EventType(): Located,
	execution.UserLoggedIn{}.EventType():         Located,
	user.UserCreated{}.EventType():               Sealed,
	user.UserRenamed{}.EventType():               Sealed,
	user.UserDeleted{}.EventType():               Clear,
	object.ObjectRemoved{}.EventType():           Clear,
	key.EpochKeyDestroyed{}.EventType():          Clear,
}

// Needs implements [Projection].
func (*Reputation) Needs(e eventstore.Recorded) Need { return reputationNeeds[e.Type] }

// Apply implements [Projection].
func (r *Reputation) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	switch event := e.Event.(type) {
	case execution.LoginFailed:
		return r.add(conn, e, -1, r.typed(e, event.Identifier))
	case execution.IdentificationFailed:
		return r.add(conn, e, -1, r.typed(e, event.Identifier))
	case execution.UserLoggedIn:
		who, err := named(conn, event.User)
		if err != nil {
			return err
		}
		return r.add(conn, e, +1, who)
	case user.UserCreated:
		return r.name(conn, e, event.Username)
	case user.UserRenamed:
		return r.name(conn, e, event.Username)
	case user.UserDeleted:
		return forgetName(conn, e.Stream.ID())
	case object.ObjectRemoved:
		if event.Kind == ReputationModel {
			return exec(conn, "DELETE FROM reputation WHERE id = ?", e.Stream.ID())
		}
	case key.EpochKeyDestroyed:
		// A score lives for a day, and goes with the next one that changes.
		// Where nobody has tried to log in since, it goes by the month.
		return exec(conn, "DELETE FROM reputation WHERE expires <= ?", micros(e.RecordedAt))
	}
	return nil
}

// A mention is an identifier's digest, and the event that has it in words.
// Both are empty where nobody was named, or the name is forgotten.
type mention struct {
	digest   string
	stream   string
	revision int64
}

// typed is the mention of what somebody typed.
func (r *Reputation) typed(e codec.Decoded, identifier string) mention {
	return mention{r.key(identifierPurpose, identifier), string(e.Stream), int64(e.Revision)}
}

// named is the mention of the name that a user bears.
func named(conn *sqlite.Conn, userID string) (m mention, err error) {
	err = query(conn, "SELECT identifier, revision FROM reputation_names WHERE user = ?", func(s *sqlite.Stmt) error {
		m = mention{s.ColumnText(0), string(eventstore.Stream("user", userID)), s.ColumnInt64(1)}
		return nil
	}, userID)
	return m, err
}

// name notes which event named a user.
func (r *Reputation) name(conn *sqlite.Conn, e codec.Decoded, username string) error {
	if username == "" {
		return nil // forgotten
	}
	return exec(conn, "INSERT OR REPLACE INTO reputation_names(user, identifier, revision) VALUES(?, ?, ?)",
		e.Stream.ID(), r.key(identifierPurpose, username), int64(e.Revision))
}

// forgetName drops what there is about a user who was deleted.
func forgetName(conn *sqlite.Conn, userID string) error {
	who, err := named(conn, userID)
	if err != nil || who.digest == "" {
		return err
	}
	if err := exec(conn, "DELETE FROM reputation WHERE identifier = ?", who.digest); err != nil {
		return err
	}
	return exec(conn, "DELETE FROM reputation_names WHERE user = ?", userID)
}

// add changes a score, within its bounds. What has expired by the time of the
// event goes first, so that the ledger alone decides what the rows are. Without
// a name or an address, which may be forgotten, there is nothing to add to.
func (r *Reputation) add(conn *sqlite.Conn, e codec.Decoded, amount int, who mention) error {
	at, ip := e.RecordedAt, r.key(ipPurpose, networkOf(e).IP)
	if err := exec(conn, "DELETE FROM reputation WHERE expires <= ?", micros(at)); err != nil {
		return err
	}
	if who.digest == "" || ip == "" {
		return nil
	}
	return exec(conn, `INSERT INTO reputation(id, ip, identifier, score, updated, expires, stream, revision, named_stream, named_revision)
		VALUES(?, ?, ?, max(?, min(?, ?)), ?, ?, ?, ?, ?, ?)
		ON CONFLICT(id) DO UPDATE SET score = max(?, min(?, score + ?)), updated = excluded.updated, expires = excluded.expires,
		stream = excluded.stream, revision = excluded.revision, named_stream = excluded.named_stream, named_revision = excluded.named_revision`,
		r.id(ip, who.digest), ip, who.digest, lowestScore, highestScore, amount, micros(at), micros(at.Add(reputationExpiry)),
		string(e.Stream), int64(e.Revision), who.stream, who.revision, lowestScore, highestScore, amount)
}

// The purposes of the digests: an address is no identifier, and a score is
// neither.
const (
	ipPurpose         = "reputation ip"
	identifierPurpose = "reputation identifier"
	scorePurpose      = "reputation score"
)

// key is what the rows have of a text. 128 bits are enough to tell two apart.
func (r *Reputation) key(purpose, text string) string {
	if text == "" {
		return ""
	}
	return hex.EncodeToString(r.digest(purpose, text)[:16])
}

// id is the primary key of a score: the same whenever there is one for this
// address and this identifier.
func (r *Reputation) id(ip, identifier string) string {
	id := uuid.UUID(r.digest(scorePurpose, ip+" "+identifier)[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8: of one's own making
	return id.String()
}
