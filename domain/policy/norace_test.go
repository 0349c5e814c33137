//go:build !race

package policy_test

// slowdown is how much more memory things may take than promised.
const slowdown = 1
