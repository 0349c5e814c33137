// Package user is the aggregate of one user: a profile, a password, and
// whether they may log in. Beside it are the claim of a user name, which keeps
// two users from having the same, and the counter of the integer keys that the
// wire contract demands. Groups know their members, users not their groups; the
// roles that are not by a group stand here.
package user
