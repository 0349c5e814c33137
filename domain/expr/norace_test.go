//go:build !race

package expr

// slowdown is how much longer things may take than promised.
const slowdown = 1
