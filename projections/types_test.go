package projections_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/eventstore/codec"
)

// Every type that has the method EventType in a package below domain can be
// stored and read.
func TestAllEventTypesAreRegistered(t *testing.T) {
	files, err := filepath.Glob("../domain/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	found := 0
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			name, ok := eventTypeOf(decl)
			if !ok {
				continue
			}
			found++
			if !codec.Known(name, 1) {
				t.Errorf("%s: %s is not registered", path, name)
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d types of events, which cannot be all", found)
	}
}

// eventTypeOf returns what a method EventType returns.
func eventTypeOf(decl ast.Decl) (string, bool) {
	method, ok := decl.(*ast.FuncDecl)
	if !ok || method.Recv == nil || method.Name.Name != "EventType" {
		return "", false
	}
	ret, ok := method.Body.List[0].(*ast.ReturnStmt)
	if !ok {
		return "", false
	}
	text, ok := ret.Results[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	name, err := strconv.Unquote(text.Value)
	return name, err == nil
}
