package siemtest

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed testdata
var data embed.FS

// A schema is OCSF as far as the program uses it: whole classes and objects,
// attributes that it never writes included, so that a misplaced one is told
// from an unknown one.
type schema struct {
	Version  string                       `json:"version"`
	Profiles []string                     `json:"profiles"`
	Classes  map[string]class             `json:"classes"`
	Objects  map[string]object            `json:"objects"`
	Enums    map[string]map[string]string `json:"enums"`
}

type class struct {
	UID        int               `json:"uid"`
	Name       string            `json:"name"`
	Caption    string            `json:"caption"`
	Category   int               `json:"category"`
	Activities map[string]string `json:"activities"`
	object
}

type object struct {
	Attributes  map[string]attribute `json:"attributes"`
	Constraints map[string][]string  `json:"constraints"`
}

// An attribute is one of a class or an object. One of a profile may only be
// there if the record names the profile.
type attribute struct {
	Requirement string `json:"requirement"`
	Type        string `json:"type"`
	Array       bool   `json:"array"`
	Object      string `json:"object"`
	Enum        string `json:"enum"`
	Sibling     string `json:"sibling"`
	Profile     string `json:"profile"`
}

var ocsf = must[schema]("testdata/ocsf-1.8.json")

// must reads a file of this package. What is wrong with one is a fault of ours.
func must[T any](name string) (v T) {
	text, err := data.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		panic(fmt.Sprintf("siemtest: %s: %v", name, err))
	}
	return v
}
