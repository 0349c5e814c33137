package tests

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/flowledger/flowledger"

// A layer is a row of the table: a package, what of ours it may import, and
// which modules of others. A pattern that ends in /… means the package and all
// below it; whatever it matches must stand in a row further up.
type layer struct {
	path   string
	ours   []string
	others []string
}

// layers are the packages from the innermost to the outermost. A package
// without a row, or an import that its row does not grant, fails the test.
var layers = []layer{
	{path: "domain"},
	{path: "domain/domaintest", ours: []string{"domain"}, others: []string{"github.com/google/go-cmp"}},
	// Fields hold identifiers, which are checked as they are read.
	{path: "domain/catalog", ours: []string{"domain"}, others: []string{"github.com/google/uuid"}},
	{path: "domain/object", ours: []string{"domain", "domain/catalog"}},
	{path: "domain/user", ours: []string{"domain"}, others: []string{"golang.org/x/crypto"}},
	{path: "domain/device", ours: []string{"domain"}},
	{path: "domain/group", ours: []string{"domain"}},
	// A permission is about a kind.
	{path: "domain/role", ours: []string{"domain", "domain/catalog"}},
	// What a token is limited to is permissions.
	{path: "domain/token", ours: []string{"domain", "domain/catalog", "domain/role"}},
	{path: "domain/key", ours: []string{"domain"}},
	{path: "domain/retention", ours: []string{"domain"}},
	{path: "domain/invitation", ours: []string{"domain"}},
	{path: "domain/consent", ours: []string{"domain"}},
	{path: "domain/mail", ours: []string{"domain"}},
	// A transport names a template of mails.
	{path: "domain/notification", ours: []string{"domain", "domain/catalog", "domain/mail"}},
	{path: "domain/guard", ours: []string{"domain"}},
	{path: "domain/worker", ours: []string{"domain"}},
	// A sink is a kind of the catalog.
	{path: "domain/trail", ours: []string{"domain", "domain/catalog"}},
	{path: "domain/audit", ours: []string{"domain"}},
	{path: "domain/session", ours: []string{"domain"}},
	// A visit names its caller, which is the session's word.
	{path: "domain/execution", ours: []string{"domain", "domain/session", "domain/consent"}},
	{path: "domain/expr/syntax"},
	{path: "domain/expr", ours: []string{"domain/expr/syntax"}, others: []string{"go.starlark.net"}},
	// Not the estimator's own search: it unpacks its words whenever a process
	// starts.
	{path: "domain/policy", ours: []string{"domain/…"}, others: []string{
		"github.com/ccojocar/zxcvbn-go/adjacency", "github.com/ccojocar/zxcvbn-go/data", "github.com/ccojocar/zxcvbn-go/entropy",
		"github.com/ccojocar/zxcvbn-go/match", "github.com/ccojocar/zxcvbn-go/scoring",
	}},
	{path: "domain/stage", ours: []string{"domain/…"}, others: []string{"github.com/google/uuid", "github.com/pquerna/otp", "github.com/go-webauthn"}},
	{path: "domain/blueprint", ours: []string{"domain", "domain/catalog", "domain/object"}, others: []string{"gopkg.in/yaml.v3"}},

	{path: "eventstore", others: []string{"github.com/google/uuid"}},
	{path: "eventstore/eventstoretest", ours: []string{"eventstore"}, others: []string{"github.com/google/go-cmp", "github.com/google/uuid", "golang.org/x/sync"}},
	{path: "eventstore/memory", ours: []string{"eventstore"}, others: []string{"github.com/google/uuid"}},
	{path: "eventstore/sqlite", ours: []string{"eventstore"}, others: []string{"zombiezen.com/go/sqlite", "github.com/google/uuid"}},
	{path: "eventstore/postgres", ours: []string{"eventstore"}, others: []string{"github.com/jackc/pgx", "github.com/google/uuid"}},
	{path: "eventstore/postgres/postgrestest", others: []string{"github.com/jackc/pgx"}},
	// The client leaves a header and the meaning of errors to its protocol.
	{path: "eventstore/esdb", ours: []string{"eventstore"}, others: []string{"github.com/EventStore/EventStore-Client-Go", "google.golang.org/grpc", "github.com/google/uuid"}},
	{path: "eventstore/esdb/esdbtest", others: []string{"github.com/EventStore/EventStore-Client-Go", "google.golang.org/grpc", "github.com/google/uuid"}},
	{path: "eventstore/lease", ours: []string{"eventstore"}, others: []string{"github.com/google/uuid"}},
	{path: "eventstore/codec", ours: []string{"domain", "eventstore"}, others: []string{"github.com/google/uuid"}},
	// The keys lie in an embedded file of their own.
	{path: "eventstore/vault", ours: []string{"eventstore"}, others: []string{"zombiezen.com/go/sqlite"}},
	{path: "eventstore/vault/vaulttest", ours: []string{"eventstore", "eventstore/vault"}, others: []string{"github.com/google/go-cmp"}},
	// On the shared engines the keys lie beside the ledger.
	{path: "eventstore/vault/pgkeys", ours: []string{"eventstore", "eventstore/vault"}, others: []string{"github.com/jackc/pgx"}},
	{path: "eventstore/vault/esdbkeys", ours: []string{"eventstore", "eventstore/esdb", "eventstore/vault"}, others: []string{"golang.org/x/sync"}},
	{path: "eventstore/feed", ours: []string{"eventstore"}, others: []string{"github.com/ThreeDotsLabs/watermill", "github.com/google/uuid"}},

	{path: "projections", ours: []string{"domain/…", "eventstore", "eventstore/codec", "eventstore/feed"},
		others: []string{"github.com/ThreeDotsLabs/watermill", "zombiezen.com/go/sqlite", "github.com/google/uuid"}},

	{path: "handlers/command", ours: []string{"domain", "eventstore", "eventstore/codec"}, others: []string{"github.com/google/uuid"}},
	// What an append says of its cause is the codec's Meta, so whoever appends
	// speaks of it.
	{path: "handlers/account", ours: []string{"domain/…", "eventstore", "eventstore/codec", "handlers/command"}, others: []string{"github.com/google/uuid"}},
	{path: "handlers/executor", ours: []string{"domain/…", "eventstore", "eventstore/codec", "handlers/command", "handlers/account"}, others: []string{"github.com/google/uuid"}},
	{path: "handlers/importer", ours: []string{"domain/…", "eventstore", "eventstore/codec", "handlers/command", "handlers/account"}, others: []string{"github.com/google/uuid"}},
	// Three HTTP packages ask who makes a request; this one tells.
	{path: "handlers/caller", ours: []string{"domain/…", "eventstore", "eventstore/codec", "handlers/command"}, others: []string{"github.com/gorilla/mux", "github.com/google/uuid"}},
	// Three HTTP packages show audit data; this one records who looked.
	{path: "handlers/exporter", ours: []string{"domain/…", "eventstore", "eventstore/codec", "handlers/command"}},
	{path: "handlers/looked", ours: []string{"domain/…", "eventstore", "eventstore/codec", "eventstore/vault", "handlers/command"}},
	// The outgoing trail: records in the formats of those who collect logs.
	{path: "handlers/siem", ours: []string{"domain/…", "eventstore", "eventstore/codec"}},
	// What the published standards say of those formats, for tests.
	{path: "handlers/siem/siemtest"},
	{path: "handlers/flowapi", ours: []string{"domain/…", "handlers/looked"}, others: []string{"github.com/gorilla/mux"}},
	{path: "handlers/adminapi", ours: []string{"domain/…", "eventstore", "eventstore/codec", "handlers/command", "handlers/account", "handlers/looked"}, others: []string{"github.com/gorilla/mux", "github.com/google/uuid"}},
	// What stages ask and what the catalog's kinds hold is described as it is.
	{path: "handlers/openapi", ours: []string{"domain/catalog", "domain/stage"}, others: []string{"github.com/gorilla/mux", "gopkg.in/yaml.v3"}},
	// One page shows the API's document.
	{path: "handlers/web", ours: []string{"domain/…", "handlers/openapi"}, others: []string{"github.com/gorilla/mux"}},
	// Tells executions to people, for whoever shows or prints them.
	{path: "handlers/story", ours: []string{"domain/…", "eventstore", "eventstore/codec", "projections"}},
	{path: "handlers/auditapi", ours: []string{"domain/…", "eventstore", "handlers/looked", "handlers/siem", "handlers/story", "projections"}, others: []string{"github.com/gorilla/mux", "github.com/google/uuid"}},
	// The audit console shares the frame of the other pages.
	{path: "handlers/console", ours: []string{"domain/…", "eventstore", "projections", "handlers/looked", "handlers/story", "handlers/web"}, others: []string{"github.com/gorilla/mux"}},
	// The world outside, as policies and stages ask it, and the databases of places.
	{path: "handlers/outside", ours: []string{"domain/policy", "domain/session", "domain/stage", "domain"}, others: []string{"github.com/oschwald/maxminddb-golang", "golang.org/x/sync"}},
	{path: "handlers/worker", ours: []string{"domain/…", "eventstore/…", "handlers/command"}, others: []string{
		"github.com/ThreeDotsLabs/watermill", "github.com/wneessen/go-mail", "github.com/google/uuid",
		// How much of what was written has arrived, the system knows.
		"golang.org/x/sys/unix",
		// The brokers, a file each: watermill's publishers and the clients that they are given.
		"github.com/ThreeDotsLabs/watermill-nats/v2", "github.com/ThreeDotsLabs/watermill-kafka/v3", "github.com/ThreeDotsLabs/watermill-redisstream",
		"github.com/nats-io/nats.go", "github.com/IBM/sarama", "github.com/redis/go-redis/v9", "github.com/rabbitmq/amqp091-go",
	}},

	{path: "cmd/flowledger", ours: []string{"…"}, others: []string{"…"}},
	{path: "tests"},
}

// Below domain there is no clock, no chance and no outside world.
var (
	banned      = []string{"os", "net/http", "log/slog", "math/rand", "math/rand/v2", "crypto/rand"}
	bannedCalls = map[string][]string{
		"time": {"Now", "Since", "Until"},
		"uuid": {"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7"},
	}
)

func TestLayers(t *testing.T) {
	packages := list(t, `{{.ImportPath}} {{join .Imports " "}}`, "../...")
	if len(packages) < 5 {
		t.Fatalf("go list names %d packages only", len(packages))
	}
	for _, fields := range packages {
		for _, complaint := range violations(layers, fields[0], fields[1:]) {
			t.Error(complaint)
		}
	}
	for _, fields := range list(t, `{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}`, ".") {
		for _, imported := range fields[1:] {
			if strings.HasPrefix(imported, module) {
				t.Errorf("the black-box tests import %s", imported)
			}
		}
	}
}

func TestDomainHasNoClock(t *testing.T) {
	err := filepath.WalkDir("../domain", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, call := range impure(file) {
			t.Errorf("%s uses %s", name, call)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// impure are the uses of the clock and of chance in a file.
func impure(file *ast.File) (calls []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := selector.X.(*ast.Ident); ok && slices.Contains(bannedCalls[of.Name], selector.Sel.Name) {
			calls = append(calls, of.Name+"."+selector.Sel.Name)
		}
		return true
	})
	return calls
}

// violations says what is wrong with a package of ours.
func violations(table []layer, name string, imports []string) (found []string) {
	name = strings.TrimPrefix(strings.TrimPrefix(name, module), "/")
	row := position(table, name)
	if row < 0 {
		return []string{fmt.Sprintf("%s has no row in the table of packages", name)}
	}
	for _, imported := range imports {
		if complaint := table[row].complaint(table[:row], imported); complaint != "" {
			found = append(found, fmt.Sprintf("%s imports %s: %s", name, imported, complaint))
		}
	}
	return found
}

// complaint says why the row may not import a package; above are the rows
// that are further in.
func (l layer) complaint(above []layer, imported string) string {
	if of, ok := strings.CutPrefix(imported, module+"/"); ok {
		switch {
		case !matches(l.ours, of):
			return "its row does not grant it"
		case position(above, of) < 0:
			return "it stands in no row above"
		}
		return ""
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") { // the standard library
		if l.pure() && slices.Contains(banned, imported) && !l.speaks(imported) {
			return "the domain is pure"
		}
		return ""
	}
	for _, pattern := range l.others {
		if pattern == "…" || imported == pattern || strings.HasPrefix(imported, pattern+"/") {
			return ""
		}
	}
	return "its row does not grant this module"
}

// pure says whether the row is subject to what the domain forbids.
func (l layer) pure() bool { return l.path == "domain" || strings.HasPrefix(l.path, "domain/") }

// speaks is the one exception: a secret implements slog.LogValuer, so that it
// hides itself from every logger. Nothing there logs.
func (l layer) speaks(imported string) bool { return l.path == "domain" && imported == "log/slog" }

func matches(patterns []string, name string) bool {
	for _, pattern := range patterns {
		root, all := strings.CutSuffix(pattern, "…")
		root = path.Clean(root)
		if pattern == "…" || name == root || all && strings.HasPrefix(name, root+"/") {
			return true
		}
	}
	return false
}

func position(table []layer, name string) int {
	for i, row := range table {
		if row.path == name {
			return i
		}
	}
	return -1
}

// list runs go list and splits its lines into words.
func list(t *testing.T, format, pattern string) (lines [][]string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-f", format, pattern).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

// TestLayerRules proves that each kind of violation is found.
func TestLayerRules(t *testing.T) {
	table := []layer{
		{path: "domain"},
		{path: "domain/stage", ours: []string{"domain/…"}},
		{path: "eventstore", others: []string{"github.com/google/uuid"}},
		{path: "handlers/web", ours: []string{"domain/…", "projections"}},
		{path: "projections"},
	}
	tests := map[string]struct {
		name     string
		imported string
		found    int
	}{
		"granted":                          {"domain/stage", module + "/domain", 0},
		"granted by a pattern":             {"handlers/web", module + "/domain/stage", 0},
		"granted, of others":               {"eventstore", "github.com/google/uuid", 0},
		"the standard library":             {"eventstore", "os", 0},
		"not granted":                      {"domain", module + "/domain/stage", 1},
		"not granted, of others":           {"domain", "github.com/google/uuid", 1},
		"not granted, of a similar name":   {"eventstore", "github.com/google/uuidx", 1},
		"granted, but further out":         {"handlers/web", module + "/projections", 1},
		"the outside world in the domain":  {"domain/stage", "net/http", 1},
		"chance in the domain":             {"domain", "math/rand/v2", 1},
		"logging in the domain":            {"domain/stage", "log/slog", 1},
		"no row":                           {"domain/helper", "fmt", 1},
		"imports something without a row":  {"domain/stage", module + "/domain/nowhere", 1},
		"imports something like a pattern": {"domain/stage", module + "/domainx", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := violations(table, module+"/"+test.name, []string{test.imported}); len(got) != test.found {
				t.Errorf("got %q, want %d complaints", got, test.found)
			}
		})
	}
	file, err := parser.ParseFile(token.NewFileSet(), "a.go", "package a\nvar x = time.Now()\nvar y = time.Unix(0, 0)", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := impure(file); len(got) != 1 || got[0] != "time.Now" {
		t.Errorf("impure calls: got %q, want time.Now", got)
	}
}
