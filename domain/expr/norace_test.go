//go:build !race

package expr

// slowdown is how much more time and memory things may take than promised.
const slowdown = 1
