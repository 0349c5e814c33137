package caller

import (
	"net/netip"
	"strconv"

	"github.com/flowledger/flowledger/domain/session"
)

// An aspect is something of a client's network that a session can be tied to.
type aspect struct {
	reason string // of the break
	of     func(c client) string
}

// A client is what of a request, or of a login, is compared.
type client struct {
	ip string
	session.Origin
}

// The aspects, the widest first: a session that is tied to one is tied to
// those before it (spec/stages.md 3.3).
var (
	networkAspects = []aspect{
		{"network.asn", func(c client) string { return strconv.Itoa(c.System.Number) }},
		{"network.asn_network", func(c client) string { return c.System.Network }},
		{"network.ip", func(c client) string { return c.ip }},
	}
	geoAspects = []aspect{
		{"geoip.continent", func(c client) string { return c.Place.Continent }},
		{"geoip.country", func(c client) string { return c.Place.Country }},
		{"geoip.city", func(c client) string { return c.Place.City }},
	}
)

// depths are how many aspects each mode compares.
var depths = map[string]int{
	"": 0, "no_binding": 0,
	"bind_asn": 1, "bind_asn_network": 2, "bind_asn_network_ip": 3,
	"bind_continent": 1, "bind_continent_country": 2, "bind_continent_country_city": 3,
}

// broken tells how the session's tie to its network is broken, or nil.
func (n Network) broken(s session.State, now session.Network) *session.Break {
	if now.IP == s.IP || s.User == "" || depths[s.Bound.Network]+depths[s.Bound.GeoIP] == 0 {
		return nil
	}
	then, here := client{s.IP, n.atLogin(s)}, client{now.IP, now.Origin()}
	b := compare(s.Bound.Network, "network.missing", networkAspects, then, here, func(c client) bool { return c.System != nil })
	if b == nil {
		b = compare(s.Bound.GeoIP, "geoip.missing", geoAspects, then, here, func(c client) bool { return c.Place != nil })
	}
	return b
}

// compare tells in which aspect the client is another. An address that the
// database does not know cannot be shown to be in the same place: it counts as
// another.
func compare(mode, missing string, aspects []aspect, then, now client, known func(client) bool) *session.Break {
	depth := depths[mode]
	if depth == 0 {
		return nil
	}
	b := session.Break{Mode: mode, PreviousIP: then.ip, NewIP: now.ip}
	if !known(then) || !known(now) {
		b.Reason = missing
		if known(then) {
			b.Previous = aspects[0].of(then)
		}
		if known(now) {
			b.New = aspects[0].of(now)
		}
		return &b
	}
	for _, a := range aspects[:depth] {
		if b.Previous, b.New = a.of(then), a.of(now); b.Previous != b.New {
			b.Reason = a.reason
			return &b
		}
	}
	return nil
}

// atLogin is what was known of the address of the login. What was not known
// then is looked up now: there may have been no database.
func (n Network) atLogin(s session.State) session.Origin {
	o := s.Origin
	if o.Place != nil && o.System != nil {
		return o
	}
	ip, err := netip.ParseAddr(s.IP)
	if err != nil {
		return o
	}
	place, system := n.locate(ip)
	if o.Place == nil {
		o.Place = place
	}
	if o.System == nil {
		o.System = system
	}
	return o
}
