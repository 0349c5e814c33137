//go:build race

package expr

// slowdown is how much more time and memory things may take under the race detector.
const slowdown = 20
