package audit

// AuditQueried records that somebody asked for audit data: events, executions,
// the ledger, exports. One and the same question within a few minutes is
// recorded once, and then how often it was asked again.
type AuditQueried struct {
	View         string            `json:"view"`
	Filters      []string          `json:"filters,omitempty"` // names of the filters used
	Count        int               `json:"count"`             // what was found, on all pages
	Requests     int               `json:"requests"`          // how many of them this stands for
	SealedOpened []string          `json:"sealed_opened,omitempty"`
	By           string            `json:"by"`
	Values       map[string]string `json:"values,omitempty" seal:"T"` // of the filters
}

// EventType implements [domain.Event].
func (AuditQueried) EventType() string { return "AuditQueried" }

// Evolve implements [domain.Event].
func (AuditQueried) Evolve(State) State { return State{Written: true} }

// AuditExecutionInspected records that somebody looked into an execution that
// is not their own.
type AuditExecutionInspected struct {
	Execution string `json:"execution"`
	By        string `json:"by"`
	Live      bool   `json:"live"`     // it was under way
	Requests  int    `json:"requests"` // how many of them this stands for
}

// EventType implements [domain.Event].
func (AuditExecutionInspected) EventType() string { return "AuditExecutionInspected" }

// Evolve implements [domain.Event].
func (AuditExecutionInspected) Evolve(State) State { return State{Written: true} }

// AuditAccessRefused records that somebody who may not asked for audit data,
// or wanted to change it.
type AuditAccessRefused struct {
	View   string `json:"view,omitempty"`
	Event  string `json:"event,omitempty"` // id of the one that was to be changed
	Method string `json:"method"`
	By     string `json:"by,omitempty"` // empty for a stranger
	Cause  string `json:"cause"`        // unauthenticated, permission or immutable
}

// EventType implements [domain.Event].
func (AuditAccessRefused) EventType() string { return "AuditAccessRefused" }

// Evolve implements [domain.Event].
func (AuditAccessRefused) Evolve(State) State { return State{Written: true} }

// AuditExported records that events, or executions, left the house as a file.
type AuditExported struct {
	Export     string            `json:"export"`       // its id
	Of         string            `json:"of,omitempty"` // what was exported; events unless it says executions
	Format     string            `json:"format"`
	From       string            `json:"from,omitempty"` // positions of the first and the last event in it
	To         string            `json:"to,omitempty"`
	Count      int               `json:"count"`
	Truncated  bool              `json:"truncated,omitempty"` // there was more than a file may hold
	Digest     string            `json:"digest"`              // SHA-256 of the file, in hexadecimal digits
	WithProofs bool              `json:"with_proofs"`
	Bare       bool              `json:"bare,omitempty"` // ids and no names, addresses or networks
	By         string            `json:"by"`
	Filters    map[string]string `json:"filters,omitempty" seal:"T"`
	Purpose    string            `json:"purpose,omitempty" seal:"T"`
}

// EventID is the event's id in the ledger: whoever has the export finds it.
func (e AuditExported) EventID() string { return e.Export }

// EventType implements [domain.Event].
func (AuditExported) EventType() string { return "AuditExported" }

// Evolve implements [domain.Event].
func (AuditExported) Evolve(State) State { return State{Written: true} }
