package group

import "slices"

// chunk is how many names stand in one piece of a roll.
const chunk = 128

// A Roll is a list of users that grows at little cost: a group of ten thousand
// came to be one member at a time, and each event makes a list of its own. The
// zero Roll is empty. It is a value, and never changed in place.
type Roll struct {
	full [][]string // pieces of chunk names each
	last []string   // fewer
}

// with returns the roll with one more name at its end.
func (r Roll) with(user string) Roll {
	r.last = append(r.last[:len(r.last):len(r.last)], user)
	if len(r.last) == chunk {
		r.full, r.last = append(r.full[:len(r.full):len(r.full)], r.last), nil
	}
	return r
}

// RollOf makes a roll of names.
func RollOf(users ...string) (r Roll) {
	for len(users) >= chunk {
		r.full, users = append(r.full, users[:chunk:chunk]), users[chunk:]
	}
	r.last = users
	return r
}

// without returns the roll without a name.
func (r Roll) without(user string) Roll {
	return RollOf(slices.DeleteFunc(r.List(), func(name string) bool { return name == user })...)
}

// Equal tells whether two rolls have the same names in the same order.
func (r Roll) Equal(other Roll) bool { return slices.Equal(r.List(), other.List()) }

// Has tells whether a name is in the roll.
func (r Roll) Has(user string) bool {
	return slices.Contains(r.last, user) || slices.ContainsFunc(r.full, func(piece []string) bool { return slices.Contains(piece, user) })
}

// List returns the names, in the order in which they came; nil for none.
func (r Roll) List() []string {
	return slices.Concat(append(slices.Clip(r.full), r.last)...)
}
