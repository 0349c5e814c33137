package siem

// A judgement is an event in the words that formats without classes have.
type judgement struct {
	row
	known   bool   // there is a row
	outcome string // success, failure or unknown
	reason  string
}

// judge says what became of what an event tells.
func judge(r *Record) judgement {
	w, ok := rowOf(r)
	j := judgement{row: w, known: ok, outcome: "success", reason: w.detail}
	switch {
	case !ok:
		j.outcome, j.severity, j.off = "unknown", informational, true
	case w.class == detection:
		j.outcome = "unknown"
	case w.status == failure:
		j.outcome = "failure"
	}
	if j.reason == "" && j.outcome != "success" {
		j.reason = said(r).Cause
	}
	return j
}

// Outcome is what became of what an event tells: success, failure or unknown.
func Outcome(r Record) string { return judge(&r).outcome }

// wanted tells whether formats for watching have the event.
func (j judgement) wanted(o Options) bool { return o.All || j.known && !j.off }
