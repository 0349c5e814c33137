package esdbkeys_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
	"github.com/flowledger/flowledger/eventstore/vault/vaulttest"
)

func TestLostAnswers(t *testing.T) {
	server := esdbtest.Start(t)
	vaulttest.RunLost(t, open(t, server.URL(), time.Now), func() { server.LoseAnswers(1) })
}

func TestOutOfReach(t *testing.T) {
	for name, test := range map[string]struct{ away, back func(*esdbtest.Server) }{
		"no connection": {(*esdbtest.Server).Stop, (*esdbtest.Server).Restart},
		"silence":       {(*esdbtest.Server).Silence, (*esdbtest.Server).Heal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := esdbtest.Start(t)
			vaulttest.RunAway(t, open(t, server.URL(), time.Now), 10*time.Second,
				func() { test.away(server) }, func() { test.back(server) })
		})
	}
}
