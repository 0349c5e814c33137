package openapi

import (
	"reflect"
	"slices"
	"strings"
)

// exportsAre is what is said of all exports.
const exportsAre = "An export is written while it is made. Its trailers say how many records it has, its SHA-256, and, if there was more, " +
	"where to go on; the ledger keeps who made it, with what filters and for what purpose. There are 2 of one person at a time, and 4 in all."

// exported are the parameters that all exports have.
func exported(formats string) []Parameter {
	s := &shapes{}
	format := s.of(reflect.TypeFor[string]())
	for f := range strings.SplitSeq(formats, "|") {
		format.Enum = append(format.Enum, f)
	}
	kind := parameter("format", format, "How records are written.")
	kind.Required = true
	return []Parameter{
		kind, by("personal", false, "With names, addresses and networks. It needs the permission authentik_flows.inspect_flow."),
		by("purpose", "", "What it is for, for the record; 500 characters at most."),
		by("limit", 0, "How many records; 100000 unless given, and at most."),
	}
}

// exportedEvents are the parameters of exports of events.
func exportedEvents() []Parameter {
	out := slices.Concat(exported("cef|csv|ecs|jsonl|ocsf|syslog"), []Parameter{
		by("after", "", "Begin behind this position."), by("all", false, "With what is off by default in the format."),
	}, eventsWanted())
	for _, p := range append(executionFilters(), by("search", "", "Words that all must occur.")) {
		p.Name = "execution__" + p.Name
		out = append(out, p)
	}
	return out
}
