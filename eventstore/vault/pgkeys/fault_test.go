package pgkeys_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault/pgkeys"
	"github.com/flowledger/flowledger/eventstore/vault/vaulttest"
)

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	p, url := behind(t, database(t))
	vaulttest.RunLost(t, open(t, url, time.Now), func() { p.set(func(p *proxy) { p.swallow = true }) })
}

// A server out of reach is said to be so, in time; once it is back, so is the
// engine.
func TestOutOfReach(t *testing.T) {
	for name, away := range map[string]func(p *proxy, away bool){
		"no connection": func(p *proxy, away bool) {
			p.set(func(p *proxy) { p.down = away })
			p.cut()
		},
		"silence": func(p *proxy, away bool) { p.set(func(p *proxy) { p.silent = away }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, url := behind(t, database(t))
			vaulttest.RunAway(t, open(t, url, time.Now), pgkeys.Patience+3*time.Second, func() { away(p, true) }, func() { away(p, false) })
		})
	}
}

// Closing does not wait for a server that is away.
func TestCloseOutOfReach(t *testing.T) {
	t.Parallel()
	p, url := behind(t, database(t))
	e := open(t, url, time.Now)
	p.set(func(p *proxy) { p.silent = true })
	begun := time.Now()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
}
