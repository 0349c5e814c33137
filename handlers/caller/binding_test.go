package caller_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// places knows addresses.
type places map[string]session.Origin

// Locate implements caller.Places.
func (p places) Locate(ip netip.Addr) (*session.Place, *session.System) {
	o := p[ip.String()]
	return o.Place, o.System
}

func system(number int, network string) *session.System {
	return &session.System{Number: number, Name: "AS", Network: network}
}

func place(continent, country, city string) *session.Place {
	return &session.Place{Continent: continent, Country: country, City: city}
}

// known are the places of the tests. 192.0.2.1 is where logins come from.
var known = places{
	"192.0.2.1":    {Place: place("EU", "DE", "Berlin"), System: system(64500, "192.0.2.0/25")},
	"192.0.2.2":    {Place: place("EU", "DE", "Berlin"), System: system(64500, "192.0.2.0/25")},
	"192.0.2.200":  {Place: place("EU", "DE", "Hamburg"), System: system(64500, "192.0.2.128/25")},
	"198.51.100.7": {Place: place("EU", "FR", "Berlin"), System: system(64501, "198.51.100.0/24")},
	"203.0.113.9":  {Place: place("NA", "US", "Berlin"), System: system(64502, "203.0.113.0/24")},
}

func TestBinding(t *testing.T) {
	const network, geo = "no_binding", "no_binding"
	tests := map[string]struct {
		network, geo string
		to           string
		want         session.Break // but for mode and addresses
	}{
		"not tied":                                   {network, geo, "203.0.113.9", session.Break{}},
		"to the system, within the network":          {"bind_asn", geo, "192.0.2.2", session.Break{}},
		"to the system, in another network of it":    {"bind_asn", geo, "192.0.2.200", session.Break{}},
		"to the system, in another":                  {"bind_asn", geo, "198.51.100.7", session.Break{Reason: "network.asn", Previous: "64500", New: "64501"}},
		"to the system, from nowhere":                {"bind_asn", geo, "10.0.0.1", session.Break{Reason: "network.missing", Previous: "64500"}},
		"to the network, within":                     {"bind_asn_network", geo, "192.0.2.2", session.Break{}},
		"to the network, in another of the system":   {"bind_asn_network", geo, "192.0.2.200", session.Break{Reason: "network.asn_network", Previous: "192.0.2.0/25", New: "192.0.2.128/25"}},
		"to the network, in another system":          {"bind_asn_network", geo, "203.0.113.9", session.Break{Reason: "network.asn", Previous: "64500", New: "64502"}},
		"to the address, within the network":         {"bind_asn_network_ip", geo, "192.0.2.2", session.Break{Reason: "network.ip", Previous: "192.0.2.1", New: "192.0.2.2"}},
		"to the continent, in another country of it": {network, "bind_continent", "198.51.100.7", session.Break{}},
		"to the continent, on another":               {network, "bind_continent", "203.0.113.9", session.Break{Reason: "geoip.continent", Previous: "EU", New: "NA"}},
		"to the continent, from nowhere":             {network, "bind_continent", "10.0.0.1", session.Break{Reason: "geoip.missing", Previous: "EU"}},
		"to the country, in another city of it":      {network, "bind_continent_country", "192.0.2.200", session.Break{}},
		"to the country, in another":                 {network, "bind_continent_country", "198.51.100.7", session.Break{Reason: "geoip.country", Previous: "DE", New: "FR"}},
		"to the city, in it":                         {network, "bind_continent_country_city", "192.0.2.2", session.Break{}},
		"to the city, in another":                    {network, "bind_continent_country_city", "192.0.2.200", session.Break{Reason: "geoip.city", Previous: "Berlin", New: "Hamburg"}},
		"to both, the network first":                 {"bind_asn", "bind_continent", "203.0.113.9", session.Break{Reason: "network.asn", Previous: "64500", New: "64502"}},
		"to both, only the place is another":         {"bind_asn", "bind_continent_country_city", "192.0.2.200", session.Break{Reason: "geoip.city", Previous: "Berlin", New: "Hamburg"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Network.Places = known
			j := w.jar()
			c := j.logsIn(session.Authenticate{Bound: session.Binding{Network: test.network, GeoIP: test.geo}, Origin: known["192.0.2.1"]})
			j.does(w.Renew)
			j.address = test.to + ":1"
			if kept := j.is().User == "ada"; kept != (test.want.Reason == "") {
				t.Errorf("kept is %v", kept)
			}
			got := w.broken(c.Session)
			got.Mode = ""
			if test.want.Reason != "" {
				test.want.PreviousIP, test.want.NewIP = "192.0.2.1", test.to
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("how it broke:\n%s", diff)
			}
		})
	}
}

// A login from before there were databases is compared with what they tell of
// its address now; else with what they told then, although they tell
// something else now.
func TestBindingComparesWithTheLogin(t *testing.T) {
	for name, test := range map[string]struct {
		login session.Origin
		kept  bool
	}{
		"nothing was known":          {session.Origin{}, true},
		"something else was known":   {session.Origin{System: system(64999, "192.0.2.0/25")}, false},
		"the same was known already": {known["192.0.2.1"], true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Network.Places = known
			j := w.jar()
			j.logsIn(session.Authenticate{Bound: session.Binding{Network: "bind_asn"}, Origin: test.login})
			j.does(w.Renew)
			j.address = "192.0.2.2:1"
			if kept := j.is().User == "ada"; kept != test.kept {
				t.Errorf("kept is %v", kept)
			}
		})
	}
}

// Where a tied session has moved to is recorded with its use.
func TestMovesAreSeen(t *testing.T) {
	w := newWorld(t)
	w.Network.Places = known
	j := w.jar()
	c := j.logsIn(session.Authenticate{Bound: session.Binding{Network: "bind_asn"}, Origin: known["192.0.2.1"]})
	j.does(w.Renew)
	w.now, j.address = w.now.Add(session.MovedEvery), "192.0.2.2:1"
	for range 2 {
		if got := j.is(); got.User != "ada" {
			t.Fatalf("within the network: %+v", got)
		}
	}
	if got, want := w.story(c.Session), "Begun Authenticated Seen"; got != want || w.state(c.Session).LastIP != "192.0.2.2" {
		t.Errorf("events %s, want %s; last seen at %s", got, want, w.state(c.Session).LastIP)
	}
}

// What databases know is part of the request's network.
func TestLocated(t *testing.T) {
	w := newWorld(t)
	w.Network.Places = known
	j := w.jar()
	if diff := cmp.Diff(known["192.0.2.1"], j.is().Network.Origin()); diff != "" {
		t.Error(diff)
	}
	j.address = "10.0.0.1:1"
	if got := j.is().Network.Origin(); got != (session.Origin{}) {
		t.Errorf("of a private address: %+v", got)
	}
}

// broken returns how a session's tie broke.
func (w *world) broken(id string) session.Break {
	w.t.Helper()
	c := codec.Codec{Vault: w.vault, Tenant: "t"}
	for e, err := range w.store.ReadStream(w.t.Context(), eventstore.Stream("session", id), 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		d, err := c.Decode(w.t.Context(), e)
		if err != nil {
			w.t.Fatal(err)
		}
		if b, ok := d.Event.(session.SessionBindingBroken); ok {
			return session.Break(b)
		}
	}
	return session.Break{}
}
