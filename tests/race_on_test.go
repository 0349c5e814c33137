//go:build race

package tests

// raceEnabled says that the tests run under the race detector, and so does the
// program that they build.
const raceEnabled = true
