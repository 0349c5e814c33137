package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// A subcommand is one verb of the command line.
type subcommand struct {
	name    string
	usage   string // arguments after the flags
	about   string
	example string
	run     func(ctx context.Context, c *call) error
}

// A call is one use of a subcommand.
type call struct {
	cmd    *subcommand
	args   []string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// subcommands is what there is, in the order of the help.
func subcommands() []*subcommand {
	return []*subcommand{
		serveCommand(), importCommand(), exportCommand(), userCommand(), tokenCommand(), eventsCommand(), executionCommand(),
		policyCommand(), retentionCommand(), erasureCommand(), rebuildCommand(), copyCommand(), versionCommand(),
	}
}

// A usageError says that the program was called wrongly.
type usageError struct{ text string }

// Error implements error.
func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errHelped ends a command that only showed its help.
var errHelped = errors.New("help was shown")

// choose finds the subcommand that the arguments name.
func choose(args []string, stdout io.Writer) (*subcommand, []string, error) {
	if len(args) == 0 {
		return nil, nil, usagef("say what to do, such as: flowledger serve. flowledger help lists the commands")
	}
	name := args[0]
	if name == "help" || name == "-h" || name == "--help" {
		help(stdout)
		return nil, nil, nil
	}
	for _, c := range subcommands() {
		if c.name == name {
			run := c.run
			c.run = func(ctx context.Context, call *call) error {
				call.cmd = c
				return run(ctx, call)
			}
			return c, args[1:], nil
		}
	}
	return nil, nil, usagef("there is no command %q; flowledger help lists them", name)
}

func help(w io.Writer) {
	fmt.Fprint(w, "flowledger runs authentication flows and keeps every step of them in a ledger.\n\n")
	for _, c := range subcommands() {
		fmt.Fprintf(w, "  %-11s %s\n", c.name, c.about)
	}
	fmt.Fprint(w, "\nflowledger COMMAND --help shows the flags of a command. Each flag --foo-bar can also be set\n"+
		"as the environment variable FLOWLEDGER_FOO_BAR; a flag wins.\n")
}

// flags makes the flag set of a call.
func (c *call) flags() *flag.FlagSet {
	fs := flag.NewFlagSet(c.cmd.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse reads the flags, from the environment first. Flags may stand behind
// other arguments.
func (c *call) parse(fs *flag.FlagSet) ([]string, error) {
	var fault error
	fs.VisitAll(func(f *flag.Flag) {
		name := "FLOWLEDGER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := os.LookupEnv(name); ok {
			if err := f.Value.Set(v); err != nil {
				fault = usagef("%s: %v", name, err)
			}
		}
	})
	if fault != nil {
		return nil, fault
	}
	var rest []string
	args := c.args
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			c.help(fs)
			return nil, errHelped
		} else if err != nil {
			return nil, usagef("%s: %v; flowledger %s --help shows the flags", c.cmd.name, err, c.cmd.name)
		}
		args = fs.Args()
		if len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// help shows a command's flags with their defaults, and an example.
func (c *call) help(fs *flag.FlagSet) {
	fmt.Fprintf(c.stdout, "Usage: flowledger %s [flags] %s\n\n%s\n\n", c.cmd.name, c.cmd.usage, c.cmd.about)
	fs.VisitAll(func(f *flag.Flag) {
		value, about := flag.UnquoteUsage(f)
		if f.DefValue != "" {
			about += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(c.stdout, "  --%s %s\n        %s\n", f.Name, value, about)
	})
	fmt.Fprintf(c.stdout, "\nExample: %s\n", c.cmd.example)
}
