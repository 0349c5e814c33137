package expr

import (
	"fmt"
	"math/big"
	"net/netip"
)

// address is an IPv4Address or IPv6Address.
type address struct{ netip.Addr }

// IPAddress makes the value of ak_client_ip.
func IPAddress(a netip.Addr) Value { return address{a.Unmap().WithZone("")} }

// Type implements [Value].
func (a address) Type() string { return fmt.Sprintf("IPv%dAddress", ipVersion(a.Addr)) }

func (a address) classOf() *Class {
	if a.Is4() {
		return address4Class
	}
	return address6Class
}

// Text implements [Texter].
func (a address) Text() string { return a.String() }

func (a address) repr() string { return a.Type() + "('" + a.String() + "')" }

func (a address) hash() any { return composite("a" + a.String()) }

func (a address) integer() Value { return intOfBytes(a.AsSlice()) }

func (a address) compare(other Value) (int, bool, error) {
	o, ok := other.(address)
	return a.Addr.Compare(o.Addr), ok && o.Is4() == a.Is4(), nil
}

// operate implements operable: the address n further.
func (a address) operate(op string, other Value, right bool) (Value, error) {
	n, ok := bigOf(other)
	if !ok || op != "+" && op != "-" || right {
		return nil, nil
	}
	base := new(big.Int).SetBytes(a.AsSlice())
	if op == "-" {
		n = new(big.Int).Neg(n)
	}
	return addressOf(base.Add(base, n), a.BitLen())
}

// addressOf makes an address of a number.
func addressOf(n *big.Int, bits int) (Value, error) {
	if n.Sign() < 0 || n.BitLen() > bits {
		return nil, addressValueError.errorf("%s (>= 2**%d) is not permitted as an IPv%d address", n, bits, map[int]int{32: 4, 128: 6}[bits])
	}
	out, _ := netip.AddrFromSlice(n.FillBytes(make([]byte, bits/8)))
	return address{out}, nil
}

func ipVersion(a netip.Addr) int {
	if a.Is4() {
		return 4
	}
	return 6
}

// network is an IPv4Network or IPv6Network.
type network struct{ netip.Prefix }

// Type implements [Value].
func (n network) Type() string { return fmt.Sprintf("IPv%dNetwork", ipVersion(n.Addr())) }

func (n network) classOf() *Class {
	if n.Addr().Is4() {
		return network4Class
	}
	return network6Class
}

// Text implements [Texter].
func (n network) Text() string { return n.String() }

func (n network) repr() string { return n.Type() + "('" + n.String() + "')" }

func (n network) hash() any { return composite("w" + n.String()) }

// Contains implements [Container].
func (n network) Contains(v Value) (bool, error) {
	a, ok := v.(address)
	if !ok {
		return false, attributeError.errorf("'%s' object has no attribute '_version'", v.Type())
	}
	return n.Prefix.Contains(a.Addr), nil
}

func (n network) compare(other Value) (int, bool, error) {
	o, ok := other.(network)
	if !ok || o.Addr().Is4() != n.Addr().Is4() {
		return 0, false, nil
	}
	if c := n.Addr().Compare(o.Addr()); c != 0 {
		return c, true, nil
	}
	return n.Bits() - o.Bits(), true, nil
}

// size is how many addresses there are.
func (n network) size() *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(n.Addr().BitLen()-n.Bits()))
}

// last is the highest address.
func (n network) last() netip.Addr {
	high := new(big.Int).SetBytes(n.Addr().AsSlice())
	high.Add(high, n.size()).Sub(high, big.NewInt(1))
	out, _ := netip.AddrFromSlice(high.FillBytes(make([]byte, n.Addr().BitLen()/8)))
	return out
}

// hosts goes through the addresses from one to another.
func (r *run) addresses(from, to netip.Addr) next {
	done := to.Less(from)
	return func() (Value, bool, error) {
		if done {
			return nil, false, nil
		}
		a := from
		done = a == to
		from = from.Next()
		return address{a}, true, r.step()
	}
}
