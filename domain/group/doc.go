// Package group is the aggregate of one group: its name, its members and the
// groups that it is part of. What a member inherits is not decided here, for
// it needs more than one group.
package group
