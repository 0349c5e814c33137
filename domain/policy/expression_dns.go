package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
)

// resolveDNS returns the addresses of a name; what cannot be found has none.
func (e *evaluation) resolveDNS(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("host", "ip_version?")
	if err != nil {
		return nil, err
	}
	version := 0
	if v := args[1]; v != nil && v != expr.None {
		n, ok := v.(expr.Int)
		if version = int(n); !ok || version != 4 && version != 6 {
			return nil, expr.Raise("ValueError", "ip_version is 4, 6 or None, not %s", expr.Repr(v))
		}
	}
	host, err := c.Text(args[0])
	if err != nil {
		return nil, err
	}
	if err := e.mayAsk(); err != nil {
		return nil, err
	}
	var found []string
	if e.q.Env.Outside != nil && e.conceal(host) == host { // no secret leaves as a name
		found = e.q.Env.Outside.Resolve(e.ctx, host, version)
	}
	if err := e.ctx.Err(); err != nil {
		return nil, err
	}
	answer := "nothing"
	if len(found) > 0 {
		answer = strings.Join(found, ", ")
	}
	e.look("resolve_dns("+e.values(args[:1])+")", answer)
	items := make([]expr.Value, len(found))
	for i, address := range found {
		items[i] = expr.FromGo(address)
	}
	return expr.NewList(items...), c.Grow(64 * len(items))
}

// reverseDNS returns the name of an address, or what it was given.
func (e *evaluation) reverseDNS(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("ip_addr")
	if err != nil {
		return nil, err
	}
	ip, err := c.Text(args[0])
	if err != nil {
		return nil, err
	}
	if err := e.mayAsk(); err != nil {
		return nil, err
	}
	name := ip
	if e.q.Env.Outside != nil {
		name = e.q.Env.Outside.Reverse(e.ctx, ip)
	}
	e.look("reverse_dns("+e.values(args)+")", name)
	return expr.FromGo(name), e.ctx.Err()
}
