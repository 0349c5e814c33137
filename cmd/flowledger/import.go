package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/handlers/importer"
)

// A target is where a command works: on a data folder, or on a server.
type target struct {
	storage
	server string
	token  string
}

func (t *target) flags(c *call) *flag.FlagSet {
	fs := c.flags()
	t.storage.flags(fs)
	fs.StringVar(&t.server, "server", "", "`URL` of a running server to work on, instead of the data folder")
	fs.StringVar(&t.token, "token", "", "API `token` for the server; better given as FLOWLEDGER_TOKEN")
	return fs
}

// discard is the log of commands other than serve: what went wrong is in their
// error.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func importCommand() *subcommand {
	return &subcommand{
		name: "import", usage: "FILE…", about: "validates and applies blueprints, all or nothing per file; shipped:NAME is one of the program's own",
		example: "flowledger import --dry-run flows/login.yaml shipped:recovery",
		run: func(ctx context.Context, c *call) error {
			i := &importCall{call: c}
			fs := i.target.flags(c)
			fs.BoolVar(&i.dry, "dry-run", false, "say what would be done, and do nothing")
			fs.StringVar(&i.file, "context", "", "`file` with the context that !Context reads, such as secrets, in JSON or YAML; - is stdin; none is an empty one")
			fs.BoolVar(&i.lenient, "lenient", false, "put right what is wrong with flows that were converted by hand in 2022 (.akflow), where it is clear what was meant")
			files, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(files) == 0 {
				return usagef("import wants at least one file")
			}
			return i.run(ctx, files)
		},
	}
}

// An importCall is one use of the command.
type importCall struct {
	*call
	target
	dry     bool
	lenient bool
	file    string // with the context
}

func (i *importCall) run(ctx context.Context, files []string) error {
	given, err := i.readContext(i.file)
	if err != nil {
		return err
	}
	if i.lenient {
		given[blueprint.LenientKey] = true
	}
	if i.server != "" {
		r := i.remote()
		for _, file := range files {
			if err := r.importFile(ctx, i.stdout, file, given, i.dry); err != nil {
				return err
			}
		}
		return nil
	}
	return with(ctx, i.storage, discard(), func(ctx context.Context, a *app) error {
		for _, file := range files {
			if err := a.importFile(ctx, i.stdout, file, given, i.dry); err != nil {
				return err
			}
		}
		return nil
	})
}

// maxBlueprint bounds a file, as the API does.
const maxBlueprint = 1 << 20

// shippedPrefix makes of a name what a blueprint of the program is called by.
const shippedPrefix = "shipped:"

// optional lists the blueprints that are applied on request only.
func optional() string {
	var names []string
	for _, f := range blueprint.Optional() {
		names = append(names, f.Short())
	}
	return strings.Join(names, ", ")
}

// readBlueprint reads a file, or a blueprint that the program ships.
func readBlueprint(file string) ([]byte, error) {
	if name, ok := strings.CutPrefix(file, shippedPrefix); ok {
		f, ok := blueprint.Shipped(name)
		if !ok {
			return nil, fmt.Errorf("no blueprint %q is shipped; give one of %s, or ./%s for a file of that name", name, optional(), file)
		}
		return f.Text, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBlueprint+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBlueprint {
		return nil, fmt.Errorf("%s is larger than %d bytes", file, maxBlueprint)
	}
	return text, nil
}

func (a *app) importFile(ctx context.Context, out io.Writer, file string, given map[string]any, dry bool) error {
	text, err := readBlueprint(file)
	if err != nil {
		return err
	}
	done, err := a.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	result, err := a.importer.Import(ctx, importer.Job{
		File: file, Text: text, Context: given, Via: "import", Meta: system("tenant"), DryRun: dry,
	})
	if fault, ok := errors.AsType[*blueprint.Error](err); ok {
		return fault
	}
	if err != nil {
		return err
	}
	differences, err := a.differences(ctx, result)
	if err != nil {
		return err
	}
	for _, l := range result.Logs { // as a server tells it
		if _, err := fmt.Fprintln(out, l.Event); err != nil {
			return err
		}
	}
	for _, d := range differences {
		if err := printDifference(out, d.String(), d.Lines); err != nil {
			return err
		}
	}
	return nil
}

// printDifference says what becomes of a thing that a blueprint touches, and
// of its fields.
func printDifference(out io.Writer, first string, lines []string) error {
	_, err := fmt.Fprintln(out, first)
	for _, line := range lines {
		if err == nil {
			_, err = fmt.Fprintln(out, "          "+line)
		}
	}
	return err
}
