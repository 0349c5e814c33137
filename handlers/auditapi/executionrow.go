package auditapi

import (
	"context"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/projections"
)

// People finds users by id; nobody for whom there is none, or who was erased.
type People interface {
	Person(ctx context.Context, id string) (user.Person, error)
}

// An Execution is an execution as auditors list it.
type Execution struct {
	ID          string     `json:"pk"`
	Status      string     `json:"status"`
	Cause       string     `json:"cause,omitempty"` // of its end, where there is more to say than the status does
	Flow        domain.Ref `json:"flow"`            // as of the revision that it goes by
	Slug        string     `json:"slug"`
	Designation string     `json:"designation"`
	Session     string     `json:"session,omitempty"`
	Visitor     string     `json:"visitor,omitempty"` // id of who was logged in when it started
	User        string     `json:"user,omitempty"`    // id of whom it is about
	Person      *Person    `json:"person"`            // that user; null for nobody
	Stage       domain.Ref `json:"stage"`             // the current one, or the last
	Evaluation  string     `json:"evaluation,omitempty"`
	Reference   string     `json:"reference,omitempty"` // of an error page
	Revision    int64      `json:"revision"`            // of its last event
	Started     time.Time  `json:"started"`
	LastSeen    time.Time  `json:"last_seen"`
	Deadline    time.Time  `json:"deadline"`
	Steps       int        `json:"steps"`
	Attempts    int        `json:"attempts"`
	Restarts    int        `json:"restarts"`
	Entry       string     `json:"entry,omitempty"`
	Application string     `json:"application,omitempty"` // id of what asked for the log-in
	Factors     []string   `json:"factors"`
	Answered    int        `json:"answered"`
	DurationMS  int64      `json:"duration_ms"`
	UserMS      int64      `json:"user_ms"` // of it, the client's
	ServerMS    int64      `json:"server_ms"`
	Origin      Origin     `json:"origin"`
}

// A Person is a user by name, as long as there is one. The id stays when the
// name is erased.
type Person struct {
	ID       string `json:"id"`
	Key      int    `json:"pk,omitempty"`
	Username string `json:"username,omitempty"`
}

// An Origin is where an execution came from; empty once that is forgotten.
type Origin struct {
	IP      string `json:"ip,omitempty"`
	Country string `json:"country,omitempty"`
	City    string `json:"city,omitempty"`
	ASN     int64  `json:"asn,omitempty"`
	ASOrg   string `json:"as_org,omitempty"`
	Device  string `json:"device,omitempty"`
}

func executionOf(x projections.Execution) Execution {
	out := Execution{
		ID: x.ID, Status: x.Status, Cause: x.Cause, Flow: x.Flow, Slug: x.Slug, Designation: x.Designation, Session: x.Session,
		Visitor: x.Visitor, User: x.User, Stage: x.Stage, Evaluation: x.Evaluation, Reference: x.Reference, Revision: x.Revision,
		Started: x.Started, LastSeen: x.Seen, Deadline: x.Deadline, Steps: x.Steps, Attempts: x.Attempts, Restarts: x.Restarts,
		Entry: x.Entry, Application: x.Application, Factors: append([]string{}, x.Factors...), Answered: x.Answered,
		DurationMS: x.Took.Milliseconds(), UserMS: x.UserTime.Milliseconds(), ServerMS: x.ServerTime.Milliseconds(),
		Origin: Origin{Country: x.Origin.Country, City: x.Origin.City, ASN: x.Origin.ASN, ASOrg: x.Origin.ASOrg, Device: x.Origin.Device},
	}
	if x.Origin.IP.IsValid() {
		out.Origin.IP = x.Origin.IP.String()
	}
	return out
}

// named shows executions with the names of whom they are about.
func (s *Server) named(ctx context.Context, found []projections.Execution) ([]Execution, error) {
	known := map[string]*Person{"": nil}
	out := make([]Execution, len(found))
	for i, x := range found {
		p, ok := known[x.User]
		if !ok {
			who, err := s.People.Person(ctx, x.User)
			if err != nil {
				return nil, err
			}
			p = &Person{ID: x.User, Key: who.Key, Username: who.Username}
			known[x.User] = p
		}
		out[i] = executionOf(x)
		out[i].Person = p
	}
	return out, nil
}
