// Package adminapi is the administration API, as the contract has it: lists,
// reads and writes of everything that is configured, of users, groups,
// sessions and tokens, and the audit log. What kinds of configured things
// there are, and what may be set on them, it reads from the catalog; what a
// change means is decided in the domain.
package adminapi
