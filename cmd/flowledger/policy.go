package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/executor"
)

func policyCommand() *subcommand {
	return &subcommand{
		name: "policy", usage: "test NAME", about: "tries a policy out on a user, and shows what it did line by line; changes nothing",
		example: "flowledger policy test --user ada --context context.yaml office-network",
		run: func(ctx context.Context, c *call) error {
			p := &policyCall{call: c}
			fs := p.target.flags(c)
			p.outside.flags(fs)
			fs.StringVar(&p.user, "user", "", "`name` of the user to ask it about")
			fs.StringVar(&p.file, "context", "", "`file` with the context, in JSON or YAML; - is stdin; none is an empty one")
			fs.StringVar(&p.ip, "ip", "127.0.0.1", "`address` that the client seems to come from; with --server it is yours")
			args, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(args) != 2 || args[0] != "test" || p.user == "" {
				return usagef("say policy test NAME --user NAME")
			}
			return p.test(ctx, args[1])
		},
	}
}

// A policyCall is one use of the command.
type policyCall struct {
	*call
	target
	outside        outsideFlags
	user, file, ip string
}

// A trialReport is what a policy did on trial, as the API tells it.
type trialReport struct {
	Passing  bool       `json:"passing"`
	Messages []string   `json:"messages"`
	Logs     []trialLog `json:"log_messages"`
}

// A trialLog is one line of the report.
type trialLog struct {
	Level      string         `json:"log_level"`
	Event      string         `json:"event"`
	Attributes map[string]any `json:"attributes"`
}

func (p *policyCall) test(ctx context.Context, name string) error {
	with, err := p.readContext(p.file)
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(p.ip); err != nil {
		return usagef("--ip %q is no address", p.ip)
	}
	var r trialReport
	if p.server != "" {
		r, err = p.remote().testPolicy(ctx, name, p.user, with)
	} else if err = p.storage.exists(); err == nil {
		r, err = p.testHere(ctx, name, with)
	}
	if err != nil {
		return err
	}
	return r.print(p.stdout, name, p.user)
}

func noPolicy(name string) error { return fmt.Errorf("there is no policy %q", name) }

// testHere tries a policy of the data folder. Of the client it knows the
// address only.
func (p *policyCall) testHere(ctx context.Context, name string, made map[string]any) (r trialReport, err error) {
	err = with(ctx, p.storage, discard(), func(ctx context.Context, a *app) error {
		a.ask(p.outside)
		id := ""
		for _, t := range a.objects.Category("policy") {
			if t.Name == name {
				id = t.ID
			}
		}
		if id == "" {
			return noPolicy(name)
		}
		who, err := a.users.FindPerson(ctx, []string{"username"}, p.user, false)
		if err != nil {
			return err
		}
		if !who.Exists() {
			return noUser(p.user)
		}
		caller := session.Caller{Method: http.MethodGet, Path: "/", Network: session.Network{IP: p.ip}}
		tried, err := a.executor.Try(ctx, executor.Trial{Policy: id, User: who.ID, Context: made}, caller)
		if err != nil {
			return err
		}
		r = trialReport{Passing: tried.Passing, Messages: tried.Messages}
		for _, l := range report(tried) {
			r.Logs = append(r.Logs, trialLog{l.Level, l.Event, l.Attributes})
		}
		return nil
	})
	return r, err
}

// testPolicy has a server try a policy. There, an expired password is taken
// away by the test of a password expiry policy, as the contract has it, so
// such policies are refused.
func (r *remote) testPolicy(ctx context.Context, name, username string, with map[string]any) (trialReport, error) {
	var list struct {
		Results []struct {
			Key   string `json:"pk"`
			Name  string `json:"name"`
			Model string `json:"meta_model_name"`
		} `json:"results"`
	}
	query := url.Values{"search": {name}, "page_size": {"100"}}
	if err := r.call(ctx, http.MethodGet, "/api/v3/policies/all/?"+query.Encode(), "", nil, &list); err != nil {
		return trialReport{}, err
	}
	for _, one := range list.Results {
		if one.Name != name {
			continue
		}
		if one.Model == "authentik_policies_expiry.passwordexpirypolicy" {
			return trialReport{}, errors.New("the test of a password expiry policy through a server takes expired passwords away: work on the data folder")
		}
		who, err := r.user(ctx, username)
		if err != nil {
			return trialReport{}, err
		}
		var out trialReport
		err = r.post(ctx, "/api/v3/policies/all/"+url.PathEscape(one.Key)+"/test/", map[string]any{"user": who.Key, "context": with}, &out)
		return out, err
	}
	return trialReport{}, noPolicy(name)
}

// print shows a report to whoever sits at the terminal: the verdict first, the
// trace last.
func (r trialReport) print(w io.Writer, name, user string) error {
	out := &bytes.Buffer{}
	verdict := "does not pass"
	if r.Passing {
		verdict = "passes"
	}
	fmt.Fprintf(out, "Policy %s %s for %s.\n", name, verdict, user)
	for _, m := range r.Messages {
		fmt.Fprintf(out, "  message: %s\n", m)
	}
	traced := false
	for _, l := range r.Logs {
		line, isStep := l.Attributes["line"]
		if isStep && l.Level == "debug" {
			if !traced {
				fmt.Fprintln(out, "\nStep by step:")
			}
			traced = true
			printStep(out, fmt.Sprint(line), l.Attributes)
			continue
		}
		fmt.Fprintf(out, "  %s: %s\n", l.Level, l.Event)
		if source, ok := l.Attributes["source"].(string); ok {
			fmt.Fprintf(out, "    > %s\n", source)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// printStep shows a line of the program, with the values after it.
func printStep(out io.Writer, line string, attributes map[string]any) {
	names, _ := attributes["names"].(map[string]any)
	source, _ := attributes["source"].(string)
	depth, _ := strconv.Atoi(fmt.Sprint(attributes["depth"])) // of policies that called this one
	indent := strings.Repeat("    ", depth)
	fmt.Fprintf(out, "%4s  %s%s\n", line, indent, source)
	if text := values(names); text != "" {
		fmt.Fprintf(out, "      %s  %s\n", indent, text)
	}
}
