package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/auditapi"
)

func retentionCommand() *subcommand {
	return &subcommand{
		name: "retention", usage: "[show | set PROFILE]", about: "shows or sets for how long what is sealed in the ledger can be opened",
		example: "flowledger retention set custom --traces 6 --networks 3 --rows 13",
		run: func(ctx context.Context, c *call) error {
			var t target
			var rule retention.Rule
			fs := t.flags(c)
			fs.IntVar(&rule.Trace, "traces", 0, "`months` that what is said of people stays, of the profile custom")
			fs.IntVar(&rule.Network, "networks", 0, "`months` that addresses and browsers stay, of the profile custom")
			fs.IntVar(&rule.Rows, "rows", 0, "`months` that executions stay in lists, of the profile custom")
			args, err := c.parse(fs)
			if err != nil {
				return err
			}
			var report auditapi.RetentionReport
			switch {
			case len(args) == 0, len(args) == 1 && args[0] == "show":
				report, err = t.retention(ctx)
			case len(args) == 2 && args[0] == "set":
				rule.Profile = args[1]
				report, err = t.setRetention(ctx, rule)
			default:
				return usagef("say retention show, or retention set PROFILE; the profiles are default, pci, hipaa, minimal and custom")
			}
			if err != nil {
				return err
			}
			return writeRetention(c.stdout, report)
		},
	}
}

// retentionPath is where a server shows and takes the rule.
const retentionPath = "/api/v3/ledger/retention/"

// retention asks for the rule.
func (t *target) retention(ctx context.Context) (report auditapi.RetentionReport, err error) {
	if t.server != "" {
		err = t.remote().call(ctx, http.MethodGet, retentionPath, "", nil, &report)
		return report, err
	}
	if err := t.storage.exists(); err != nil {
		return report, err
	}
	err = with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
		report, err = a.RetentionReport(ctx)
		return err
	})
	return report, err
}

// setRetention sets the rule, and asks for what it is then.
func (t *target) setRetention(ctx context.Context, rule retention.Rule) (report auditapi.RetentionReport, err error) {
	if t.server != "" {
		text, err := json.Marshal(rule)
		if err != nil {
			return report, err
		}
		err = t.remote().call(ctx, http.MethodPut, retentionPath, "application/json", bytes.NewReader(text), &report)
		return report, err
	}
	if err := t.storage.exists(); err != nil {
		return report, err
	}
	err = with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
		if err := a.SetRetention(ctx, session.Caller{}, rule); err != nil {
			return inWords(err)
		}
		report, err = a.RetentionReport(ctx)
		return err
	})
	return report, err
}

// ruleFields are what the command calls the fields of a rule.
var ruleFields = []struct{ field, flag string }{
	{"profile", "PROFILE"}, {"trace_months", "--traces"}, {"network_months", "--networks"}, {"rows_months", "--rows"},
}

// inWords says what is wrong with which flag.
func inWords(err error) error {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		for _, f := range ruleFields {
			if said := e.Fields[f.field]; len(said) > 0 {
				return usagef("%s: %s", f.flag, said[0])
			}
		}
	}
	return err
}

// spelt is a rule in words.
func spelt(r retention.Rule) string {
	return fmt.Sprintf("%s: traces %d, networks %d, rows of executions %d months", r.Profile, r.Trace, r.Network, r.Rows)
}

// writeRetention writes the rule as text.
func writeRetention(w io.Writer, report auditapi.RetentionReport) error {
	var b bytes.Buffer
	fmt.Fprintln(&b, spelt(report.Rule))
	if p := report.Pending; p != nil {
		fmt.Fprintf(&b, "from %s on %s\n", p.From.UTC().Format(time.DateTime), spelt(p.Rule))
	}
	for _, m := range report.Months {
		what := map[string]string{"T": "traces", "N": "networks"}[m.Class]
		fmt.Fprintf(&b, "%s of %s can be opened until %s\n", what, m.Epoch, m.GoneAt.UTC().Format(time.DateTime))
	}
	for _, h := range report.History {
		by := h.By
		if by == "" {
			by = "the command line"
		}
		fmt.Fprintf(&b, "set on %s by %s to %s\n", h.At.UTC().Format(time.DateTime), by, spelt(h.Rule))
	}
	_, err := w.Write(b.Bytes())
	return err
}
