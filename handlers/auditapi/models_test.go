package auditapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/projections"
)

// shelves are read models that answer with one row, and note what they were
// asked for.
type shelves struct{ asked string }

type (
	shelfOfChanges  struct{ *shelves }
	shelfOfVerdicts struct{ *shelves }
	shelfOfAccesses struct{ *shelves }
	shelfOfErasures struct{ *shelves }
)

func (s *shelves) models() auditapi.Models {
	return auditapi.Models{
		Changes: shelfOfChanges{s}, Outcomes: s, Sources: s, Verdicts: shelfOfVerdicts{s}, Accesses: shelfOfAccesses{s}, Erasures: shelfOfErasures{s},
	}
}

func (s *shelves) note(what ...any) { s.asked = strings.TrimSpace(fmt.Sprintln(what...)) }

func (s shelfOfChanges) List(_ context.Context, f projections.ChangeFilter, p projections.Page) ([]projections.ConfigurationChange, int, error) {
	s.note(f.Kind, f.Flow, f.Verb, f.From.Unix() > 0, p)
	if f.Event == "e2" {
		return nil, 0, nil
	}
	return []projections.ConfigurationChange{{
		Event: "e1", At: begun, Kind: "flow", Object: "f", Verb: "changed", Fields: []string{"title"}, Actor: "ann", Flows: []string{"f"},
	}}, 41, nil
}

func (s shelfOfChanges) Detail(context.Context, projections.ConfigurationChange) ([]projections.FieldChange, error) {
	return []projections.FieldChange{{Path: "key", Secret: true}, {Path: "title", Old: "a", New: "b"}}, nil
}

func (s *shelves) Outcomes(_ context.Context, flow string, from, until time.Time) (map[string]int, error) {
	return map[string]int{fmt.Sprint(flow, " ", from.Sub(begun), " ", until.Sub(begun)): 1}, nil
}

func (s *shelves) Top(_ context.Context, by string, from, until time.Time, p projections.Page) ([]projections.Source, int, error) {
	s.note(by, until.Sub(from), p)
	return []projections.Source{{Key: "ann", Failures: 3, Targets: 2}}, 1, nil
}

func (s shelfOfVerdicts) List(_ context.Context, f projections.VerdictFilter, p projections.Page) ([]projections.Verdict, int, error) {
	s.note(f.Policy, f.Said, f.PolicyRevision != nil, p)
	return []projections.Verdict{{Event: "e1", Policy: domain.Ref{ID: "p", Revision: 2}, Said: "failed", MS: 4}}, 1, nil
}

func (s shelfOfVerdicts) Policies(_ context.Context, from, until time.Time) ([]projections.PolicyVerdicts, error) {
	s.note(until.Sub(from))
	return []projections.PolicyVerdicts{{Policy: domain.Ref{ID: "p"}, Passed: 2}, {Policy: domain.Ref{ID: "q"}, Failed: 1}}, nil
}

func (s shelfOfVerdicts) Over(_ context.Context, id string, from, until time.Time, step time.Duration) ([]projections.VerdictSlot, error) {
	s.note(id, until.Sub(from), step)
	return []projections.VerdictSlot{{At: begun, Passed: 1}}, nil
}

func (s shelfOfAccesses) List(_ context.Context, f projections.AccessFilter, p projections.Page) ([]projections.Access, int, error) {
	s.note(f.By, f.View, f.Type, f.Execution, p)
	return []projections.Access{{Event: "e1", By: "ann", View: "executions", Count: 3}}, 1, nil
}

func (s shelfOfErasures) List(_ context.Context, f projections.ErasureFilter, p projections.Page) ([]projections.Erasure, int, error) {
	s.note(f.Kind, f.Subject, p)
	return []projections.Erasure{{Event: "e1", Kind: "user", Subject: "bob", By: "ann"}}, 1, nil
}

// modelHouse is a house over read models.
func modelHouse(t *testing.T) (*house, *shelves) {
	h, s := newHouse(t), &shelves{}
	h.server.Models = s.models()
	return h, s
}

func TestModels(t *testing.T) {
	day := "since=2026-11-22T00:00:00Z&until=2026-11-23T00:00:00Z"
	for name, tt := range map[string]struct {
		path  string
		asked string // of the read model
		part  string // of the answer
		told  string // of the look
	}{
		"changes": {
			"ledger/changes/?kind=flow&flow=f&verb=changed&since=2026-11-22T00:00:00Z&page=2", "flow f changed true {20 20}",
			`"actor":{"id":"ann","pk":7,"username":"annette"}`, "changes map[flow:f kind:flow since:2026-11-22T00:00:00Z verb:changed] found 41",
		},
		"pages":                      {"ledger/changes/?page_size=10", "false {0 10}", `"count":41`, "changes map[] found 41"},
		"sources":                    {"ledger/sources/?by=asn&" + day, "asn 24h0m0s {0 20}", `"failures":3`, ""},
		"addresses unless asked for": {"ledger/sources/", "ip 24h0m0s {0 20}", `"person":null`, "sources map[] found 1"},
		"users with their names":     {"ledger/sources/?by=user", "user 24h0m0s {0 20}", `"username":"annette"`, "sources map[by:user] found 1"},
		"verdicts":                   {"ledger/verdicts/?policy=p&said=failed&policy_revision=2", "p failed true {0 20}", `"said":"failed"`, ""},
		"policies, a page":           {"ledger/verdicts/policies/?page_size=1&page=2&" + day, "24h0m0s", `"policy":{"id":"q"`, ""},
		"a policy over time":         {"ledger/verdicts/policies/p/?step=24h&" + day, "p 24h0m0s 24h0m0s", `"passed":1`, "verdicts map[policy:p] found 1"},
		"an hour is the least step":  {"ledger/verdicts/policies/p/?step=60&" + day, "p 24h0m0s 1h0m0s", `"passed":1`, "verdicts map[policy:p] found 1"},
		"looks":                      {"ledger/accesses/?by=ann&view=executions&type=AuditQueried&execution=x", "ann executions AuditQueried x {0 20}", `"by":{"id":"ann"`, ""},
		"erasures":                   {"ledger/erasures/?kind=user&subject=bob", "user bob {0 20}", `"subject":"bob"`, "erasures map[kind:user subject:bob] found 1"},
	} {
		h, s := modelHouse(t)
		status, _, text := h.get(tt.path)
		told := strings.Join(h.looks.told, "; ")
		if status != http.StatusOK || s.asked != tt.asked || !strings.Contains(text, tt.part) || len(h.looks.told) != 1 || tt.told != "" && told != tt.told {
			t.Errorf("%s: %d, asked %q, told %q: %s", name, status, s.asked, told, text)
		}
	}
}

func TestModelsRefuse(t *testing.T) {
	for path, want := range map[string]string{
		"ledger/changes/?verb=burnt":     `{"verb":["Select a valid choice. burnt is not one of the available choices."]}`,
		"ledger/changes/?flw=f":          `{"flw":["There is no such parameter."]}`,
		"ledger/sources/?by=shoes":       `{"by":["Select a valid choice. shoes is not one of the available choices."]}`,
		"ledger/sources/?since=tomorrow": `{"since":["Enter a valid date/time."]}`,
		"ledger/sources/?since=2026-01-01T00:00:00Z&until=2026-11-01T00:00:00Z":                  `{"since":["Ensure this value is at most 92 days before until."]}`,
		"ledger/sources/?since=2026-11-01T00:00:00Z&until=2026-10-01T00:00:00Z":                  `{"until":["Ensure this value is not before since."]}`,
		"ledger/verdicts/?policy_revision=x":                                                     `{"policy_revision":["Enter a number."]}`,
		"ledger/verdicts/policies/p/?since=2026-01-01T00:00:00Z&until=2026-11-01T00:00:00Z":      `{"step":["There are more slots of this length than one answer has."]}`,
		"ledger/verdicts/policies/p/?since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z&s=24": `{"s":["There is no such parameter."]}`,
		"ledger/erasures/?kind=everything":                                                       `{"kind":["Select a valid choice. everything is not one of the available choices."]}`,
	} {
		h, _ := modelHouse(t)
		status, _, text := h.get(path)
		if status != http.StatusBadRequest || strings.TrimSpace(text) != want || len(h.looks.told) > 0 {
			t.Errorf("%s: %d %s, told %v, want %s", path, status, text, h.looks.told, want)
		}
	}
	for _, path := range []string{"changes/", "changes/e1/", "sources/", "verdicts/", "verdicts/policies/", "verdicts/policies/p/", "accesses/", "erasures/"} {
		h, s := modelHouse(t)
		h.caller = session.Caller{User: "eve"}
		view, _, _ := strings.Cut(path, "/")
		if status, _, _ := h.get("ledger/" + path); status != http.StatusForbidden || s.asked != "" || strings.Join(h.looks.told, "") != "refused "+view+": permission" {
			t.Errorf("%s for anybody: %d, told %v", path, status, h.looks.told)
		}
	}
}

func TestOneChange(t *testing.T) {
	h, _ := modelHouse(t)
	status, body, text := h.get("ledger/changes/e1/")
	want := `"values":[{"path":"key","old":null,"new":null,"secret":true,"personal":false},` +
		`{"path":"title","old":"a","new":"b","secret":false,"personal":false}],` +
		`"outcomes":[{"flow":"f","before":{"f -1h0m0s 0s":1},"after":{"f 0s 1h0m0s":1}}]`
	if status != http.StatusOK || body["event"] != "e1" || !strings.Contains(text, want) || strings.Join(h.looks.told, "") != "changes map[event:e1] found 1" {
		t.Errorf("%d, told %v: %s", status, h.looks.told, text)
	}
	if status, _, _ := h.get("ledger/changes/e2/"); status != http.StatusNotFound {
		t.Errorf("a change that there is not: %d", status)
	}
}
