package siem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// A Format is a way to write records.
type Format string

// The formats.
const (
	JSONL  Format = "jsonl"  // JSON Lines: events as the API of the ledger shows them
	CSV    Format = "csv"    // RFC 4180, a row for each event
	OCSF   Format = "ocsf"   // Open Cybersecurity Schema Framework 1.8.0, a JSON object for each line
	ECS    Format = "ecs"    // Elastic Common Schema, a JSON object for each line
	CEF    Format = "cef"    // ArcSight's Common Event Format, a line each
	Syslog Format = "syslog" // RFC 5424, a line each, with the OCSF record as its message
)

// Options say what records show, and of whom they come.
type Options struct {
	Personal bool   // names and addresses; otherwise pseudonymous ids only
	All      bool   // the rows that are off by default, too
	Host     string // name of the host, for syslog
	Message  Format // of syslog: ecs, cef or jsonl; anything else is ocsf
	Version  string // of the program
}

// A writer appends one record, or says that its format has nothing to say of it.
type writer struct {
	media  string
	append func(to []byte, r *Record, o Options) ([]byte, bool, error)
	head   func(o Options) []byte
}

// writers are never written to after the start.
var writers = map[Format]writer{
	JSONL:  {media: "application/jsonl", append: appendJSONL},
	CSV:    {media: "text/csv; charset=utf-8; header=present", append: appendCSV, head: headCSV},
	OCSF:   {media: "application/jsonl", append: appendOCSF},
	ECS:    {media: "application/jsonl", append: appendECS},
	CEF:    {media: "text/plain; charset=utf-8", append: appendCEF},
	Syslog: {media: "text/plain; charset=utf-8", append: appendSyslog},
}

// Formats returns all formats, in the order of their names.
func Formats() []Format {
	all := make([]Format, 0, len(writers))
	for f := range writers {
		all = append(all, f)
	}
	slices.Sort(all)
	return all
}

// Known tells whether there is such a format.
func (f Format) Known() bool { return writers[f].append != nil }

// MediaType returns the type of a body in this format.
func (f Format) MediaType() string { return writers[f].media }

// Head returns what stands before the first record: the names of the columns
// in CSV, and nothing elsewhere.
func (f Format) Head(o Options) []byte {
	if head := writers[f].head; head != nil {
		return head(o)
	}
	return nil
}

// Append writes a record to the end of a buffer, with the end of its line. It
// returns the buffer as it was, and false, if the format has nothing to say of
// the event.
func (f Format) Append(to []byte, r Record, o Options) ([]byte, bool, error) {
	w := writers[f]
	if w.append == nil {
		return to, false, fmt.Errorf("there is no format %q", string(f))
	}
	if silent[r.Stream.Category()] && !o.All {
		return to, false, nil
	}
	grown, said, err := w.append(to, &r, o)
	if err != nil {
		return to, false, fmt.Errorf("write %s %s as %s: %w", r.Type, r.ID, f, err)
	}
	if !said {
		return to, false, nil
	}
	return grown, true, nil
}

// appendJSON writes a value as JSON on a line of its own. Pages do not hold it,
// so that nothing but what JSON demands is escaped.
func appendJSON(to []byte, v any) ([]byte, bool, error) {
	line := bytes.NewBuffer(to)
	out := json.NewEncoder(line)
	out.SetEscapeHTML(false)
	if err := out.Encode(v); err != nil {
		return to, false, err
	}
	return line.Bytes(), true, nil
}

// silent are the categories whose events no format has, unless all are wanted.
var silent = map[string]bool{"worker": true, "export": true}
