package tests

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A wire is the network between a node and its store.
type wire struct{ *toxiproxy.Proxy }

// newWire leads from a free loopback address to that of a server.
func newWire(tb testing.TB, to string) wire {
	tb.Helper()
	host := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := wire{toxiproxy.NewProxy(host, "wire", "127.0.0.1:0", to)}
	if err := w.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.Stop)
	return w
}

// cut loses all that is said in either direction, as a cable does that is
// pulled out: nobody hears of it, and a new connection is as dead.
func (w wire) cut() error {
	return w.add(`{"name": "cut-%[1]s", "type": "timeout", "stream": "%[1]s", "attributes": {"timeout": 0}}`)
}

// slow delays all that is said, by so many milliseconds each way.
func (w wire) slow(milliseconds int) error {
	return w.add(`{"name": "slow-%[1]s", "type": "latency", "stream": "%[1]s", "attributes": {"latency": ` + fmt.Sprint(milliseconds) + `}}`)
}

func (w wire) add(toxic string) error {
	for _, direction := range []string{"upstream", "downstream"} {
		if _, err := w.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(toxic, direction))); err != nil {
			return err
		}
	}
	return nil
}

// heal makes the wire as good as new. What was open over a cut breaks.
func (w wire) heal() { w.Toxics.ResetToxics(context.Background()) }
