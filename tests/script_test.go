package tests

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/*.txtar. Besides testscript's own commands they
// have those of [scriptCommands]; "exec flowledger" runs the built program.
func TestScripts(t *testing.T) {
	program := binary(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			tb, ok := env.T().(testing.TB)
			if !ok {
				return fmt.Errorf("%T is no testing.TB", env.T())
			}
			env.Setenv("PATH", filepath.Dir(program)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("TOKEN", adminToken)
			env.Setenv("PASSWORD", adminPassword)
			env.Setenv("CHEAP_PASSWORD", cheapPassword)
			env.Setenv("CHEAP_HASH", cheapHash())
			env.Setenv("DATA", filepath.Join(env.WorkDir, "data"))
			env.Values[worldKey{}] = &world{tb: tb, clients: map[string]*client{}}
			env.Values[outsideKey{}] = &outside{}
			return nil
		},
		Cmds: scriptCommands,
	})
}

// A world is what the commands of one script share.
type world struct {
	tb      testing.TB
	server  *server
	clients map[string]*client
	last    *answer
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world {
	return ts.Value(worldKey{}).(*world)
}

// scriptCommands are the words of the scripts:
//
//	server start [FLAG…]    start the server on $DATA; $BASE is its address. Started again it keeps its port, and its flags unless there are others
//	server stop             SIGTERM; it must end with status 0 within 10 seconds
//	server kill             SIGKILL
//	outside start [PASSWORD…]   start a server that the program may ask, at $OUTSIDE, which knows stolen passwords
//	outside stop            let it answer no more
//	outside asked PATH      it was asked for a URL that begins so; with ! it was not
//	get PATH, post PATH [JSON], patch PATH JSON, put PATH JSON, delete PATH
//	enter SLUG              fetch the challenge of a flow
//	answer SLUG COMPONENT [FIELD=VALUE…]   answer it and fetch the next
//	import FILE             import a blueprint as the administrator; with ! it must be refused
//	expect status N         judge the last answer
//	expect header NAME VALUE
//	expect json PATH VALUE  VALUE is JSON, or a bare word; without VALUE: it is there. With ! the contrary
//	await PATH AT VALUE     fetch until the answer has the value there
//	keep NAME PATH          put a value of the last answer into a variable
//	find NAME REGEXP        put the first group of a match in the last standard output into a variable
//	cli STATUS ARG… [< FILE]   run the program, with a file as its standard input; it must exit with this status
//
// The requests take "as NAME" before the rest: whose cookies to use. NAME admin
// has the bootstrap token. What came back is the command's standard output.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"server":  scriptServer,
	"outside": scriptOutside,
	"get":     scriptRequest(http.MethodGet),
	"post":    scriptRequest(http.MethodPost),
	"patch":   scriptRequest(http.MethodPatch),
	"put":     scriptRequest(http.MethodPut),
	"delete":  scriptRequest(http.MethodDelete),
	"enter":   scriptEnter,
	"answer":  scriptAnswer,
	"import":  scriptImport,
	"expect":  scriptExpect,
	"await":   scriptAwait,
	"keep":    scriptKeep,
	"find":    scriptFind,
	"cli":     scriptCLI,
}

func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: server start|stop|kill")
	}
	if args[0] == "start" && w.server == nil {
		flags := args[1:]
		if len(flags) == 0 {
			flags = []string{"--bootstrap-password", adminPassword, "--bootstrap-token", adminToken}
		}
		w.server = newServer(w.tb, flags...)
		w.server.data = ts.Getenv("DATA")
		ts.Setenv("BASE", w.server.base)
		ts.Defer(func() {
			if err := w.server.stop(); err != nil {
				w.tb.Errorf("stop the server: %v", err)
			}
			if w.tb.Failed() {
				w.tb.Logf("the server's log ends:\n%s", end(w.server.log.String(), 4<<10))
			}
		})
	}
	if w.server == nil {
		ts.Fatalf("no server was started")
	}
	switch args[0] {
	case "start":
		if len(args) > 1 {
			w.server.args = args[1:]
		}
		ts.Check(w.server.run())
	case "stop":
		ts.Check(w.server.stop())
	case "kill":
		ts.Check(w.server.kill())
	default:
		ts.Fatalf("usage: server start|stop|kill")
	}
	fmt.Fprint(ts.Stdout(), w.server.log)
}

// whose takes "as NAME" off the arguments and returns that client.
func (w *world) whose(ts *testscript.TestScript, args []string) (*client, []string) {
	if w.server == nil {
		ts.Fatalf("no server was started")
	}
	name := "somebody"
	if len(args) > 2 && args[0] == "as" {
		name, args = args[1], args[2:]
	}
	if w.clients[name] == nil {
		w.clients[name] = w.server.visitor(w.tb)
		if name == "admin" {
			w.clients[name] = w.server.admin(w.tb)
		}
	}
	return w.clients[name], args
}

// answered keeps an answer for the commands that judge it.
func (w *world) answered(ts *testscript.TestScript, a *answer, err error) {
	ts.Check(err)
	w.last = a
	fmt.Fprintf(ts.Stdout(), "%s\n", a.body)
}

func scriptRequest(method string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		w := worldOf(ts)
		c, args := w.whose(ts, args)
		if neg || len(args) < 1 || len(args) > 2 {
			ts.Fatalf("usage: %s [as NAME] PATH [JSON]", strings.ToLower(method))
		}
		var body any
		if len(args) == 2 {
			body = raw{kind: "application/json", text: []byte(args[1])}
		}
		a, err := c.send(method, args[0], body)
		w.answered(ts, a, err)
	}
}

func scriptEnter(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	c, args := w.whose(ts, args)
	if neg || len(args) != 1 {
		ts.Fatalf("usage: enter [as NAME] SLUG")
	}
	a, err := c.follow(http.MethodGet, executor(args[0]), nil)
	w.answered(ts, a, err)
}

func scriptAnswer(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	c, args := w.whose(ts, args)
	if neg || len(args) < 2 {
		ts.Fatalf("usage: answer [as NAME] SLUG COMPONENT [FIELD=VALUE…]")
	}
	response := object{"component": args[1]}
	for _, pair := range args[2:] {
		field, value, ok := strings.Cut(pair, "=")
		if !ok {
			ts.Fatalf("%q is not FIELD=VALUE", pair)
		}
		response[field] = value
		if value == "true" || value == "false" {
			response[field] = value == "true"
		}
	}
	a, err := c.follow(http.MethodPost, executor(args[0]), response)
	w.answered(ts, a, err)
}

func scriptImport(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	c, _ := w.whose(ts, []string{"as", "admin", ""})
	if len(args) != 1 {
		ts.Fatalf("usage: [!] import FILE")
	}
	known := strings.NewReplacer("$CHEAP_HASH", ts.Getenv("CHEAP_HASH"), "$OUTSIDE", ts.Getenv("OUTSIDE"))
	a, err := c.importBlueprint(known.Replace(ts.ReadFile(args[0])))
	w.answered(ts, a, err)
	var result struct{ Success bool }
	json.Unmarshal(a.body, &result)
	if good := a.status == http.StatusOK && result.Success; good == neg {
		ts.Fatalf("the import of %s: success is %v: %d %s", args[0], good, a.status, a.body)
	}
}

func scriptExpect(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if w.last == nil || len(args) < 2 {
		ts.Fatalf("usage: expect status|header|json …, after a request")
	}
	var got, want string
	switch args[0] {
	case "status":
		got, want = fmt.Sprint(w.last.status), args[1]
	case "header":
		got, want = w.last.header.Get(args[1]), strings.Join(args[2:], " ")
	case "json":
		o, err := w.last.object()
		ts.Check(err)
		value := at(o, args[1])
		if len(args) == 2 {
			if (value != nil) == neg {
				ts.Fatalf("%s is %v in %s", args[1], value, w.last.body)
			}
			return
		}
		got, want = plain(value), strings.Join(args[2:], " ")
	default:
		ts.Fatalf("expect what?")
	}
	if (got == want) == neg {
		ts.Fatalf("%s: got %q, want %q (negated: %v)\n%d %s", strings.Join(args[:2], " "), got, want, neg, w.last.status, w.last.body)
	}
}

// scriptAwait is for what a worker does: nobody is told when it is done.
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	c, args := w.whose(ts, args)
	if neg || len(args) != 3 {
		ts.Fatalf("usage: await [as NAME] PATH AT VALUE")
	}
	awaitTrue(w.tb, args[1]+" is "+args[2], func() bool {
		a, err := c.send(http.MethodGet, args[0], nil)
		w.answered(ts, a, err)
		o, err := a.object()
		return err == nil && plain(at(o, args[1])) == args[2]
	})
}

func scriptKeep(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || w.last == nil || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATH, after a request")
	}
	o, err := w.last.object()
	ts.Check(err)
	value := at(o, args[1])
	if value == nil {
		ts.Fatalf("there is no %s in %s", args[1], w.last.body)
	}
	ts.Setenv(args[0], plain(value))
}

func scriptFind(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: find NAME REGEXP")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	printed := ts.ReadFile("stdout")
	found := pattern.FindStringSubmatch(printed)
	if len(found) != 2 {
		ts.Fatalf("%s with one group does not match in:\n%s", args[1], printed)
	}
	ts.Setenv(args[0], found[1])
}

func scriptCLI(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || len(args) < 1 {
		ts.Fatalf("usage: cli STATUS ARG… [< FILE]")
	}
	want, args := args[0], args[1:]
	stdin := ""
	if n := len(args); n >= 2 && args[n-2] == "<" {
		stdin, args = ts.ReadFile(args[n-1]), args[:n-2]
	}
	cmd := exec.Command(binary(w.tb), args...)
	cmd.Dir = ts.MkAbs(".")
	stdout, stderr, code := program(cmd, stdin)
	fmt.Fprint(ts.Stdout(), stdout)
	fmt.Fprint(ts.Stderr(), stderr)
	if got := fmt.Sprint(code); got != want {
		ts.Fatalf("exit status %s, want %s", got, want)
	}
}

// plain writes a string as it is and anything else as JSON.
func plain(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
