package siem

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// schemaVersion is the version of OCSF that records keep to.
const schemaVersion = "1.8.0"

// The names of the product in all formats.
const (
	vendor  = "flowledger"
	product = "flowledger"
)

func appendOCSF(to []byte, r *Record, o Options) ([]byte, bool, error) {
	w, ok := rowOf(r)
	if !ok || w.off && !o.All {
		return to, false, nil
	}
	return appendJSON(to, activityOf(w, r, o))
}

// activityOf makes the record of an event.
func activityOf(w row, r *Record, o Options) *activity {
	c := classes[w.class]
	a := &activity{
		ActivityID: w.activity, ActivityName: w.name,
		CategoryUID: c.category, CategoryName: categories[c.category], ClassUID: w.class, ClassName: c.name,
		TypeUID: w.class*100 + w.activity, SeverityID: w.severity, Severity: severities[w.severity],
		StatusID: w.status, Status: statuses[w.status], StatusDetail: w.detail,
		Time: r.RecordedAt.UnixMilli(), Message: title(r.Type), Metadata: metadataOf(r, o),
	}
	if w.activity != other {
		a.ActivityName = c.activities[w.activity]
	}
	a.TypeName = c.name + ": " + a.ActivityName
	a.control(w, r)
	fillers[w.class](a, r, o)
	a.observe()
	a.Unmapped = rest(a, r)
	return a
}

func metadataOf(r *Record, o Options) ocsfMetadata {
	at := r.RecordedAt.UnixMilli()
	m := ocsfMetadata{
		Version: schemaVersion, Product: ocsfProduct{Name: product, VendorName: vendor, Version: o.version(r)},
		UID: r.ID.String(), EventCode: r.Type, CorrelationUID: r.Header.Correlation, Sequence: sequence(r), LoggedTime: at,
		TenantUID: r.Header.Tenant,
	}
	if m.Sequence > math.MaxInt32 {
		m.Sequence = 0
	}
	if m.CorrelationUID == "" {
		m.CorrelationUID = executionOf(r)
	}
	if !r.Header.OccurredAt.IsZero() {
		m.OriginalTime = r.Header.OccurredAt.UTC().Format(time.RFC3339Nano)
	}
	return m
}

// version is that of the program that wrote the event, if it says so.
func (o Options) version(r *Record) string {
	if r.Header.Writer.Version != "" {
		return r.Header.Writer.Version
	}
	return o.Version
}

// sequence is the position as a number, which all formats show as one.
func sequence(r *Record) int64 { return int64(r.Position.Value()) }

// executionOf is the id of the execution that an event belongs to.
func executionOf(r *Record) string {
	if r.Stream.Category() == "execution" {
		return r.Stream.ID()
	}
	return r.Header.Execution
}

// control adds what a policy or an administrator did about the activity.
func (a *activity) control(w row, r *Record) {
	if w.disposition == 0 {
		return
	}
	a.Metadata.Profiles = []string{"security_control"}
	a.ActionID, a.Action = &w.action, actions[w.action]
	a.DispositionID, a.Disposition = w.disposition, dispositions[w.disposition]
	if r.Policy.ID != "" {
		a.Policy = policyOf(r.Policy)
	}
}

func policyOf(ref domain.Ref) *ocsfPolicy {
	return &ocsfPolicy{UID: ref.ID, Name: ref.Name, Version: strconv.FormatInt(ref.Revision, 10)}
}

// observe adds the pivots: whom, and from where.
func (a *activity) observe() {
	if a.User != nil {
		if a.User.Name != "" {
			a.Observables = append(a.Observables, ocsfObservable{Name: "user.name", TypeID: 4, Type: "User Name", Value: a.User.Name})
		}
		if a.User.UID != "" && a.User.UID != unknown {
			a.Observables = append(a.Observables, ocsfObservable{Name: "user.uid", TypeID: 31, Value: a.User.UID})
		}
	}
	if a.SrcEndpoint != nil && a.SrcEndpoint.IP != "" {
		a.Observables = append(a.Observables, ocsfObservable{Name: "src_endpoint.ip", TypeID: 2, Type: "IP Address", Value: a.SrcEndpoint.IP})
	}
}

// rest is the clear payload without what attributes show, and the places of
// the event that no attribute is for.
func rest(a *activity, r *Record) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(r.Payload, &all) != nil {
		return nil
	}
	if a.User != nil {
		delete(all, "user")
	}
	if a.Session != nil {
		delete(all, "session")
	}
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	add := func(key, value string) {
		if _, taken := all[key]; value != "" && !taken {
			all[key], _ = json.Marshal(value)
		}
	}
	add("stream", string(r.Stream))
	add("position", r.Position.String())
	add("execution", executionOf(r))
	add("flow", r.Slug)
	add("designation", r.Designation)
	add("stage", r.Stage.Name)
	add("route", r.Header.Request.Route)
	add("trace", r.Header.Trace)
	add("causation", r.Header.Causation)
	add("on_behalf_of", r.Header.Actor.OnBehalfOf)
	// A map of texts that were just read cannot fail.
	text, _ := json.Marshal(all)
	return text
}
