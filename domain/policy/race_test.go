//go:build race

package policy_test

// slowdown is how much more memory things may take under the race detector.
const slowdown = 3
