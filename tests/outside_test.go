package tests

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// An outside is a server on a loopback address that the program may ask. It
// answers ranges of stolen passwords below /range/, and greets elsewhere.
type outside struct {
	server *httptest.Server
	stolen []string // SHA-1, in upper case

	mu    sync.Mutex // guards asked
	asked []string
}

type outsideKey struct{}

// ServeHTTP implements http.Handler.
func (o *outside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.asked = append(o.asked, r.URL.String())
	o.mu.Unlock()
	prefix, ok := strings.CutPrefix(r.URL.Path, "/range/")
	if !ok {
		fmt.Fprint(w, "hello")
		return
	}
	fmt.Fprintf(w, "%035X:0\r\n", 0) // padding
	for _, sum := range o.stolen {
		if strings.HasPrefix(sum, prefix) {
			fmt.Fprintf(w, "%s:42\r\n", sum[5:])
		}
	}
}

// scriptOutside is the command "outside" of the scripts.
func scriptOutside(ts *testscript.TestScript, neg bool, args []string) {
	o, _ := ts.Value(outsideKey{}).(*outside)
	switch {
	case len(args) > 0 && args[0] == "start" && !neg:
		o.start(ts, args[1:])
	case len(args) == 1 && args[0] == "stop" && !neg:
		o.server.Close()
	case len(args) == 2 && args[0] == "asked":
		o.mu.Lock()
		defer o.mu.Unlock()
		if slices.ContainsFunc(o.asked, func(url string) bool { return strings.HasPrefix(url, args[1]) }) == neg {
			ts.Fatalf("asked for %q", o.asked)
		}
	default:
		ts.Fatalf("usage: outside start [PASSWORD…], outside stop, outside asked PATH")
	}
}

func (o *outside) start(ts *testscript.TestScript, passwords []string) {
	for _, p := range passwords {
		sum := sha1.Sum([]byte(p))
		o.stolen = append(o.stolen, strings.ToUpper(hex.EncodeToString(sum[:])))
	}
	o.server = httptest.NewServer(o)
	ts.Defer(o.server.Close)
	ts.Setenv("OUTSIDE", o.server.URL)
}
