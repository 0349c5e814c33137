package caller

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/session"
)

// Network reads where a request comes from.
type Network struct {
	Trusted []netip.Prefix // proxies whose X-Forwarded headers are believed
	Base    string         // public address; empty to take it from the request
	Places  Places         // nil where there are no databases
}

// Places knows where addresses are in use, and whose they are.
type Places interface {
	// Locate returns nil for what it does not know.
	Locate(ip netip.Addr) (*session.Place, *session.System)
}

// limits of what is kept of headers.
const (
	maxHeader    = 500
	maxForwarded = 20
)

// of reads the client's network. X-Forwarded-For is read from its end, as far
// as proxies are trusted: what stands before may be anybody's invention.
func (n Network) of(r *http.Request) session.Network {
	out := session.Network{
		UserAgent: cut(r.UserAgent()), AcceptLanguage: cut(r.Header.Get("Accept-Language")),
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		out.IP = "255.255.255.255" // the contract's address of nobody
		return out
	}
	ip := peer.Addr().Unmap()
	hops := forwarded(r)
	for i := len(hops) - 1; i >= 0 && n.trusts(ip); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		out.Forwarded = append(out.Forwarded, ip.String())
		ip = hop.Unmap()
	}
	out.IP = ip.String()
	out.Place, out.System = n.locate(ip)
	return out
}

func (n Network) locate(ip netip.Addr) (*session.Place, *session.System) {
	if n.Places == nil {
		return nil, nil
	}
	return n.Places.Locate(ip)
}

func forwarded(r *http.Request) []string {
	header := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	if header == "" {
		return nil
	}
	hops := strings.Split(header, ",")
	return hops[max(0, len(hops)-maxForwarded):]
}

func (n Network) trusts(ip netip.Addr) bool {
	for _, p := range n.Trusted {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// Secure tells whether the client speaks TLS, to us or to a trusted proxy.
func (n Network) Secure(r *http.Request) bool {
	if n.Base != "" {
		return strings.HasPrefix(n.Base, "https://")
	}
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && n.trusts(peer.Addr().Unmap()) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// baseURL is the address under which the client sees us.
func (n Network) baseURL(r *http.Request) string {
	if n.Base != "" {
		return strings.TrimSuffix(n.Base, "/")
	}
	if n.Secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func cut(text string) string {
	if len(text) > maxHeader {
		text = text[:maxHeader]
	}
	return strings.ToValidUTF8(text, "")
}

// requestKey is where the id of a request stands in its context, for logs.
type requestKey struct{}

// Identify gives each request an id, which logs and answers carry.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}

// RequestID returns the id of the request that ctx belongs to.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
