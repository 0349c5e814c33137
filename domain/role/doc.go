// Package role is the aggregate of one role: its name and its permissions,
// which come from one closed table. Who has a role is not kept here. It stands
// in the streams of users and groups, and nowhere else: a user is made with
// roles in one append, and the stream of a role that everybody has stays short.
package role
