// Command flowledger runs authentication flows and keeps every step of them in
// a ledger. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The statuses with which the program exits.
const (
	exitFailed = 1 // the job failed
	exitUsage  = 2 // it was called wrongly
)

// run carries out one command and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cmd, rest, err := choose(args, stdout)
	if err == nil && cmd != nil {
		err = cmd.run(ctx, &call{args: rest, stdin: stdin, stdout: stdout, stderr: stderr})
	}
	if err == nil || errors.Is(err, errHelped) {
		return 0
	}
	fmt.Fprintln(stderr, "flowledger:", err)
	if _, usage := errors.AsType[*usageError](err); usage {
		return exitUsage
	}
	return exitFailed
}
