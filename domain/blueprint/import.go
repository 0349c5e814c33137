package blueprint

import (
	"github.com/flowledger/flowledger/domain"
)

// State is one stream blueprint-<id>: an instance, which is kept and applied
// again and again, or the one import of a blueprint that nobody keeps. The
// changes themselves are events of the things changed, whose correlation is the
// id of the import.
type State struct {
	Life    Life // of an instance; empty for a blueprint that nobody keeps
	Terms   Terms
	Outcome Outcome
	Import  Import
}

// An Import is what is being applied, or was last.
type Import struct {
	ID      string
	Status  ImportStatus
	File    string
	Text    string // deflated, base64
	Context string // JSON
	By      string
	Via     string
}

// An Outcome is how applying an instance ended.
type Outcome struct {
	Status   string // as the contract has it; empty for unknown
	Tried    string // SHA-512 of the text that was tried last, hexadecimal
	Applied  string // of the text that was applied last
	Models   []string
	Metadata Metadata
	Logs     []string // what there was to say
}

// Metadata is what a blueprint says of itself.
type Metadata struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
}

// An ImportStatus tells how far an import is.
type ImportStatus string

// The statuses. The zero one is an import that never was.
const (
	Importing ImportStatus = "importing"
	Imported  ImportStatus = "imported"
)

// An Event is something that happened to a blueprint.
type Event = domain.Event[State]

// The statuses of the contract.
const (
	Unknown    = "unknown"
	Successful = "successful"
	Failed     = "error"
	Orphaned   = "orphaned"
)

// BlueprintImportStarted records that a blueprint was found good and is being
// applied. It carries the text, so that an import that a crash interrupts is
// carried out when the program starts again: all of it, as promised.
type BlueprintImportStarted struct {
	Import  string        `json:"import"` // its id and the event's, under whose own key the text is sealed
	File    string        `json:"file"`
	Digest  string        `json:"digest"` // SHA-256 of the text, hexadecimal
	By      string        `json:"by,omitempty"`
	Via     string        `json:"via"`
	Text    domain.Secret `json:"text" seal:"C"`
	Context domain.Secret `json:"context" seal:"C"`
}

// EventType implements [domain.Event].
func (BlueprintImportStarted) EventType() string { return "BlueprintImportStarted" }

// EventID is the id that the events of the import name as their cause.
func (e BlueprintImportStarted) EventID() string { return e.Import }

// Credential is what the text is sealed under, until everything is applied.
func (e BlueprintImportStarted) Credential() string { return e.Import }

// Evolve implements [domain.Event].
func (e BlueprintImportStarted) Evolve(s State) State {
	s.Import = Import{
		ID: e.Import, Status: Importing, File: e.File, Text: e.Text.Reveal(), Context: e.Context.Reveal(), By: e.By, Via: e.Via,
	}
	return s
}

// BlueprintImportFinished records that everything is applied. Of an instance it
// also tells that there was nothing to apply, or that it could not be: then
// nothing was started.
type BlueprintImportFinished struct {
	Status    string   `json:"status"` // as the contract has it
	Digest    string   `json:"digest"`
	Created   int      `json:"created"`
	Updated   int      `json:"updated"`
	Deleted   int      `json:"deleted"`
	Unchanged int      `json:"unchanged"`
	MS        int64    `json:"ms"`                            // since it, or what a crash left of it, began
	Hash      string   `json:"hash,omitempty"`                // of an instance: SHA-512 of the text, which the contract shows
	Models    []string `json:"models,omitempty"`              // of an instance: what its entries are
	Metadata  Metadata `json:"metadata,omitzero" cleanse:"-"` // of an instance
	Logs      []string `json:"logs,omitempty" seal:"T"`       // why it failed
}

// EventType implements [domain.Event].
func (BlueprintImportFinished) EventType() string { return "BlueprintImportFinished" }

// Evolve implements [domain.Event].
func (e BlueprintImportFinished) Evolve(s State) State {
	if s.Import.Status == Importing {
		s.Import.Status, s.Import.Text, s.Import.Context = Imported, "", ""
	}
	applied := s.Outcome.Applied
	if e.Status == Successful {
		applied = e.Hash
	}
	s.Outcome = Outcome{Status: e.Status, Tried: e.Hash, Applied: applied, Models: e.Models, Metadata: e.Metadata, Logs: e.Logs}
	return s
}

// StartImport begins to apply a blueprint. Repeating it changes nothing. Of two
// who want to apply the same instance, one does.
type StartImport struct {
	BlueprintImportStarted
}

// Decide implements [domain.Command].
func (c StartImport) Decide(s State) ([]Event, error) {
	switch {
	case s.Import.Status != "" && s.Import.ID == c.Import:
		return nil, nil
	case s.Import.Status == Importing:
		return nil, domain.Errorf(domain.Conflict, "The blueprint is being applied.")
	}
	return []Event{c.BlueprintImportStarted}, nil
}

// FinishImport says that everything is applied.
type FinishImport struct {
	Import string // its id
	BlueprintImportFinished
}

// Decide implements [domain.Command].
func (c FinishImport) Decide(s State) ([]Event, error) {
	if s.Import.Status != Importing || s.Import.ID != c.Import {
		return nil, nil
	}
	return []Event{c.BlueprintImportFinished}, nil
}

// NoteImport says of an instance that there was nothing to apply, or why it
// could not be applied. It is no news that nothing is new, unless somebody
// asked for it.
type NoteImport struct {
	Asked bool
	BlueprintImportFinished
}

// Decide implements [domain.Command].
func (c NoteImport) Decide(s State) ([]Event, error) {
	known := s.Outcome.Status == c.Status && s.Outcome.Tried == c.Hash
	if s.Life != Kept || s.Import.Status == Importing || known && !c.Asked {
		return nil, nil
	}
	return []Event{c.BlueprintImportFinished}, nil
}
