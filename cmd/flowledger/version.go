package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is the version, set when a release is built.
var release = "dev"

func version() string { return release }

func versionCommand() *subcommand {
	return &subcommand{
		name: "version", about: "prints version, revision and Go version", example: "flowledger version",
		run: func(_ context.Context, c *call) error {
			rest, err := c.parse(c.flags())
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return usagef("version takes no arguments, but got %q", rest[0])
			}
			revision := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = s.Value
					}
				}
			}
			_, err = fmt.Fprintf(c.stdout, "flowledger %s, revision %s, %s\n", version(), revision, runtime.Version())
			return err
		},
	}
}
