package openapi

import "time"

// decided is what the policies of one target decided.
type decided struct {
	Event    string     `json:"event"`
	Revision int        `json:"revision"`
	Time     time.Time  `json:"time"`
	Kind     string     `json:"target_type" api:"enum=flow|stage_binding|application|prompt_validation|source"`
	Target   definition `json:"target"`
	Phase    string     `json:"phase"`
	Mode     string     `json:"mode" api:"enum=all|any"`
	Passing  bool       `json:"passing"`
	Policies int        `json:"policies"`
	MS       int        `json:"ms"`
}

// forgotten is what can no longer be read.
type forgotten struct {
	Class string    `json:"class"`
	Since time.Time `json:"since"`
}

// explainedValue is a name and what it stood for.
type explainedValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// decisionReason is one verdict.
type decisionReason struct {
	Binding  string           `json:"binding,omitempty"`
	Order    int              `json:"order"`
	Kind     string           `json:"kind"`
	Policy   *definition      `json:"policy,omitempty"`
	Standing string           `json:"standing,omitempty"`
	Negate   bool             `json:"negate"`
	OnError  string           `json:"on_error,omitempty"`
	Outcome  string           `json:"outcome"`
	Passing  bool             `json:"passing"`
	Verdict  string           `json:"verdict"`
	Decisive bool             `json:"decisive"`
	Line     int              `json:"line,omitempty"`
	Column   int              `json:"column,omitempty"`
	Source   string           `json:"source,omitempty"`
	Names    []explainedValue `json:"names,omitempty"`
	Facts    []explainedValue `json:"facts,omitempty"`
	Lookups  []explainedValue `json:"lookups,omitempty"`
	Returned string           `json:"returned,omitempty"`
	Error    string           `json:"error,omitempty"`
	Messages []string         `json:"messages,omitempty"`
	Log      []string         `json:"log,omitempty"`
	MS       int              `json:"ms"`
}

// decision is what the policies of one target said, and why.
type decision struct {
	Event     string           `json:"event"`
	Revision  int              `json:"revision"`
	Time      time.Time        `json:"time"`
	Kind      string           `json:"target_type" api:"enum=flow|stage_binding|application|prompt_validation|source"`
	Target    definition       `json:"target"`
	Name      string           `json:"name"`
	Phase     string           `json:"phase"`
	Mode      string           `json:"mode" api:"enum=all|any"`
	Rule      string           `json:"rule"`
	Passing   bool             `json:"passing"`
	Kept      bool             `json:"kept_on_error"`
	Sentence  string           `json:"sentence"`
	Reasons   []decisionReason `json:"reasons"`
	Because   string           `json:"because"`
	Led       string           `json:"led_to,omitempty"`
	MS        int              `json:"ms"`
	Inputs    string           `json:"inputs,omitempty"`
	Messages  []string         `json:"messages,omitempty"`
	Wishes    []string         `json:"asked_for,omitempty"`
	Forgotten []forgotten      `json:"forgotten,omitempty"`
}

// decisions are all of an execution.
type decisions struct {
	Results []decision `json:"results"`
}

// difference is a part of a state that is another than before.
type difference struct {
	Path string `json:"path"`
	How  string `json:"how" api:"enum=added|removed|changed"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// differences are those between two revisions.
type differences struct {
	From    int          `json:"from"`
	To      int          `json:"to"`
	Results []difference `json:"results"`
}
