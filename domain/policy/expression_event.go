package policy

import (
	"github.com/flowledger/flowledger/domain/expr"
	"github.com/flowledger/flowledger/domain/notification"
)

// event is what a notification rule is asked about, as expressions see it: an
// object whose fields they read with a dot. On trial it is what somebody made
// up, and stays a dictionary.
func (e *evaluation) event() (expr.Value, bool) {
	event, ok := e.q.Context["event"].(map[string]any)
	if !ok || e.q.Target.Kind != notification.RuleModel {
		return nil, false
	}
	out := attributes{"Event", make(map[string]expr.Value, len(event))}
	for key, v := range event {
		out.fields[key] = fromPlain(v)
	}
	return out, true
}
