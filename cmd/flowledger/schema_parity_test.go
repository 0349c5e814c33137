package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// published is the contract that clients are generated from.
func published(t *testing.T) *openapi3.T {
	t.Helper()
	file := filepath.Join("..", "..", "..", "shared", "contract", "authentik-2026.8.3.openapi.yml")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		t.Skip("needs ../shared/contract")
	}
	document, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// own are operations that the contract does not have.
var own = regexp.MustCompile(`^/(ledger|flows/executions)/|^/reports/exports/\{id\}/file/$|/import/dry_run/$`)

// honest are answers that the contract calls something else than what its own
// server sends, and what they are.
var honest = map[string]string{"flows_instances_export_retrieve": "application/yaml"}

// ofTokens are the fields that tokens have beside the contract's: what they are
// limited to, when they were used last, and the key, which is shown once.
var ofTokens = regexp.MustCompile(`^(answer(\.results\[\])? has|takes) (scope|last_used|key), which the contract (has|does) not$`)

// What the contract has, too, is called the same, is addressed the same, takes
// no less and answers no less.
func TestSchemaKeepsToTheContract(t *testing.T) {
	contract := published(t)
	_, document := served(t)
	for path, item := range document.Paths.Map() {
		theirs := contract.Paths.Value(path)
		for method, op := range item.Operations() {
			name := method + " " + path
			if theirs == nil || theirs.GetOperation(method) == nil {
				if !own.MatchString(path) {
					t.Errorf("%s is not in the contract", name)
				}
				continue
			}
			for _, complaint := range compare(op, theirs.GetOperation(method)) {
				if strings.HasPrefix(path, "/core/tokens/") && ofTokens.MatchString(complaint) {
					continue
				}
				t.Errorf("%s %s", name, complaint)
			}
		}
	}
}

// compare says where an operation differs from the contract's.
func compare(op, theirs *openapi3.Operation) (found []string) {
	if op.OperationID != theirs.OperationID {
		found = append(found, "is called "+op.OperationID+", not "+theirs.OperationID)
	}
	for _, p := range theirs.Parameters {
		if got := op.Parameters.GetByInAndName(p.Value.In, p.Value.Name); p.Value.In == "path" && got == nil {
			found = append(found, "lacks the parameter "+p.Value.Name)
		}
	}
	if op.RequestBody != nil && theirs.RequestBody != nil {
		for media, body := range theirs.RequestBody.Value.Content {
			ours := op.RequestBody.Value.Content[media]
			if ours == nil {
				found = append(found, "takes no "+media)
				continue
			}
			if got, want := ours.Schema.Ref, body.Schema.Ref; got != want {
				found = append(found, "takes "+got+", not "+want)
			}
			for name := range ours.Schema.Value.Properties {
				if !slices.Contains(properties(body.Schema.Value), name) {
					found = append(found, "takes "+name+", which the contract does not")
				}
			}
		}
	}
	for status, answer := range theirs.Responses.Map() {
		if status[0] != '2' {
			continue
		}
		ours := op.Responses.Value(status)
		if ours == nil {
			found = append(found, "has no answer "+status)
			continue
		}
		for media, body := range answer.Value.Content {
			if ours.Value.Content[honest[op.OperationID]] != nil {
				continue
			}
			if got := ours.Value.Content[media]; got == nil {
				found = append(found, "answers no "+media)
			} else {
				found = append(found, differs("answer", got.Schema, body.Schema, 0)...)
			}
		}
	}
	return found
}

// properties are the names of a schema and of its choices.
func properties(s *openapi3.Schema) (names []string) {
	for name := range s.Properties {
		names = append(names, name)
	}
	for _, of := range slices.Concat(s.OneOf, s.AllOf) {
		names = append(names, properties(of.Value)...)
	}
	return names
}

// differs says where a value of the one schema may not be one of the other:
// what the contract requires must be there, with a type that it allows.
func differs(at string, ours, theirs *openapi3.SchemaRef, depth int) (found []string) {
	if depth > 4 {
		return nil
	}
	of, want := unwrapped(ours), unwrapped(theirs)
	name, wanted := last(ours), last(theirs)
	// Choices are named in the contract, and listed in place here.
	if wanted != "" && name != wanted && len(want.Enum) == 0 {
		found = append(found, at+" is "+name+", not "+wanted)
	}
	if of.Type != nil && want.Type != nil && !want.Type.Is(of.Type.Slice()[0]) && (!want.Type.Is("number") || !of.Type.Is("integer")) {
		found = append(found, at+" is "+of.Type.Slice()[0]+", not "+want.Type.Slice()[0])
	}
	if ours.Value.Nullable && !theirs.Value.Nullable {
		found = append(found, at+" may be null")
	}
	if len(want.Enum) > 0 && len(of.Enum) > 0 {
		for _, choice := range of.Enum {
			if !slices.Contains(want.Enum, choice) {
				found = append(found, at+" may be "+choice.(string))
			}
		}
	}
	for _, property := range want.Required {
		if !slices.Contains(of.Required, property) {
			found = append(found, at+" need not have "+property)
		}
	}
	for property, schema := range of.Properties {
		if of := want.Properties[property]; of != nil {
			found = append(found, differs(at+"."+property, schema, of, depth+1)...)
		} else if len(want.Properties) > 0 && len(want.OneOf) == 0 {
			found = append(found, at+" has "+property+", which the contract has not")
		}
	}
	if of.Items != nil && want.Items != nil {
		found = append(found, differs(at+"[]", of.Items, want.Items, depth+1)...)
	}
	for component, ref := range mapping(of) {
		for theirComponent, theirRef := range mapping(want) {
			if component == theirComponent && ref != theirRef {
				found = append(found, at+" calls "+component+" "+ref+", not "+theirRef)
			}
		}
	}
	return found
}

func mapping(s *openapi3.Schema) map[string]string {
	out := map[string]string{}
	if s.Discriminator != nil {
		for component, to := range s.Discriminator.Mapping {
			out[component] = to.Ref
		}
	}
	return out
}

// unwrapped is the schema itself where another wraps it.
func unwrapped(s *openapi3.SchemaRef) *openapi3.Schema {
	if len(s.Value.AllOf) == 1 {
		return s.Value.AllOf[0].Value
	}
	return s.Value
}

// last is the name of a schema among the components.
func last(s *openapi3.SchemaRef) string {
	if len(s.Value.AllOf) == 1 {
		s = s.Value.AllOf[0]
	}
	return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
}
