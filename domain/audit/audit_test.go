package audit_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/domaintest"
)

func TestWrite(t *testing.T) {
	note := audit.AuditCustomRecorded{Action: "custom_seen", App: "policy", Context: map[string]any{"a": "b"}}
	domaintest.Run(t, map[string]domaintest.Spec[audit.State]{
		"a note is written":                   {When: audit.Write{Event: note}, Then: []audit.Event{note}},
		"writing it again changes nothing":    {Given: []audit.Event{note}, When: audit.Write{Event: note}},
		"a look is not written twice, either": {Given: []audit.Event{audit.AuditPolicyTested{Passing: true}}, When: audit.Write{Event: note}},
	})
}
