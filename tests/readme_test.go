package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	snippet     = regexp.MustCompile("(?ms)^```go\n(.*?)^```")
	snippetFile = regexp.MustCompile(`^// ([\w/.-]+\.go)\n`)
	packageLine = regexp.MustCompile(`(?m)^package \w+`)
)

// TestReadme compiles the Go of README.md. A snippet whose first line is a
// comment with a path, such as "// domain/stage/hello.go", is compiled as that
// file; any other stands alone.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Skip("needs README.md")
	}
	for i, found := range snippet.FindAllStringSubmatch(string(text), -1) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if out, err := compile(t, found[1]); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// compile vets a snippet as part of the module, without writing into it.
func compile(t *testing.T, code string) ([]byte, error) {
	t.Helper()
	path := "readmesnippet/snippet.go"
	if m := snippetFile.FindStringSubmatch(code); m != nil {
		path = m[1]
	}
	if !packageLine.MatchString(code) {
		code = "package " + filepath.Base(filepath.Dir(path)) + "\n\n" + code
	}
	written := filepath.Join(t.TempDir(), "snippet.go")
	if err := os.WriteFile(written, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, path): written}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay", file, "-o", os.DevNull, "./"+filepath.Dir(path))
	cmd.Dir = root
	return cmd.CombinedOutput()
}

// TestReadmeCompiler proves that a wrong snippet is found out.
func TestReadmeCompiler(t *testing.T) {
	tests := map[string]struct {
		code string
		good bool
	}{
		"alone":              {"func Twice(n int) int { return 2 * n }\n", true},
		"alone, wrong":       {"func Twice(n int) int { return 2 * m }\n", false},
		"as a file":          {"// eventstore/snippet.go\nvar _ Store = nil\n", true},
		"as a file, wrong":   {"// eventstore/snippet.go\nvar _ Stroe = nil\n", false},
		"with its own words": {"package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(1) }\n", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if out, err := compile(t, test.code); (err == nil) != test.good {
				t.Errorf("got %v, want good = %v\n%s", err, test.good, strings.TrimSpace(string(out)))
			}
		})
	}
}
