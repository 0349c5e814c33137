package console

import (
	"net/http"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/projections"
)

// An overviewView is the first page for its template.
type overviewView struct {
	frame
	projections.Overview
}

// overview shows what became of executions lately.
func (s *Server) overview(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	until := s.Now()
	found, err := s.Executions.Overview(r.Context(), until.Add(-24*time.Hour), until, time.Hour)
	if err != nil {
		return err
	}
	if err := s.looked(r, c, "overview", "", len(found.Flows)); err != nil {
		return err
	}
	return render(w, http.StatusOK, "overview", overviewView{s.frame(r, c, "Overview"), found})
}
