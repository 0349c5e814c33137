package projections_test

import (
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/key"
)

// overlook leaves something in every table that the audit console reads.
func overlook(w *world) {
	w.append(stream("execution", "z"), asked(1, says("a", 1, "failed", 3)))
	w.append(stream("object", "binding"), binding(id("f"), id("stage"), 0))
	w.come("z", "192.0.2.8", wrong("bob"))
	w.append(stream("audit", "q"), audit.AuditQueried{View: "executions", By: id("ada")})
	w.append(stream("key", "nobody"), key.SubjectKeyDestroyed{Kind: key.Execution, Cause: "erasure_request"})
}
