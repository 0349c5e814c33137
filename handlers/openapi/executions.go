package openapi

import (
	"reflect"
	"time"
)

// person is whom an execution is about.
type person struct {
	ID       string `json:"id"`
	PK       int    `json:"pk,omitempty"`
	Username string `json:"username,omitempty"`
}

// origin is where an execution came from.
type origin struct {
	IP      string `json:"ip,omitempty"`
	Country string `json:"country,omitempty"`
	City    string `json:"city,omitempty"`
	ASN     int    `json:"asn,omitempty"`
	ASOrg   string `json:"as_org,omitempty"`
	Device  string `json:"device,omitempty"`
}

// execution is an execution as auditors list it.
type execution struct {
	PK          string     `json:"pk"`
	Status      string     `json:"status" api:"enum=running|completed|denied|cancelled|expired|failed"`
	Cause       string     `json:"cause,omitempty"`
	Flow        definition `json:"flow"`
	Slug        string     `json:"slug"`
	Designation string     `json:"designation"`
	Session     string     `json:"session,omitempty"`
	Visitor     string     `json:"visitor,omitempty"`
	User        string     `json:"user,omitempty"`
	Person      *person    `json:"person"`
	Stage       definition `json:"stage"`
	Evaluation  string     `json:"evaluation,omitempty"`
	Reference   string     `json:"reference,omitempty"`
	Revision    int        `json:"revision"`
	Started     time.Time  `json:"started"`
	LastSeen    time.Time  `json:"last_seen"`
	Deadline    time.Time  `json:"deadline"`
	Steps       int        `json:"steps"`
	Attempts    int        `json:"attempts"`
	Restarts    int        `json:"restarts"`
	Entry       string     `json:"entry,omitempty"`
	Application string     `json:"application,omitempty"`
	Factors     []string   `json:"factors"`
	Answered    int        `json:"answered"`
	DurationMS  int        `json:"duration_ms"`
	UserMS      int        `json:"user_ms"`
	ServerMS    int        `json:"server_ms"`
	Origin      origin     `json:"origin"`
}

// executionPage is a page of executions, and how far back they were looked for.
func executionPage(s *shapes) *Schema {
	const page = "PaginatedExecutionList"
	s.named[page] = &Schema{
		Type: "object", Required: []string{"autocomplete", "pagination", "results"},
		Properties: map[string]*Schema{
			"pagination": s.of(reflect.TypeFor[pagination]()), "results": list(s.of(reflect.TypeFor[execution]())),
			"autocomplete": s.example(autocomplete{}), "searched_back_to": s.of(reflect.TypeFor[time.Time]()),
		},
	}
	return ref(page)
}

// executionFilters are the filters of executions.
func executionFilters() []Parameter {
	return append([]Parameter{
		by("status", []string{}, "running, completed, denied, cancelled, expired or failed."), by("cause", "", "Of the end."),
		by("flow", "", "Slug or id of the flow."), by("flow_revision", 0, "The revision of it that was gone by."),
		by("designation", "", "What the flow is for."), by("stage_kind", "", "Model of a stage that was entered."),
		by("stage", "", "Name or id of the stage that was reached last."), by("factor", "", "A method that was right, such as totp."),
		by("policy", "", "Id of a policy that was asked."), by("verdict", "", "What it, or any, said: passed, failed or erred."),
		by("user", "", "Username or id of whom it is about."), by("visitor", "", "Username or id of who was logged in when it started."),
		by("session", "", "Id of the browser session."), by("application", "", "Id of the application that asked for the log-in."),
		by("ip", "", "Address of the client, or a network such as 192.0.2.0/24."), by("country", "", "Where that is, in two letters."),
		by("asn", "", "Number of the autonomous system."), by("duration__gte", "", "Took at least so many seconds, or 1m30s."),
		by("duration__lt", "", "Took less."), by("running", false, "Whether it is under way."),
		by("abandoned", false, "Whether nobody went on with it until it expired."),
	}, between()...)
}
