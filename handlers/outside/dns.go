package outside

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	lookupTimeout = 3 * time.Second
	maxHost       = 253 // RFC 1035, 2.3.4, without the last dot
	maxAddresses  = 32  // of one name, since they are recorded
)

// Resolve implements [policy.Outside]. Answers are kept for three minutes, and
// so is that there is none (spec/flows.md 8.13).
func (w *World) Resolve(ctx context.Context, host string, version int) []string {
	network, ok := map[int]string{0: "ip", 4: "ip4", 6: "ip6"}[version]
	if host = strings.ToLower(host); !ok || !plausible(host) {
		return []string{}
	}
	key := strconv.Itoa(version) + " " + host
	if found, ok := w.addresses.get(key); ok {
		return slices.Clone(found)
	}
	limited, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	answers, err := w.resolver.LookupNetIP(limited, network, host)
	found := []string{}
	for _, a := range answers {
		if text := a.Unmap().String(); err == nil && len(found) < maxAddresses && !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	if ctx.Err() == nil { // else it was the policy that had no time left
		w.addresses.put(key, found)
	}
	return slices.Clone(found)
}

// Reverse implements [policy.Outside]. It is cached like Resolve.
func (w *World) Reverse(ctx context.Context, ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Zone() != "" {
		return ip
	}
	key := a.Unmap().String()
	name, ok := w.names.get(key)
	if !ok {
		limited, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		// An error may stand beside names: then some of them were malformed.
		names, _ := w.resolver.LookupAddr(limited, key)
		if len(names) > 0 && plausible(names[0]) {
			name = strings.TrimSuffix(names[0], ".")
		}
		if ctx.Err() == nil {
			w.names.put(key, name)
		}
	}
	if name == "" {
		return ip
	}
	return name
}

// plausible refuses what can be no name of a host before anybody is asked.
func plausible(host string) bool {
	return host != "" && len(strings.TrimSuffix(host, ".")) <= maxHost &&
		!strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f })
}
