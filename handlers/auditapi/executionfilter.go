package auditapi

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/projections"
)

// What filters of executions can have as a value.
var (
	executionStatuses = []string{
		string(execution.Running), string(execution.Completed), string(execution.Denied), string(execution.Cancelled),
		string(execution.Expired), string(execution.Failed),
	}
	designations = []string{
		"authentication", "authorization", "invalidation", "enrollment", "unenrollment", "recovery", "stage_configuration",
	}
	verdicts = []string{"passed", "failed", "erred"}
)

// executionOrders are the orders of lists of executions, and what the read
// model calls them.
var executionOrders = map[string]string{
	"": "-started", "started": "started", "-started": "-started", "last_seen": "seen", "-last_seen": "-seen",
	"duration": "duration", "-duration": "-duration",
}

// executionFilter reads which executions are wanted. It tells whether there can
// be any: nobody has an execution who does not exist.
func (s *Server) executionFilter(ctx context.Context, p *params) (f projections.ExecutionFilter, some bool, err error) {
	f = projections.ExecutionFilter{
		Statuses: p.texts("status"), Cause: p.text("cause"), FlowRevision: p.number("flow_revision", 0),
		Designation: p.choice("designation", designations...), StageKind: p.text("stage_kind"), Reached: p.text("stage"),
		Factor: p.text("factor"), Policy: p.text("policy"), Said: p.choice("verdict", verdicts...),
		Session: p.text("session"), Application: p.text("application"), Network: p.network("ip"), Country: p.text("country"),
		Longer: p.span("duration__gte"), Shorter: p.span("duration__lt"), Running: p.flag("running"), Abandoned: p.flag("abandoned"),
		From: p.time("since"), Until: p.time("until"), Words: given([]string{p.text("search")}),
	}
	for _, status := range f.Statuses {
		p.choiceOf("status", status, executionStatuses)
	}
	if flow := p.text("flow"); uuid.Validate(flow) == nil {
		f.Flow = strings.ToLower(flow)
	} else {
		f.Slug = flow
	}
	if f.Country != "" && len(f.Country) != 2 {
		p.refuse("country", "Enter a country as two letters.")
	}
	f.ASN = p.system("asn")
	if err := p.err(); err != nil {
		return f, false, err
	}
	some = true
	for name, id := range map[string]*string{"user": &f.User, "visitor": &f.Visitor} {
		if text := p.text(name); text != "" && err == nil {
			*id, err = s.Stories.UserID(ctx, text)
			some = some && *id != ""
		}
	}
	return f, some, err
}

// choiceOf refuses a value that is none of some.
func (p *params) choiceOf(name, value string, of []string) {
	for _, one := range of {
		if one == value {
			return
		}
	}
	p.noChoice(name, value)
}

// system is the number of an autonomous system, with AS in front of it or not;
// 0 for none.
func (p *params) system(name string) int64 {
	text := strings.ToUpper(p.text(name))
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "AS"), 10, 32)
	if err != nil || n == 0 {
		p.refuse(name, "Enter a number.")
	}
	return int64(n)
}

// order reads the order of a list of executions.
func (p *params) order() string {
	name := p.text("ordering")
	order := executionOrders[name]
	if order == "" {
		p.noChoice("ordering", name)
	}
	return cmp.Or(order, executionOrders[""])
}
