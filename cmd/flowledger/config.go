package main

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/flowledger/flowledger/handlers/caller"
)

// A storage says where the ledger and what belongs to it lie.
type storage struct {
	data      string
	store     string
	masterKey string // path of a file; empty for the data folder's own
	guest     bool   // for one job, beside a server that may have the data folder
}

func (s *storage) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.data, "data", "./data", "data `folder`")
	fs.StringVar(&s.store, "store", "sqlite:", "the `ledger`: sqlite:[PATH], memory:, or one that several nodes share: postgres://…, esdb://… or esdb+discover://…")
	fs.StringVar(&s.masterKey, "master-key-file", "", "`file` with the master key, 32 bytes in base64; by default master.key in the data folder")
}

func (s *storage) events() (path string, memory bool, err error) {
	scheme, rest, ok := strings.Cut(s.store, ":")
	switch {
	case ok && scheme == "memory" && rest == "":
		return "", true, nil
	case ok && scheme == "sqlite" && rest == "":
		return filepath.Join(s.data, "events.db"), false, nil
	case ok && scheme == "sqlite":
		return rest, false, nil
	}
	named := s.place()
	if strings.Contains(named, "@") {
		named = scheme + ":" // what follows an unknown scheme may have a password in it
	}
	return "", false, usagef("--store %q is none that this version knows: use sqlite:, sqlite:PATH, memory:, postgres://…, esdb://… or esdb+discover://…", named)
}

// exists refuses a data folder that is not there: to look into one must not
// make an empty one where a path was mistyped.
func (s *storage) exists() error {
	if _, shared := s.engine(); shared && s.masterKey != "" {
		return nil // nothing is looked for in the folder
	} else if !shared {
		if _, inMemory, err := s.events(); err != nil || inMemory {
			return err
		}
	}
	if _, err := os.Stat(s.data); os.IsNotExist(err) {
		return fmt.Errorf("there is no data folder %s: name another with --data, or make it with flowledger serve", s.data)
	}
	return nil // whatever else is wrong with it, opening it tells
}

// A config is what serve is told.
type config struct {
	storage
	outsideFlags
	brokerFlags
	places            placesFlags
	listen            string
	metricsListen     string
	baseURL           string
	smtp              string
	trusted           []netip.Prefix
	bootstrapPassword string
	bootstrapToken    string
	bootstrapEmail    string
	blueprints        string
	logLevel          slog.Level
	logFormat         string
}

func (c *config) flags(fs *flag.FlagSet) {
	c.storage.flags(fs)
	c.outsideFlags.flags(fs)
	c.brokerFlags.flags(fs)
	c.places.flags(fs)
	fs.StringVar(&c.listen, "listen", "127.0.0.1:9000", "`address` for HTTP")
	fs.StringVar(&c.metricsListen, "metrics-listen", "", "`address` for Prometheus, apart from the public one; off by default")
	fs.Func("base-url", "public `URL`, for links; by default the one that the client uses", c.setBaseURL)
	fs.StringVar(&c.smtp, "smtp", "", "mail `server`, smtp://user:password@host:port?tls=starttls|tls|none&from=ADDRESS; without one no mail is sent, and a server that listens on a loopback address only shows mails on standard error")
	fs.Func("trusted-proxies", "`CIDRs`, separated by commas, whose X-Forwarded headers are believed; none by default", func(text string) (err error) {
		c.trusted, err = ranges(text)
		return err
	})
	fs.StringVar(&c.bootstrapPassword, "bootstrap-password", "", "`password` of akadmin; read once, on first start")
	fs.StringVar(&c.bootstrapToken, "bootstrap-token", "", "API `token` of akadmin; read once, on first start")
	fs.StringVar(&c.bootstrapEmail, "bootstrap-email", "", "e-mail `address` of akadmin; read once, on first start")
	fs.StringVar(&c.blueprints, "blueprints", "", "`folder` of blueprints to apply now and whenever they change; none by default")
	fs.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "`level` of the log: debug, info, warn or error")
	fs.StringVar(&c.logFormat, "log-format", "", "`format` of the log, text or json; by default text on a terminal and else json")
}

func (c *config) setBaseURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is no URL such as https://login.example.org", text)
	}
	c.baseURL = strings.TrimSuffix(text, "/")
	return nil
}

// logger makes the log as it was asked for.
func (c *config) logger(w *os.File) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: c.logLevel}
	format := c.logFormat
	if format == "" {
		format = "json"
		if term.IsTerminal(int(w.Fd())) {
			format = "text"
		}
	}
	switch format {
	case "text":
		return slog.New(identified{slog.NewTextHandler(w, options)}), nil
	case "json":
		return slog.New(identified{slog.NewJSONHandler(w, options)}), nil
	}
	return nil, usagef("--log-format is text or json, not %q", format)
}

// identified adds the id of the request to what is logged on its way, unless
// the line names it.
type identified struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h identified) Handle(ctx context.Context, r slog.Record) error {
	id := caller.RequestID(ctx)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "request" {
			id = ""
		}
		return id != ""
	})
	if id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h identified) WithAttrs(attrs []slog.Attr) slog.Handler {
	return identified{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h identified) WithGroup(name string) slog.Handler { return identified{h.Handler.WithGroup(name)} }

// readKey reads a master key that lies elsewhere than in the data folder.
func readKey(path string) (key [32]byte, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return key, fmt.Errorf("read the master key: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(key) {
		return key, fmt.Errorf("%s does not hold 32 bytes in base64", path)
	}
	copy(key[:], raw)
	return key, nil
}
