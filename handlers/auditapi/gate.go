package auditapi

import (
	"sync"

	"github.com/flowledger/flowledger/domain"
)

// A gate bounds how many long answers are under way, for each person and in
// all. The zero gate is open.
type gate struct {
	mu sync.Mutex
	// mu guards all below.
	inside map[string]int // by id of the user
	all    int
}

// The answers to those whom a gate does not let through.
var (
	errTooMany = domain.Errorf(domain.Busy, "You have too many of these open. Close one first.")
	errFull    = domain.Errorf(domain.Busy, "Too many of these are open. Try again later.")
)

// enter lets somebody through unless there are too many already. Whoever was
// let through has to leave.
func (g *gate) enter(who string, each, all int) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.inside[who] >= each:
		return nil, errTooMany
	case g.all >= all:
		return nil, errFull
	}
	if g.inside == nil {
		g.inside = map[string]int{}
	}
	g.inside[who]++
	g.all++
	return func() { g.leave(who) }, nil
}

func (g *gate) leave(who string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.inside[who]--; g.inside[who] == 0 {
		delete(g.inside, who)
	}
}
