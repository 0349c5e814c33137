//go:build race

package main

// every is how far apart the appends are that tests make fail one by one: the
// race detector makes each try ten times as long.
const every = 3
