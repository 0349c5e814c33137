package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is wrong usage says so in one sentence, and exits with 2.
func TestUsageErrors(t *testing.T) {
	data := t.TempDir()
	for line, want := range map[string]string{
		"":                              "say what to do",
		"dance":                         `there is no command "dance"`,
		"serve now":                     `serve takes no arguments, but got "now"`,
		"serve --nonsense":              "flag provided but not defined: -nonsense",
		"serve --listen":                "flag needs an argument",
		"serve --log-level loud":        "log-level",
		"serve --log-format xml":        `--log-format is text or json, not "xml"`,
		"serve --trusted-proxies 10/8":  `"10/8" is no range of addresses`,
		"serve --base-url login":        `"login" is no URL`,
		"serve --base-url ftp://x":      `"ftp://x" is no URL`,
		"import":                        "import wants at least one file",
		"user":                          "say user create NAME",
		"user create":                   "say user create NAME",
		"user list more":                "say user create NAME",
		"token":                         "say token create USERNAME",
		"token make ada":                "say token create USERNAME",
		"events more":                   `events takes no arguments, but got "more"`,
		"events --since yesterday":      `"yesterday" is neither a time`,
		"events --follow":               "--follow needs --server",
		"execution":                     "execution wants the id of one execution",
		"execution a b":                 "execution wants the id of one execution",
		"user list --store redis:":      `--store "redis:" is none that this version knows`,
		"user list --store memory:more": `--store "memory:more" is none`,
	} {
		args := strings.Fields(line)
		if len(args) > 0 && args[0] != "dance" {
			args = append([]string{args[0], "--data", data}, args[1:]...)
		}
		stdout, stderr, status := flowledger(t, "secret\n", args...)
		if status != exitUsage || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("%q: status %d, %s%s", line, status, stdout, stderr)
		}
		if strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: more than a line: %s", line, stderr)
		}
	}
}

// A job that failed exits with 1.
func TestFailures(t *testing.T) {
	data := t.TempDir()
	for line, want := range map[string]string{
		"import nowhere.yaml":                   "nowhere.yaml",
		"execution 1-2-3":                       `here is no execution "1-2-3"`,
		"token create nobody":                   `there is no user "nobody"`,
		"user set-password nobody":              `there is no user "nobody"`,
		"user list --master-key-file nowhere":   "nowhere",
		"user list --server http://127.0.0.1:1": "http://127.0.0.1:1",
	} {
		args := strings.Fields(line)
		args = append([]string{args[0], "--data", data}, args[1:]...)
		stdout, stderr, status := flowledger(t, "secret\n", args...)
		if status != exitFailed || !strings.Contains(stderr, want) || strings.Contains(stdout+stderr, "secret") {
			t.Errorf("%q: status %d, %s%s", line, status, stdout, stderr)
		}
	}
	if _, stderr, status := flowledger(t, "\n", "user", "create", "--data", data, "ada"); status != exitFailed || !strings.Contains(stderr, "the password is empty") {
		t.Errorf("an empty password: status %d, %s", status, stderr)
	}
	long := strings.Repeat("x", 5000)
	if _, stderr, status := flowledger(t, long, "user", "create", "--data", data, "ada"); status != exitFailed || !strings.Contains(stderr, "longer than 4096 bytes") {
		t.Errorf("a long password: status %d, %s", status, stderr)
	}
}

// Help lists every command; each command's help has its flags, their defaults
// and an example.
func TestHelp(t *testing.T) {
	overview := does(t, "", "help")
	for _, c := range subcommands() {
		if !strings.Contains(overview, c.name) || !strings.Contains(overview, c.about) {
			t.Errorf("help does not mention %s", c.name)
		}
		text := does(t, "", c.name, "--help")
		for _, want := range []string{"Usage: flowledger " + c.name, c.about, "Example: flowledger " + c.name} {
			if !strings.Contains(text, want) {
				t.Errorf("help of %s does not say %q:\n%s", c.name, want, text)
			}
		}
		if c.name != "version" && !strings.Contains(text, "(default ./data)") {
			t.Errorf("help of %s has no defaults:\n%s", c.name, text)
		}
	}
	serve := does(t, "", "serve", "--help")
	for _, want := range []string{
		"--listen address", "(default 127.0.0.1:9000)", "--store", "(default sqlite:)", "--trusted-proxies CIDRs", "--log-level",
		"(default INFO)", "--bootstrap-password", "--metrics-listen", "--master-key-file", "--base-url URL", "--smtp",
	} {
		if !strings.Contains(serve, want) {
			t.Errorf("help of serve does not say %q:\n%s", want, serve)
		}
	}
}

// Every flag has an environment variable, and wins over it.
func TestEnvironment(t *testing.T) {
	t.Setenv("FLOWLEDGER_LISTEN", "127.0.0.1:1")
	t.Setenv("FLOWLEDGER_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")
	t.Setenv("FLOWLEDGER_BASE_URL", "https://login.example.org/")
	t.Setenv("FLOWLEDGER_LOG_LEVEL", "debug")
	parse := func(args ...string) (config, error) {
		var cfg config
		c := &call{cmd: serveCommand(), args: args, stdout: &bytes.Buffer{}}
		fs := c.flags()
		cfg.flags(fs)
		_, err := c.parse(fs)
		return cfg, err
	}
	cfg, err := parse("--listen", "127.0.0.1:2")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.listen != "127.0.0.1:2" || len(cfg.trusted) != 2 || cfg.baseURL != "https://login.example.org" || cfg.logLevel != slog.LevelDebug {
		t.Errorf("config %+v", cfg)
	}
	if cfg, err = parse("--trusted-proxies", "192.0.2.0/24"); err != nil || len(cfg.trusted) != 1 || cfg.listen != "127.0.0.1:1" {
		t.Errorf("config %+v, %v", cfg, err)
	}
	t.Setenv("FLOWLEDGER_TRUSTED_PROXIES", "nonsense")
	if _, err = parse(); err == nil || !strings.Contains(err.Error(), "FLOWLEDGER_TRUSTED_PROXIES") {
		t.Errorf("a bad variable: %v", err)
	}
}

// Flags may stand behind the arguments.
func TestFlagsBehindArguments(t *testing.T) {
	c := &call{cmd: userCommand(), args: []string{"create", "ada", "--name", "Ada", "--superuser"}}
	fs := c.flags()
	name, superuser := fs.String("name", "", ""), fs.Bool("superuser", false, "")
	rest, err := c.parse(fs)
	if err != nil || *name != "Ada" || !*superuser || !cmp.Equal(rest, []string{"create", "ada"}) {
		t.Errorf("name %q, superuser %t, rest %q, %v", *name, *superuser, rest, err)
	}
}

func TestStores(t *testing.T) {
	for store, want := range map[string]string{
		"sqlite:": filepath.Join("d", "events.db"), "sqlite:/x/y.db": "/x/y.db", "memory:": "memory", "postgres://x": "refused", "": "refused",
	} {
		path, memory, err := (&storage{data: "d", store: store}).events()
		got := path
		switch {
		case err != nil:
			got = "refused"
		case memory:
			got = "memory"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", store, got, want)
		}
	}
}

func TestMasterKeyFile(t *testing.T) {
	folder := t.TempDir()
	for name, test := range map[string]struct {
		text string
		good bool
	}{
		"good":    {base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n", true},
		"short":   {base64.StdEncoding.EncodeToString(make([]byte, 31)), false},
		"rubbish": {"not base64 at all", false},
		"empty":   {"", false},
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readKey(path)
		if (err == nil) != test.good || err != nil && test.text != "" && strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVersion(t *testing.T) {
	if _, stderr, status := flowledger(t, "", "version", "please"); status != exitUsage || !strings.Contains(stderr, `but got "please"`) {
		t.Errorf("status %d, %s", status, stderr)
	}
	if got := does(t, "", "version"); !strings.HasPrefix(got, "flowledger dev, revision ") || !strings.Contains(got, "go1.") {
		t.Errorf("says %q", got)
	}
}

// To look into a folder that is not there does not make one.
func TestMissingFolder(t *testing.T) {
	data := filepath.Join(t.TempDir(), "mistyped")
	for _, line := range []string{"events", "execution 1-2-3", "rebuild"} {
		args := strings.Fields(line)
		_, stderr, status := flowledger(t, "", append([]string{args[0], "--data", data}, args[1:]...)...)
		if status != exitFailed || !strings.Contains(stderr, "there is no data folder "+data) {
			t.Errorf("%s: status %d, %s", line, status, stderr)
		}
		if _, err := os.Stat(data); !os.IsNotExist(err) {
			t.Errorf("%s made the folder: %v", line, err)
		}
	}
}

// A data folder that is held by another process is refused with advice.
func TestLockedFolder(t *testing.T) {
	data := t.TempDir()
	a, err := open(storage{data: data, store: "sqlite:"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	_, stderr, status := flowledger(t, "", "user", "--data", data, "list")
	if status != exitFailed || !strings.Contains(stderr, "is in use by a running server: stop it, or give --server URL --token TOKEN") {
		t.Errorf("status %d, %s", status, stderr)
	}
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm()&0o077 != 0 && !strings.HasPrefix(data, os.TempDir()) {
		t.Errorf("folder %v, %v", info, err)
	}
}

// A ledger in memory leaves nothing behind, and touches no data folder.
func TestMemoryStore(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	a, err := open(storage{data: data, store: "memory:"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	temp := a.temp
	if _, err := os.Stat(filepath.Join(temp, "views.db")); err != nil {
		t.Error(err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{data, temp} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is there: %v", path, err)
		}
	}
}

func TestServeOnAPortInUse(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a, _ := newApp(t)
	side, err := newMetrics(a).serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer side.listener.Close()
	var cfg config
	cfg.flags(flag.NewFlagSet("", flag.ContinueOnError))
	cfg.listen, cfg.data = side.listener.Addr().String(), filepath.Join(t.TempDir(), "data")
	err = serve(ctx, &call{}, cfg, discard())
	if err == nil || !strings.Contains(err.Error(), "choose another address with --listen") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(cfg.data); !os.IsNotExist(err) {
		t.Error("the data folder was made nevertheless")
	}
}
