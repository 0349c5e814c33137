package auditapi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/projections"
)

// erased knows one erasure.
type erased struct{}

func (erased) ErasureReport(_ context.Context, id string) (auditapi.ErasureReport, error) {
	if id != "x1" {
		return auditapi.ErasureReport{}, domain.Errorf(domain.NotFound, "Nothing was destroyed under this id.")
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	return auditapi.ErasureReport{
		Event: "e1", Kind: "user", Subject: id, At: at, By: "u", Cause: "erasure_request", Classes: []string{"P", "T", "N", "C"},
		Created: at.AddDate(0, -1, 0), Deleted: at, BackupsGoneAt: at.AddDate(0, 0, 30),
		Keys:      []auditapi.ErasedKeys{{Kind: "execution", Destroyed: 2, Remaining: 1}},
		Remaining: []auditapi.ErasedLater{{Subject: "execution:y"}, {Subject: "session:s", GoneAt: at.Add(time.Hour)}},
		Stays:     []projections.TypeCount{{Type: "UserLoggedIn", Events: 3}},
		Copies: []auditapi.ErasedCopy{
			{Kind: auditapi.CopySink, Name: "siem", From: at.AddDate(0, -1, 0)}, {Kind: auditapi.CopyMail, Events: 4},
			{Kind: auditapi.CopyExport, ID: "e2", By: "u", Events: 7, From: at, Until: at},
		},
	}, nil
}

func TestErasureReport(t *testing.T) {
	h := newHouse(t)
	h.caller = auditor
	for path, want := range map[string][]string{
		"ledger/erasures/x1/": {`"subject":"x1"`, `"remaining":[{"subject":"execution:y"},{"subject":"session:s","gone_at":"2026-11-22T13:00:00Z"}]`, `"complete":false`},
		"ledger/erasures/x1/?format=text": {
			"user x1 was erased on 2026-11-22 12:00:00 UTC by user u (erasure_request).",
			"names, addresses and attributes, what executions say of people, networks and browsers and credentials.",
			"of 2 of kind execution; 1 remained in use", "execution:y is still in use", "session:s went on 2026-11-22 13:00:00 UTC",
			"The last backup of the keys is gone by 2026-12-22", "not complete yet", "3 UserLoggedIn", `sink "siem" was sent`, "4 mails were sent",
			"export e2 of 7 events",
		},
	} {
		status, _, text := h.get(path)
		for _, w := range want {
			if status != 200 || !strings.Contains(text, w) {
				t.Errorf("%s: %d without %q:\n%s", path, status, w, text)
			}
		}
	}
	if status, _, text := h.get("ledger/erasures/nobody/"); status != 404 || !strings.Contains(text, "Nothing was destroyed") {
		t.Errorf("nobody: %d %s", status, text)
	}
}
