package execution

import "github.com/flowledger/flowledger/domain"

// MappingException is the class of an expression that failed where it does not
// end the execution: what it was to compute is left as it stands.
const MappingException = "property_mapping_exception"

// A Diagnostic is a fault in what is configured that an execution went on
// with. Its detail may quote people, so it is sealed in events.
type Diagnostic struct {
	Class  string     `json:"class"` // the contract's action, such as [MappingException]
	Ref    domain.Ref `json:"ref"`   // what is configured wrongly
	Part   string     `json:"part"`  // the field of it
	Detail string     `json:"-"`
}

// Diagnosed makes the event that tells of faults: nothing of the context
// changed, because of them.
func Diagnosed(by string, faults []Diagnostic) ContextChanged {
	e := ContextChanged{By: by, Touched: []string{}, Diagnostics: faults}
	for _, f := range faults {
		e.Details = append(e.Details, f.Detail)
	}
	return e
}
