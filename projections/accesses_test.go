package projections_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

func TestAccesses(t *testing.T) {
	w := newWorld(t)
	events := []codec.Event{
		audit.AuditQueried{View: "executions", Filters: []string{"flow", "user"}, Count: 12, Requests: 3, SealedOpened: []string{"N", "P"}, By: "ada"},
		audit.AuditExecutionInspected{Execution: "x", By: "ada", Requests: 1},
		audit.AuditExported{Export: id("export"), Format: "csv", Count: 9, By: "bob"},
		audit.AuditAccessRefused{View: "events", Method: "DELETE", By: "eve", Cause: "immutable"},
		audit.AuditCustomRecorded{Action: "custom_note", By: "eve"},
		audit.ObjectExported{Kind: "flow", Count: 4, By: "bob"},
		token.TokenViewed{By: "eve"},
		audit.AuditPolicyTested{By: "ada"},
	}
	for i, e := range events {
		w.clock = start.Add(time.Duration(i) * time.Hour)
		to := stream("audit", e.EventType())
		if _, ok := e.(token.TokenViewed); ok {
			to = stream("token", "t")
		}
		w.append(to, e)
	}
	w.run()
	w.settle()
	for name, tt := range map[string]struct {
		filter projections.AccessFilter
		want   []string
	}{
		"notes are no looks": {want: []string{
			"AuditPolicyTested", "TokenViewed", "ObjectExported", "AuditAccessRefused", "AuditExported", "AuditExecutionInspected", "AuditQueried",
		}},
		"by whom":           {projections.AccessFilter{By: "bob"}, []string{"ObjectExported", "AuditExported"}},
		"at what":           {projections.AccessFilter{View: "executions"}, []string{"AuditExecutionInspected", "AuditQueried"}},
		"into an execution": {projections.AccessFilter{Execution: "x"}, []string{"AuditExecutionInspected"}},
		"of what kind":      {projections.AccessFilter{Type: "AuditAccessRefused"}, []string{"AuditAccessRefused"}},
		"when":              {projections.AccessFilter{From: start.Add(time.Hour), Until: start.Add(3 * time.Hour)}, []string{"AuditExported", "AuditExecutionInspected"}},
		"by nobody":         {projections.AccessFilter{By: "nobody"}, nil},
	} {
		list, total, err := w.accesses.List(t.Context(), tt.filter, projections.Page{})
		var got []string
		for _, a := range list {
			got = append(got, a.Type)
		}
		if !slices.Equal(got, tt.want) || total != len(tt.want) || err != nil {
			t.Errorf("%s: %v of %d, %v, want %v", name, got, total, err, tt.want)
		}
	}
	list, total, err := w.accesses.List(t.Context(), projections.AccessFilter{}, projections.Page{Offset: 6, Limit: 5})
	if err != nil || total != 7 || len(list) != 1 {
		t.Fatal(list, total, err)
	}
	want := projections.Access{
		Position: list[0].Position, Event: list[0].Event, At: start, Type: "AuditQueried", By: "ada", View: "executions",
		Filters: []string{"flow", "user"}, Count: 12, Requests: 3, Opened: []string{"N", "P"},
	}
	if diff := cmp.Diff(want, list[0], cmp.AllowUnexported(want.Position)); diff != "" {
		t.Error(diff)
	}
}

func TestErasures(t *testing.T) {
	w := newWorld(t)
	gone := start.AddDate(0, 1, 0)
	w.append(stream("key", "ada"), key.SubjectKeyDestroyed{
		Kind: key.User, Classes: []string{"P", "T"}, Cause: "erasure_request", By: "bob", BackupsGoneAt: gone, Bound: 3, Remaining: []string{"session:s"},
		IndexedTo: "0",
	})
	w.clock = start.Add(time.Hour)
	w.appendAs(codec.Meta{Header: codec.Header{Actor: codec.Actor{Kind: "admin", ID: "eve"}}}, stream("key", "x"), key.SubjectKeyDestroyed{Kind: key.Execution, Cause: "erasure_request"})
	w.clock = start.Add(2 * time.Hour)
	w.append(stream("key", "N.2025-10"), key.EpochKeyDestroyed{Class: "N", Epoch: "2025-10", Events: 7})
	w.run()
	w.settle()
	for name, tt := range map[string]struct {
		filter projections.ErasureFilter
		want   []string
	}{
		"all, the newest first": {want: []string{"N.2025-10", id("x"), id("ada")}},
		"of people":             {projections.ErasureFilter{Kind: key.User}, []string{id("ada")}},
		"of what was too old":   {projections.ErasureFilter{Kind: projections.KindEpoch}, []string{"N.2025-10"}},
		"of one":                {projections.ErasureFilter{Subject: id("x")}, []string{id("x")}},
		"when":                  {projections.ErasureFilter{From: start.Add(time.Minute), Until: start.Add(2 * time.Hour)}, []string{id("x")}},
	} {
		list, total, err := w.erasures.List(t.Context(), tt.filter, projections.Page{})
		var got []string
		for _, x := range list {
			got = append(got, x.Subject)
		}
		if !slices.Equal(got, tt.want) || total != len(tt.want) || err != nil {
			t.Errorf("%s: %v of %d, %v, want %v", name, got, total, err, tt.want)
		}
	}
	list, _, err := w.erasures.List(t.Context(), projections.ErasureFilter{}, projections.Page{})
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	want := projections.Erasure{
		Position: list[2].Position, Event: list[2].Event, At: start, Kind: "user", Subject: id("ada"), Classes: []string{"P", "T"},
		Cause: "erasure_request", By: "bob", Bound: 3, Remaining: 1, BackupsGoneAt: gone,
	}
	if diff := cmp.Diff(want, list[2], cmp.AllowUnexported(want.Position)); diff != "" {
		t.Error(diff)
	}
	if list[1].By != "eve" || list[0].Bound != 7 || list[0].By != "" {
		t.Errorf("%+v", list)
	}
}
