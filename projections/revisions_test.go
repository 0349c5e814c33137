package projections_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
)

func TestRevisions(t *testing.T) {
	w := newWorld(t)
	w.append(stream("group", "g"), group.GroupCreated{Name: "g"}, group.GroupRenamed{To: "h"})
	w.append(stream("user", "u"), user.UserDeactivated{})
	w.append(stream("session", "s"), session.SessionEnded{})
	w.run()
	w.settle()
	for of, want := range map[eventstore.StreamID]eventstore.Revision{
		stream("group", "g"): 1, stream("user", "u"): 0, stream("user", "nobody"): -1, stream("session", "s"): -1,
	} {
		if got, err := w.revisions.Of(t.Context(), of); got != want || err != nil {
			t.Errorf("%s is at %d, %v, want %d", of, got, err, want)
		}
	}
}
