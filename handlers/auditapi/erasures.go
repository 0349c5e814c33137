package auditapi

import (
	"context"
	"net/http"
	"time"

	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Erasures are the keys that were destroyed.
type Erasures interface {
	List(ctx context.Context, f projections.ErasureFilter, p projections.Page) ([]projections.Erasure, int, error)
}

// An Erasure is what was destroyed, when and by whom.
type Erasure struct {
	Event         string    `json:"event"`
	Position      string    `json:"position"`
	At            time.Time `json:"at"`
	Kind          string    `json:"kind"`
	Subject       string    `json:"subject"`
	Classes       []string  `json:"classes"`
	Cause         string    `json:"cause"`
	By            *Person   `json:"by"`
	Bound         int       `json:"bound"`
	Remaining     int       `json:"remaining"`
	BackupsGoneAt time.Time `json:"backups_gone_at,omitzero"`
}

// erasures lists what was destroyed, the newest first.
func (s *Server) erasures(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	f := projections.ErasureFilter{
		Kind: p.choice("kind", key.User, key.Execution, key.Session, projections.KindEpoch), Subject: p.text("subject"),
	}
	f.From, f.Until = p.between()
	look := looked.Look{View: "erasures", Opened: []string{"P"}}
	return answer(s, w, r, c, p, look, func(ctx context.Context, page projections.Page) ([]projections.Erasure, int, error) {
		return s.Models.Erasures.List(ctx, f, page)
	}, func(n *names, x projections.Erasure) (Erasure, error) {
		who, err := n.of(x.By)
		return Erasure{
			Event: x.Event, Position: x.Position.String(), At: x.At, Kind: x.Kind, Subject: x.Subject, Classes: some(x.Classes), Cause: x.Cause,
			By: who, Bound: x.Bound, Remaining: x.Remaining, BackupsGoneAt: x.BackupsGoneAt,
		}, err
	})
}
