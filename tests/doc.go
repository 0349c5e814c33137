// Package tests drives the built program from outside: it starts the binary,
// talks HTTP to it and looks at what it prints and leaves behind. It imports
// nothing of ours, so that nothing in here can know more than a client does.
package tests
