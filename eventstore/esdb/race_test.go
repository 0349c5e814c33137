//go:build race

package esdb_test

// raced tells that the race detector is on.
const raced = true
