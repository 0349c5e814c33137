//go:build !race

package main

// every is how far apart the appends are that tests make fail one by one.
const every = 1
