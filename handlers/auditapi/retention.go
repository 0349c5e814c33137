package auditapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
)

// Retention is the rule that says how long what is sealed can be opened.
type Retention interface {
	RetentionReport(ctx context.Context) (RetentionReport, error)
	SetRetention(ctx context.Context, c session.Caller, rule retention.Rule) error
}

// A RetentionReport is the rule in force, how it came to be, and what will be
// destroyed when.
type RetentionReport struct {
	retention.Rule
	Pending  *PendingRule      `json:"pending"`
	Profiles []retention.Rule  `json:"profiles"`
	Months   []retention.Month `json:"months"` // that can be opened, the oldest first
	History  []RetentionChange `json:"history"`
}

// A PendingRule will be in force from some time on.
type PendingRule struct {
	retention.Rule
	From time.Time `json:"from"`
}

// A RetentionChange is one time that somebody set the rule.
type RetentionChange struct {
	PendingRule
	At time.Time `json:"at"`
	By string    `json:"by"` // id of the user; empty for the command line
}

// retention shows the rule.
func (s *Server) retention(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	report, err := s.Retention.RetentionReport(r.Context())
	if err != nil {
		return err
	}
	if err := s.Looks.Queried(r.Context(), c, looked.Look{View: "retention", Filters: asked(r), Count: len(report.Months)}); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, report)
	return nil
}

// maxRule bounds the body of a rule.
const maxRule = 4096

// setRetention sets the rule. Who may set it may see it, and what was done is
// an event of its own.
func (s *Server) setRetention(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	rule, err := readRule(r.Body)
	if err != nil {
		return err
	}
	if err := s.Retention.SetRetention(r.Context(), c, rule); err != nil {
		return err
	}
	report, err := s.Retention.RetentionReport(r.Context())
	if err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, report)
	return nil
}

// readRule reads a rule. What it does not know it refuses: a misspelt class
// would keep its months silently.
func readRule(body io.Reader) (rule retention.Rule, err error) {
	in := json.NewDecoder(io.LimitReader(body, maxRule))
	in.DisallowUnknownFields()
	if err := in.Decode(&rule); err != nil {
		return rule, domain.Errorf(domain.Invalid, "JSON parse error - %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if rule.Profile == "" {
		return rule, &domain.Error{
			Code: domain.Invalid, Message: "The rule makes no sense.", Fields: map[string][]string{"profile": {"This field is required."}},
		}
	}
	return rule, nil
}
