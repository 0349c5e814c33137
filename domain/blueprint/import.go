package blueprint

import (
	"github.com/flowledger/flowledger/domain"
)

// An Import is the aggregate of one application of a blueprint. Its stream is
// blueprint-<id>; the changes themselves are events of the things changed,
// whose correlation is that id.
type Import struct {
	Status  ImportStatus
	File    string
	Text    string // deflated, base64
	Context string // JSON
	By      string
	Via     string
}

// An ImportStatus tells how far an import is.
type ImportStatus string

// The statuses. The zero one is an import that never was.
const (
	Importing ImportStatus = "importing"
	Imported  ImportStatus = "imported"
)

// An ImportEvent is something that happened in an import.
type ImportEvent = domain.Event[Import]

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
func (e BlueprintImportStarted) Evolve(Import) Import {
	return Import{Status: Importing, File: e.File, Text: e.Text.Reveal(), Context: e.Context.Reveal(), By: e.By, Via: e.Via}
}

// BlueprintImportFinished records that everything is applied.
type BlueprintImportFinished struct {
	Status    string `json:"status"` // successful, as the contract has it
	Digest    string `json:"digest"`
	Created   int    `json:"created"`
	Updated   int    `json:"updated"`
	Deleted   int    `json:"deleted"`
	Unchanged int    `json:"unchanged"`
	MS        int64  `json:"ms"` // since it, or what a crash left of it, began
}

// EventType implements [domain.Event].
func (BlueprintImportFinished) EventType() string { return "BlueprintImportFinished" }

// Evolve implements [domain.Event].
func (e BlueprintImportFinished) Evolve(s Import) Import {
	s.Status, s.Text, s.Context = Imported, "", ""
	return s
}

// StartImport begins to apply a blueprint. Repeating it changes nothing.
type StartImport struct {
	BlueprintImportStarted
}

// Decide implements [domain.Command].
func (c StartImport) Decide(s Import) ([]ImportEvent, error) {
	if s.Status != "" {
		return nil, nil
	}
	return []ImportEvent{c.BlueprintImportStarted}, nil
}

// FinishImport says that everything is applied.
type FinishImport struct {
	BlueprintImportFinished
}

// Decide implements [domain.Command].
func (c FinishImport) Decide(s Import) ([]ImportEvent, error) {
	if s.Status != Importing {
		return nil, nil
	}
	return []ImportEvent{c.BlueprintImportFinished}, nil
}
