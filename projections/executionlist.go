package projections

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
)

// An Execution is an execution as lists show it.
type Execution struct {
	ID          string
	Revision    int64 // of its last event
	Flow        domain.Ref
	Slug        string
	Designation string
	Session     string
	Visitor     string     // id of who was logged in when it started; empty for nobody
	User        string     // id of whom it is about; empty for nobody
	Stage       domain.Ref // the current one, or the last
	Status      string
	Cause       string // of its end, where there is more to say than the status does
	Evaluation  string // id of the event that says why, where policies denied
	Reference   string // of an error page, where it failed
	Started     time.Time
	Seen        time.Time // when it last changed
	Deadline    time.Time
	Steps       int // stages completed
	Attempts    int // wrong answers
	Restarts    int

	Entry       string        // interface, api, configure, token …
	Application string        // id of what asked for the log-in; empty for none
	Factors     []string      // methods that were right, in order, each once
	Answered    int           // responses of the client
	UserTime    time.Duration // between a challenge and its response, over all of them
	ServerTime  time.Duration // of the rest, but for the silence in front of an expiry
	Took        time.Duration // from the start to the last event
	Origin      Origin
}

// An ExecutionFilter says which executions are wanted. What is empty does not
// matter.
type ExecutionFilter struct {
	ID, Slug, User, Session, Status string
	From, Until                     time.Time // when they started

	Statuses        []string // one of which it has
	Cause           string   // of its end
	Flow            string   // id
	FlowRevision    *int64
	Designation     string
	StageKind       string // of a stage that it entered
	Reached         string // name or id of the stage at which it stands or ended
	Factor          string // a method that was right
	Policy, Said    string // a policy by id, and what it said: passed, failed or erred
	Application     string
	Network         netip.Prefix // of the client; one address for a full prefix
	Country         string
	ASN             int64
	Longer, Shorter time.Duration // took at least, took less than
	Running         *bool
	Abandoned       *bool // it expired: nobody went on with it
	Words           []string
	Visitor         string // who was logged in when it started
}

// An ExecutionPage is a part of a list of executions.
type ExecutionPage struct {
	Executions []Execution
	Total      int       // on all pages
	Exact      bool      // whether Total is that, and not a lower bound
	Reached    time.Time // how far back a rare filter was looked for; zero for all the way
}

// shownExecutions joins what belongs to executions.
const shownExecutions = `SELECT e.*, e.n AS number, f.id AS flow_id, f.revision AS flow_revision, f.name AS flow_name, f.slug, f.designation,
		s.id AS stage_id, s.name AS stage_name, s.kind AS stage_kind, o.ip, o.country, o.city, o.asn, o.as_org, o.agent
	FROM executions e JOIN executions_flows f ON f.n = e.flow
		LEFT JOIN executions_stages s ON s.n = e.stage LEFT JOIN executions_origins o ON o.n = e.n`

func executionAt(s *sqlite.Stmt) Execution {
	x := Execution{
		ID: s.GetText("id"), Revision: s.GetInt64("revision"),
		Flow:  domain.Ref{ID: s.GetText("flow_id"), Revision: s.GetInt64("flow_revision"), Name: s.GetText("flow_name")},
		Stage: domain.Ref{ID: s.GetText("stage_id"), Kind: s.GetText("stage_kind"), Name: s.GetText("stage_name")},
		Slug:  s.GetText("slug"), Designation: s.GetText("designation"), Session: s.GetText("session"),
		Visitor: s.GetText("visitor"), User: s.GetText("user"), Status: s.GetText("status"), Cause: s.GetText("cause"),
		Evaluation: s.GetText("evaluation"), Reference: s.GetText("reference"),
		Started: timeAt(s, "started"), Seen: timeAt(s, "seen"), Deadline: timeAt(s, "deadline"),
		Steps: int(s.GetInt64("steps")), Attempts: int(s.GetInt64("attempts")), Restarts: int(s.GetInt64("restarts")),
		Entry: s.GetText("entry"), Application: s.GetText("application"), Answered: int(s.GetInt64("answered")),
		UserTime: time.Duration(s.GetInt64("waited")) * time.Microsecond,
		Origin: Origin{
			Country: s.GetText("country"), City: s.GetText("city"), ASN: s.GetInt64("asn"), ASOrg: s.GetText("as_org"), Agent: s.GetText("agent"),
		},
	}
	if factors := s.GetText("factors"); factors != "" {
		x.Factors = strings.Fields(factors)
	}
	x.Took = x.Seen.Sub(x.Started)
	x.ServerTime = max(0, x.Took-x.UserTime-time.Duration(s.GetInt64("silent"))*time.Microsecond)
	var ip [16]byte
	x.Origin.IP = ipOf(ip[:s.GetBytes("ip", ip[:])])
	if x.Origin.Agent != "" {
		x.Origin.Device = session.Device(x.Origin.Agent)
	}
	return x
}

// ByID returns an execution.
func (x *Executions) ByID(ctx context.Context, id string) (found Execution, ok bool, err error) {
	err = x.views.read(ctx, "executions", shownExecutions+" WHERE e.id = ?", []any{id}, func(s *sqlite.Stmt) error {
		found, ok = executionAt(s), true
		return nil
	})
	return found, ok, err
}

// fetchAtOnce is how many executions one query reads.
const fetchAtOnce = 500

// fetch reads executions by their numbers, in the order given.
func fetch(conn *sqlite.Conn, numbers []int64) ([]Execution, error) {
	out := make([]Execution, len(numbers))
	at := make(map[int64]int, len(numbers))
	for i, n := range numbers {
		at[n] = i
	}
	for from := 0; from < len(numbers); from += fetchAtOnce {
		part := numbers[from:min(from+fetchAtOnce, len(numbers))]
		err := query(conn, shownExecutions+" WHERE e.n IN (SELECT value FROM json_each(?))", func(s *sqlite.Stmt) error {
			out[at[s.GetInt64("number")]] = executionAt(s)
			return nil
		}, listOf(part))
		if err != nil {
			return nil, fmt.Errorf("look up executions: %w", err)
		}
	}
	return out, nil
}

// listOf is a list of numbers as one parameter.
func listOf(numbers []int64) string {
	return "[" + strings.ReplaceAll(numbersText(numbers), " ", ",") + "]"
}
