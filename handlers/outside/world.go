package outside

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain/policy"
)

// A Config says what may be asked.
type Config struct {
	Requests bool           // whether expressions may make requests
	Private  []netip.Prefix // what may be reached although it is private
	Desk     bool           // whether providers of captchas may be on this machine
	Breaches string         // URL of the ranges of stolen passwords
	Agent    string         // the program's name and version, for those who are asked
	Resolver *net.Resolver  // nil for that of the machine
	Now      func() time.Time
}

// A World is the world outside. Its methods may be called concurrently.
type World struct {
	requests bool
	breaches string
	agent    string
	resolver *net.Resolver
	client   *http.Client
	slots    chan struct{} // one for each request of an expression under way
	lookups  chan struct{} // one for each question about passwords under way

	captchas      *http.Client
	verifications chan struct{} // one for each question about a captcha under way

	addresses *cache[[]string]
	names     *cache[string]
	ranges    *cache[map[string]int]
}

var _ policy.Outside = (*World)(nil)

const (
	maxRequests    = 16
	maxHeaderBytes = 64 << 10 // of an answer
	maxAnswer      = 1 << 20
	longest        = 10 * time.Second // for any request, whatever is asked for
)

// New makes a world. No proxy of the environment is used: it would be asked
// for the private addresses that the dialer refuses.
func New(c Config) *World {
	resolver := c.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	providers := reach{c.Private}
	if c.Desk {
		providers.private = slices.Concat(loopback, c.Private)
	}
	return &World{
		requests: c.Requests, breaches: c.Breaches, agent: c.Agent, resolver: resolver,
		client: &http.Client{CheckRedirect: redirect, Transport: transport(resolver, reach{c.Private})},
		slots:  make(chan struct{}, maxRequests), lookups: make(chan struct{}, maxRequests),
		captchas: &http.Client{CheckRedirect: stay, Transport: transport(resolver, providers)}, verifications: make(chan struct{}, maxVerifications),
		addresses: newCache[[]string](32, 180*time.Second, c.Now),
		names:     newCache[string](32, 180*time.Second, c.Now),
		ranges:    newCache[map[string]int](64, time.Hour, c.Now),
	}
}

// loopback is this machine, as it calls itself.
var loopback = prefixes("127.0.0.0/8", "::1/128")

// transport makes connections as far as the reach goes.
func transport(resolver *net.Resolver, r reach) *http.Transport {
	dialer := &net.Dialer{Timeout: longest, Resolver: resolver, Control: r.control}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: longest,
		MaxIdleConns: maxRequests, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// stay follows no redirection: it is the answer.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
