package auditapi

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Sources are where attempts to log in come from.
type Sources interface {
	// Top returns the worst in a span of time, by what they are told apart by.
	Top(ctx context.Context, by string, from, until time.Time, p projections.Page) ([]projections.Source, int, error)
}

// A Source is where attempts came from, or whom they were aimed at.
type Source struct {
	Key       string    `json:"key"`
	Label     string    `json:"label"`
	Country   string    `json:"country"`
	Person    *Person   `json:"person"`
	Failures  int       `json:"failures"`
	Denials   int       `json:"denials"`
	Successes int       `json:"successes"`
	Targets   int       `json:"targets"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// Sources are asked for a day unless somebody wants another time, and for no
// longer than attempts are kept.
const (
	sourceSpan    = 24 * time.Hour
	maxSourceSpan = 92 * 24 * time.Hour
)

// sources lists sources of attempts, the worst first.
func (s *Server) sources(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	by := cmp.Or(p.choice("by", projections.ByIP, projections.ByUser, projections.ByASN), projections.ByIP)
	since, until := p.within(sourceSpan, maxSourceSpan)
	look := looked.Look{View: "sources", Opened: []string{"N"}}
	if by == projections.ByUser {
		look.Opened = []string{"N", "P"}
	}
	return answer(s, w, r, c, p, look, func(ctx context.Context, page projections.Page) ([]projections.Source, int, error) {
		return s.Models.Sources.Top(ctx, by, since, until, page)
	}, func(n *names, x projections.Source) (Source, error) {
		shown := Source{
			Key: x.Key, Label: x.Label, Country: x.Country, Failures: x.Failures, Denials: x.Denials, Successes: x.Successes,
			Targets: x.Targets, First: x.First, Last: x.Last,
		}
		var err error
		if by == projections.ByUser {
			shown.Person, err = n.of(x.Key)
		}
		return shown, err
	})
}
