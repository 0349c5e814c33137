package expr

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
)

var (
	addressValueError = newException("AddressValueError", valueError)
	netmaskValueError = newException("NetmaskValueError", valueError)

	address4Class = &Class{name: "IPv4Address", base: objectClass, make: ofVersion(makeAddress, 4), fields: addressFields}
	address6Class = &Class{name: "IPv6Address", base: objectClass, make: ofVersion(makeAddress, 6), fields: addressFields}
	network4Class = &Class{name: "IPv4Network", base: objectClass, make: ofVersion(makeNetwork, 4), methods: networkMethods, fields: networkFields}
	network6Class = &Class{name: "IPv6Network", base: objectClass, make: ofVersion(makeNetwork, 6), methods: networkMethods, fields: networkFields}
)

var ipaddressModule = map[string]Value{
	"ip_address":        Builtin("ip_address", makeAddress),
	"ip_network":        Builtin("ip_network", makeNetwork),
	"IPv4Address":       address4Class,
	"IPv6Address":       address6Class,
	"IPv4Network":       network4Class,
	"IPv6Network":       network6Class,
	"AddressValueError": addressValueError,
	"NetmaskValueError": netmaskValueError,
}

// ofVersion refuses what the other version of IP is.
func ofVersion(make func(*Call) (Value, error), version int) func(*Call) (Value, error) {
	return func(c *Call) (Value, error) {
		v, err := make(c)
		if err == nil && !strings.HasPrefix(v.Type(), fmt.Sprintf("IPv%d", version)) {
			err = addressValueError.errorf("%s is of the other version", opaque(v))
		}
		return v, err
	}
}

func makeAddress(c *Call) (Value, error) {
	a, err := c.Bind("address")
	if err != nil {
		return nil, err
	}
	switch v := a[0].(type) {
	case address:
		return v, nil
	case Int, *bigInt:
		n, _ := bigOf(v)
		if n.BitLen() <= 32 {
			return addressOf(n, 32)
		}
		return addressOf(n, 128)
	case Bytes:
		if addr, ok := netip.AddrFromSlice([]byte(v)); ok {
			return address{addr}, nil
		}
	case Str:
		if addr, ok := parseAddress(string(v)); ok {
			return address{addr}, nil
		}
	}
	text, err := c.r.repr(a[0])
	if err != nil {
		return nil, err
	}
	return nil, valueError.errorf("%s does not appear to be an IPv4 or IPv6 address", text)
}

func parseAddress(s string) (netip.Addr, bool) {
	if len(s) > 64 {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(s)
	return addr, err == nil
}

func makeNetwork(c *Call) (Value, error) {
	a, err := c.Bind("address", "strict?")
	if err != nil {
		return nil, err
	}
	text, err := c.r.str(a[0])
	if err != nil {
		return nil, err
	}
	base, mask, hasMask := strings.Cut(text, "/")
	addr, ok := parseAddress(base)
	bits := addr.BitLen()
	if hasMask && ok {
		bits, ok = parseMask(mask, addr)
	}
	if !ok {
		return nil, valueError.errorf("%s does not appear to be an IPv4 or IPv6 network", quoted(text))
	}
	prefix := netip.PrefixFrom(addr, bits)
	if prefix.Masked().Addr() != addr && (a[1] == nil || Truth(a[1])) {
		return nil, valueError.errorf("%s has host bits set", text)
	}
	return network{prefix.Masked()}, nil
}

// parseMask reads a length, or a mask such as 255.255.0.0.
func parseMask(mask string, addr netip.Addr) (int, bool) {
	if n, err := strconv.Atoi(mask); err == nil && mask[0] != '+' && mask[0] != '-' {
		return n, n <= addr.BitLen()
	}
	m, ok := parseAddress(mask)
	if !ok || !m.Is4() || !addr.Is4() {
		return 0, false
	}
	b := m.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	ones := 0
	for n&0x80000000 != 0 {
		ones++
		n <<= 1
	}
	return ones, n == 0
}

// private are the networks that Python's is_private knows.
var private = prefixes("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
	"192.0.0.170/31", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"240.0.0.0/4", "::1/128", "::/128", "::ffff:0:0/96", "100::/64", "2001::/23", "2001:db8::/32", "2001:10::/28",
	"fc00::/7", "fe80::/10")

// carrier is shared by the customers of a provider: neither private nor global.
var carrier = prefixes("100.64.0.0/10")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

func addressField(is func(a netip.Addr) bool) field {
	return func(self Value) Value { return Bool(is(self.(address).Addr)) }
}

var addressFields = map[string]field{
	"version":        func(self Value) Value { return Int(ipVersion(self.(address).Addr)) },
	"compressed":     func(self Value) Value { return Str(self.(address).String()) },
	"exploded":       func(self Value) Value { return Str(self.(address).StringExpanded()) },
	"packed":         func(self Value) Value { return Bytes(self.(address).AsSlice()) },
	"max_prefixlen":  func(self Value) Value { return Int(self.(address).BitLen()) },
	"is_private":     addressField(func(a netip.Addr) bool { return within(a, private) }),
	"is_global":      addressField(func(a netip.Addr) bool { return !within(a, private) && !within(a, carrier) }),
	"is_loopback":    addressField(netip.Addr.IsLoopback),
	"is_multicast":   addressField(netip.Addr.IsMulticast),
	"is_link_local":  addressField(netip.Addr.IsLinkLocalUnicast),
	"is_unspecified": addressField(netip.Addr.IsUnspecified),
	"is_reserved":    addressField(func(a netip.Addr) bool { return within(a, prefixes("240.0.0.0/4")) }),
	"ipv4_mapped": func(self Value) Value {
		if a := self.(address); a.Is4In6() {
			return address{a.Unmap()}
		}
		return None
	},
}

var networkFields = map[string]field{
	"version":           func(self Value) Value { return Int(ipVersion(self.(network).Addr())) },
	"network_address":   func(self Value) Value { return address{self.(network).Addr()} },
	"broadcast_address": func(self Value) Value { return address{self.(network).last()} },
	"prefixlen":         func(self Value) Value { return Int(self.(network).Bits()) },
	"max_prefixlen":     func(self Value) Value { return Int(self.(network).Addr().BitLen()) },
	"num_addresses":     func(self Value) Value { return integer(self.(network).size()) },
	"with_prefixlen":    func(self Value) Value { return Str(self.(network).String()) },
	"netmask":           networkMask,
	"is_private":        func(self Value) Value { return Bool(self.(network).inside(private)) },
}

func networkMask(self Value) Value {
	n := self.(network)
	bits := n.Addr().BitLen()
	mask := new(big.Int).Lsh(big.NewInt(1), uint(n.Bits()))
	mask.Sub(mask, big.NewInt(1)).Lsh(mask, uint(bits-n.Bits()))
	v, _ := addressOf(mask, bits)
	return v
}

func (n network) inside(networks []netip.Prefix) bool {
	for _, p := range networks {
		if p.Contains(n.Addr()) && p.Contains(n.last()) {
			return true
		}
	}
	return false
}

var networkMethods = map[string]method{
	"hosts":       networkHosts,
	"overlaps":    networkPair(func(a, b network) bool { return a.Overlaps(b.Prefix) }),
	"subnet_of":   networkPair(func(a, b network) bool { return a.inside([]netip.Prefix{b.Prefix}) }),
	"supernet_of": networkPair(func(a, b network) bool { return b.inside([]netip.Prefix{a.Prefix}) }),
}

func networkPair(holds func(a, b network) bool) method {
	return func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("other")
		if err != nil {
			return nil, err
		}
		other, ok := a[0].(network)
		if !ok {
			return nil, typeError.errorf("%s is not a network", a[0].Type())
		}
		return Bool(holds(self.(network), other)), nil
	}
}

// networkHosts leaves out the addresses of the network itself.
func networkHosts(c *Call, self Value) (Value, error) {
	n := self.(network)
	from, to := n.Addr(), n.last()
	if free := n.Addr().BitLen() - n.Bits(); free > 1 {
		from = from.Next()
		if n.Addr().Is4() {
			to = to.Prev()
		}
	}
	return &iterator{"generator", c.r.addresses(from, to)}, nil
}
