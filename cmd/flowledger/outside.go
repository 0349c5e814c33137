package main

import (
	"flag"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/handlers/outside"
)

// outsideFlags say what policies may ask the world outside. Every command that
// evaluates policies has them; their zero value is what is allowed by default.
type outsideFlags struct {
	requests bool
	private  []netip.Prefix
	breaches service
}

func (f *outsideFlags) flags(fs *flag.FlagSet) {
	f.breaches = stolen
	fs.BoolVar(&f.requests, "policy-requests", false, "let expressions of policies make HTTP requests, to public addresses")
	fs.Func("policy-private", "`CIDRs`, separated by commas, that policies may ask although they are private; none by default",
		func(text string) (err error) {
			f.private, err = ranges(text)
			return err
		})
	fs.Var(&f.breaches, "breaches-url",
		"`URL` that password policies ask for stolen passwords; five hex digits of a password's SHA-1 leave the server")
}

// stolen is the public service of Have I Been Pwned.
const stolen service = "https://api.pwnedpasswords.com/range/"

// world is what the flags allow.
func (f outsideFlags) world() policy.Outside {
	if f.breaches == "" {
		f.breaches = stolen
	}
	return outside.New(outside.Config{
		Requests: f.requests, Private: f.private, Breaches: string(f.breaches), Agent: "flowledger/" + version(), Now: time.Now,
	})
}

// ask lets policies ask what the flags allow. It comes before anything is
// evaluated.
func (a *app) ask(f outsideFlags) { a.executor.Policies.Outside = f.world() }

// A service is the URL of one, as a flag.
type service string

// String implements flag.Value.
func (s *service) String() string { return string(*s) }

// Set implements flag.Value.
func (s *service) Set(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fmt.Errorf("it is no URL such as %s", stolen)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("it must have no credentials, no query and no fragment")
	}
	*s = service(text)
	return nil
}

// ranges reads ranges of addresses that commas separate.
func ranges(text string) (out []netip.Prefix, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("%q is no range of addresses such as 10.0.0.0/8", part)
		}
		out = append(out, p)
	}
	return out, nil
}
