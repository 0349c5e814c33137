package projections

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Invitations are the invitations that are open. What they say of guests goes
// with them.
type Invitations struct {
	uncached
	views *Views
}

// NewInvitations makes the read model.
func NewInvitations(v *Views) *Invitations { return &Invitations{views: v} }

// Name implements [Projection].
func (*Invitations) Name() string { return "invitations" }

// Schema implements [Projection].
func (*Invitations) Schema() string {
	return `-- 1
		CREATE TABLE invitations(
			id         TEXT PRIMARY KEY,
			name       TEXT NOT NULL,
			flow       TEXT NOT NULL,
			single_use INTEGER NOT NULL,
			expires    INTEGER NOT NULL,
			fixed_data TEXT NOT NULL,
			maker      TEXT NOT NULL
		) WITHOUT ROWID;
		CREATE INDEX invitations_by_expires ON invitations(expires) WHERE expires > 0`
}

// Needs implements [Projection].
func (*Invitations) Needs(e eventstore.Recorded) Need {
	if e.Stream.Category() == "invitation" {
		return Sealed
	}
	return Nothing
}

// Apply implements [Projection].
func (*Invitations) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case invitation.InvitationCreated:
		if event.Changed == nil {
			return putInvitation(conn, id, event.Terms, event.By)
		}
		maker := ""
		err := query(conn, "SELECT maker FROM invitations WHERE id = ?", func(s *sqlite.Stmt) error {
			maker = s.ColumnText(0)
			return nil
		}, id)
		if err != nil {
			return err
		}
		return putInvitation(conn, id, event.Terms, maker)
	case invitation.InvitationUsed:
		if !event.Last {
			return nil
		}
	case invitation.InvitationExpired, invitation.InvitationRemoved:
	default:
		return nil
	}
	return exec(conn, "DELETE FROM invitations WHERE id = ?", id)
}

func putInvitation(conn *sqlite.Conn, id string, t invitation.Terms, maker string) error {
	data, err := jsonOf(t.FixedData)
	if err != nil {
		return err
	}
	return exec(conn, `INSERT OR REPLACE INTO invitations(id, name, flow, single_use, expires, fixed_data, maker)
		VALUES(?, ?, ?, ?, ?, ?, ?)`, id, t.Name, t.Flow, t.SingleUse, micros(t.Expires), data, maker)
}

// An Invitation is an invitation as lists show it.
type Invitation struct {
	object.Thing
	Maker string // id of the user who made it; empty for nobody
}

// List returns the invitations whose time is not over, by id.
func (i *Invitations) List(ctx context.Context, now time.Time) ([]Invitation, error) {
	return i.find(ctx, " WHERE expires = 0 OR expires > ? ORDER BY id", micros(now))
}

// ByID returns an invitation whose time is not over.
func (i *Invitations) ByID(ctx context.Context, id string, now time.Time) (Invitation, bool, error) {
	found, err := i.find(ctx, " WHERE id = ? AND (expires = 0 OR expires > ?)", id, micros(now))
	if err != nil || len(found) == 0 {
		return Invitation{}, false, err
	}
	return found[0], true, nil
}

// Due returns the ids of invitations whose time is over, the first first.
func (i *Invitations) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return i.views.ids(ctx, "invitations",
		"SELECT id FROM invitations WHERE expires > 0 AND expires <= ? ORDER BY expires, id LIMIT ?", micros(now), limit)
}

func (i *Invitations) find(ctx context.Context, end string, args ...any) ([]Invitation, error) {
	var out []Invitation
	err := i.views.read(ctx, "invitations", "SELECT * FROM invitations"+end, args, func(s *sqlite.Stmt) error {
		data, err := mapAt(s, "fixed_data")
		fields := map[string]any{
			"name": s.GetText("name"), "flow": nil, "single_use": s.GetBool("single_use"), "expires": nil, "fixed_data": data,
		}
		if flow := s.GetText("flow"); flow != "" {
			fields["flow"] = flow
		}
		if at := timeAt(s, "expires"); !at.IsZero() {
			fields["expires"] = at.Format(time.RFC3339Nano)
		}
		out = append(out, Invitation{
			Thing: object.Thing{ID: s.GetText("id"), Kind: object.InvitationModel, Name: s.GetText("name"), Fields: fields},
			Maker: s.GetText("maker"),
		})
		return err
	})
	return out, err
}
