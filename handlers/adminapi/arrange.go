package adminapi

import (
	"slices"
	"strings"
	"sync"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// maxArranged is how many arrangements are kept.
const maxArranged = 12

// arrangements are parts of long lists, and long lists in another order. What
// the read models list is replaced and never changed, so an arrangement is good
// for as long as the list is the same.
type arrangements struct {
	mu    sync.Mutex
	lists map[arrangement][]object.Thing // guarded by mu
}

// An arrangement is what was made of a list. Its pointer keeps the list, so
// that no other can come to lie in its place.
type arrangement struct {
	first *object.Thing
	size  int
	how   string
}

// of returns what was made of a list, or makes it if there is a way to.
func (a *arrangements) of(list []object.Thing, how string, arrange func() []object.Thing) ([]object.Thing, bool) {
	if len(list) == 0 {
		return nil, true
	}
	key := arrangement{&list[0], len(list), how}
	a.mu.Lock()
	made, ok := a.lists[key]
	a.mu.Unlock()
	if ok || arrange == nil {
		return made, ok
	}
	made = slices.Clip(arrange())
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lists == nil || len(a.lists) >= maxArranged {
		a.lists = map[arrangement][]object.Thing{}
	}
	a.lists[key] = made
	return made, true
}

// kind lists the things of a kind.
func (v *view) kind(k catalog.Kind) []object.Thing {
	all := v.category(k.Category)
	made, _ := v.s.arranged.of(all, "of kind "+k.Model, func() (of []object.Thing) {
		for _, t := range all {
			if t.Kind == k.Model {
				of = append(of, t)
			}
		}
		return of
	})
	v.steady = made
	return made
}

// arranged returns a list in the order of some keys, if that is known or worth
// to be kept: all of a list that the read models gave, by what stands in the
// things themselves.
func (s *selection) arranged(keys []string, things []object.Thing) ([]object.Thing, bool) {
	if len(things) == 0 || len(s.v.steady) != len(things) || &s.v.steady[0] != &things[0] {
		return nil, false
	}
	for _, key := range keys[:len(keys)-len(s.p.order)] {
		plain := strings.TrimPrefix(key, "-")
		if _, own := s.fields[plain]; !own && plain != "pk" || s.p.derived[plain] != nil {
			return nil, false
		}
	}
	var arrange func() []object.Thing
	if len(s.filters) == 0 {
		arrange = func() []object.Thing {
			list := slices.Clone(things)
			s.order(keys, list)
			return list
		}
	}
	return s.v.s.arranged.of(things, strings.Join(keys, " "), arrange)
}
