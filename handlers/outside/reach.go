package outside

import (
	"errors"
	"net/netip"
	"syscall"
)

// A reach says which addresses may be asked: those that anybody can ask, and
// the private ones that an operator has listed.
type reach struct {
	private []netip.Prefix
}

var errPrivate = errors.New("the address is not public")

// control is asked by the dialer for each address, after the name was resolved
// and right before the connection is made. A name that resolves to something
// else the next time and a redirection to the inside end here, too.
func (r reach) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !r.permits(to.Addr()) {
		return errPrivate
	}
	return nil
}

// permits judges an address. One that carries another of version 4 leads
// there, so that is the one that counts.
func (r reach) permits(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if r.lists(a) {
		return true
	}
	if inner, ok := carried(a); ok {
		return r.permits(inner)
	}
	return public(a)
}

func (r reach) lists(a netip.Addr) bool {
	for _, p := range r.private {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixTo4 = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// carried returns the address of version 4 to which a gateway passes on what
// is sent to a.
func carried(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case sixTo4.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// global is all that is given out as public in version 6.
var global = netip.MustParsePrefix("2000::/3")

// special are the ranges that are not public, after the registries of special
// purposes of IANA (RFC 6890).
var special = prefixes(
	"0.0.0.0/8",      // this network, and unspecified
	"10.0.0.0/8",     // private
	"100.64.0.0/10",  // between a carrier and its customers
	"127.0.0.0/8",    // loopback
	"169.254.0.0/16", // link-local, and the metadata of clouds
	"172.16.0.0/12",  // private
	"192.0.0.0/24",   // protocols
	"192.0.2.0/24",   // documentation
	"192.88.99.0/24", // relays of 6to4
	"192.168.0.0/16", // private
	"198.18.0.0/15",  // measurements
	"198.51.100.0/24",
	"203.0.113.0/24",
	"224.0.0.0/4",   // multicast
	"240.0.0.0/4",   // reserved, and broadcast
	"2001::/23",     // protocols, Teredo among them, which carries addresses in disguise
	"2001:db8::/32", // documentation
	"3fff::/20",     // documentation
)

func public(a netip.Addr) bool {
	if !a.IsValid() || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}
