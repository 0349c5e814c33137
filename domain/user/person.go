package user

// A Person is a user as stages, policies and pages see one: the state and what
// follows from groups. The zero Person is nobody.
type Person struct {
	ID              string // of the stream; empty for nobody, and for somebody who does not exist
	Key             int    // the integer key that the contract demands
	Username        string
	Name            string
	Email           string
	Active          bool
	Superuser       bool
	Usable          bool // has a password that can be right
	Type            string
	Path            string
	Attributes      map[string]any
	GroupAttributes map[string]any // of groups and the user, merged
	Groups          []Group        // inherited ones included
}

// A Group is a group as [Person] knows it.
type Group struct {
	ID   string
	Name string
}

// Exists tells whether there is such a user.
func (p Person) Exists() bool { return p.ID != "" }

// Member tells whether the person is in the group with this id.
func (p Person) Member(group string) bool {
	for _, g := range p.Groups {
		if g.ID == group {
			return true
		}
	}
	return false
}

// Text returns what people call the person: the user name.
func (p Person) Text() string { return p.Username }
