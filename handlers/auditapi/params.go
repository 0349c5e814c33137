package auditapi

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// params reads the parameters of a query, and gathers what is wrong with them,
// field by field, in the words of the contract's filters.
type params struct {
	q      url.Values
	prefix string // of all names
	known  map[string]bool
	wrong  map[string][]string
}

func paramsOf(q url.Values) *params {
	return &params{q: q, known: map[string]bool{}, wrong: map[string][]string{}}
}

// below reads the parameters whose names begin with a prefix.
func (p *params) below(prefix string) *params {
	return &params{q: p.q, prefix: prefix, known: p.known, wrong: p.wrong}
}

// any tells whether a parameter is given that begins with the prefix.
func (p *params) any() bool {
	for name := range p.q {
		if strings.HasPrefix(name, p.prefix) {
			return true
		}
	}
	return false
}

// err is what is wrong with what was read.
func (p *params) err() error {
	if len(p.wrong) == 0 {
		return nil
	}
	return &domain.Error{Code: domain.Invalid, Message: "The parameters make no sense.", Fields: p.wrong}
}

// strict refuses parameters that nobody read. A misspelt filter would hand out
// what nobody asked for.
func (p *params) strict(also ...string) error {
	for name := range p.q {
		if !p.known[name] && !slices.Contains(also, name) {
			p.wrong[name] = []string{"There is no such parameter."}
		}
	}
	return p.err()
}

func (p *params) refuse(name, sentence string) {
	p.wrong[p.prefix+name] = []string{sentence}
}

// maxParam is how much of a wrong value an answer repeats.
const maxParam = 100

func (p *params) noChoice(name, value string) {
	if len(value) > maxParam {
		value = strings.ToValidUTF8(value[:maxParam], "") + "…"
	}
	p.refuse(name, "Select a valid choice. "+value+" is not one of the available choices.")
}

// text is one value; empty for none.
func (p *params) text(name string) string {
	name = p.prefix + name
	p.known[name] = true
	return strings.TrimSpace(p.q.Get(name))
}

// texts are all values that are not empty.
func (p *params) texts(name string) []string {
	p.known[p.prefix+name] = true
	return given(p.q[p.prefix+name])
}

// choice is one of some values, or none.
func (p *params) choice(name string, of ...string) string {
	value := p.text(name)
	if value != "" && !slices.Contains(of, value) {
		p.noChoice(name, value)
	}
	return value
}

// time is a time; the zero one for none.
func (p *params) time(name string) (t time.Time) {
	if text := p.text(name); text != "" {
		var err error
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			p.refuse(name, "Enter a valid date/time.")
		}
	}
	return t
}

// number is a number from a least one on; nil for none.
func (p *params) number(name string, least int64) *int64 {
	text := p.text(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		p.refuse(name, "Enter a number.")
	case n < least:
		p.refuse(name, "Ensure this value is greater than or equal to "+strconv.FormatInt(least, 10)+".")
	}
	return &n
}

// flag is true or false; nil for neither.
func (p *params) flag(name string) *bool {
	text := p.text(name)
	if text == "" {
		return nil
	}
	yes := strings.EqualFold(text, "true") || text == "1"
	if !yes && !strings.EqualFold(text, "false") && text != "0" {
		p.refuse(name, "Must be a valid boolean.")
	}
	return &yes
}

// maxSpan bounds spans of time: more would overflow.
const maxSpan = 1000 * 24 * time.Hour

// span is how long something took: seconds, or 1m30s.
func (p *params) span(name string) time.Duration {
	text := p.text(name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if seconds, failed := strconv.ParseFloat(text, 64); failed == nil && seconds < maxSpan.Seconds() {
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || d < 0 || d > maxSpan {
		p.refuse(name, "Enter a duration in seconds, or one such as 1m30s.")
		return 0
	}
	return d
}

// network is a network, or one address.
func (p *params) network(name string) netip.Prefix {
	text := p.text(name)
	if text == "" {
		return netip.Prefix{}
	}
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen())
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		p.refuse(name, "Enter a valid IPv4 or IPv6 address, or a network such as 192.0.2.0/24.")
	}
	return network
}
