package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/outside"
)

// outsideFlags say what policies may ask the world outside. Every command that
// evaluates policies has them; their zero value is what is allowed by default.
type outsideFlags struct {
	requests bool
	private  []netip.Prefix
	breaches service
	desk     bool // whether nobody but those at this machine uses the server
}

func (f *outsideFlags) flags(fs *flag.FlagSet) {
	f.breaches = stolen
	fs.BoolVar(&f.requests, "policy-requests", false, "let expressions of policies make HTTP requests, to public addresses")
	fs.Func("policy-private", "`CIDRs`, separated by commas, that policies and captcha stages may ask although they are private; none by default",
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
func (f outsideFlags) world() *outside.World {
	if f.breaches == "" {
		f.breaches = stolen
	}
	return outside.New(outside.Config{
		Requests: f.requests, Private: f.private, Desk: f.desk, Breaches: string(f.breaches), Agent: "flowledger/" + version(), Now: time.Now,
	})
}

// ask lets policies and stages ask what the flags allow. It comes before
// anything is evaluated.
func (a *app) ask(f outsideFlags) {
	w := f.world()
	a.executor.Policies.Outside, a.executor.Captchas = w, w
}

// outside is what the server may ask. One that listens on a loopback address,
// and was given no public URL, is tried out at a desk: its captcha stages may
// ask a provider on the same machine, as a rule a fake one. That is safe enough
// there: the address is an administrator's and no visitor's, and whoever
// administers such a server sits at the machine. One that others reach through
// a proxy has a --base-url, and then its administrators get no way to what else
// runs beside it, but for what --policy-private lists.
func (c *config) outside() outsideFlags {
	f := c.outsideFlags
	f.desk = c.development() && c.baseURL == ""
	return f
}

// secretsAt reads the secret fields of a configured thing as of a revision.
func (a *app) secretsAt(ctx context.Context, ref domain.Ref) (map[string]domain.Secret, error) {
	s, _, err := a.objectHandler.LoadAt(ctx, eventstore.Stream("object", ref.ID), eventstore.Revision(ref.Revision))
	return s.Secrets, err
}

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
