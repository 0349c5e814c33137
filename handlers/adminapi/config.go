package adminapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
)

// mountConfig adds what clients ask before anything else.
func (s *Server) mountConfig(r *mux.Router) {
	s.route(r, "root/config/", anybody, verbs{http.MethodGet: getConfig})
	s.route(r, "core/applications/", of("authentik_core.application"), verbs{http.MethodGet: listApplications})
}

// getConfig says what there is: nothing is reported elsewhere, and nothing is
// cached.
func getConfig(w http.ResponseWriter, _ *http.Request, _ session.Caller) error {
	return writeJSON(w, http.StatusOK, map[string]any{
		"error_reporting": map[string]any{
			"enabled": false, "sentry_dsn": "", "environment": "", "send_pii": false, "traces_sample_rate": 0,
		},
		"capabilities": []any{}, "cache_timeout": 0, "cache_timeout_flows": 0, "cache_timeout_policies": 0,
	})
}

// listApplications tells clients that look that there are none: applications
// are not part of this product.
func listApplications(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	pg, err := pagingOf(r.URL.Query())
	if err != nil {
		return err
	}
	return writeList(w, pg, 0, nil)
}
