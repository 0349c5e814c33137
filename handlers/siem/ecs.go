package siem

import (
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/session"
)

// ecsVersion is the version of ECS that records keep to.
const ecsVersion = "8.17.0"

// An ecsRecord is one event in ECS, with its fields nested.
type ecsRecord struct {
	Timestamp   string            `json:"@timestamp"`
	ECS         ecsValue          `json:"ecs"`
	Message     string            `json:"message"`
	Event       ecsEvent          `json:"event"`
	Observer    ecsObserver       `json:"observer"`
	Host        *ecsHost          `json:"host,omitempty"`
	Service     ecsService        `json:"service"`
	User        *ecsUser          `json:"user,omitempty"`
	Group       *ecsNamed         `json:"group,omitempty"`
	Source      *ecsSource        `json:"source,omitempty"`
	UserAgent   *ecsAgent         `json:"user_agent,omitempty"`
	HTTP        *ecsHTTP          `json:"http,omitempty"`
	Rule        *ecsRule          `json:"rule,omitempty"`
	Trace       *ecsID            `json:"trace,omitempty"`
	Span        *ecsID            `json:"span,omitempty"`
	Transaction *ecsID            `json:"transaction,omitempty"`
	Related     ecsRelated        `json:"related,omitzero"`
	Labels      map[string]string `json:"labels"`
}

type ecsValue struct {
	Version string `json:"version"`
}

type ecsEvent struct {
	ID       string   `json:"id"`
	Action   string   `json:"action"`
	Code     string   `json:"code"`
	Kind     string   `json:"kind"`
	Category []string `json:"category"`
	Type     []string `json:"type"`
	Outcome  string   `json:"outcome"`
	Reason   string   `json:"reason,omitempty"`
	Severity int      `json:"severity"`
	Sequence int64    `json:"sequence"`
	Created  string   `json:"created"`
	Dataset  string   `json:"dataset"`
	Module   string   `json:"module"`
	Provider string   `json:"provider"`
}

type ecsObserver struct {
	Vendor  string `json:"vendor"`
	Product string `json:"product"`
	Type    string `json:"type"`
	Version string `json:"version,omitempty"`
}

type ecsHost struct {
	Name string `json:"name"`
}

type ecsService struct {
	Name string       `json:"name"`
	Type string       `json:"type"`
	Node *ecsNodeName `json:"node,omitempty"`
}

type ecsNodeName struct {
	Name string `json:"name"`
}

type ecsPerson struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	FullName string   `json:"full_name,omitempty"`
	Email    string   `json:"email,omitempty"`
	Roles    []string `json:"roles,omitempty"`
}

type ecsUser struct {
	*ecsPerson
	Target *ecsPerson `json:"target,omitempty"`
}

type ecsNamed struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type ecsSource struct {
	Address string     `json:"address,omitempty"`
	IP      string     `json:"ip,omitempty"`
	Geo     *ecsGeo    `json:"geo,omitempty"`
	AS      *ecsSystem `json:"as,omitempty"`
}

type ecsGeo struct {
	City      string    `json:"city_name,omitempty"`
	Country   string    `json:"country_iso_code,omitempty"`
	Continent string    `json:"continent_code,omitempty"`
	Location  *ecsPoint `json:"location,omitempty"`
}

type ecsPoint struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

type ecsSystem struct {
	Number       int          `json:"number,omitempty"`
	Organization *ecsNodeName `json:"organization,omitempty"`
}

type ecsAgent struct {
	Original string `json:"original"`
}

type ecsHTTP struct {
	Request ecsRequest `json:"request"`
}

type ecsRequest struct {
	ID     string `json:"id,omitempty"`
	Method string `json:"method,omitempty"`
}

type ecsRule struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Version string `json:"version"`
}

type ecsID struct {
	ID string `json:"id"`
}

type ecsRelated struct {
	IP   []string `json:"ip,omitempty"`
	User []string `json:"user,omitempty"`
}

func appendECS(to []byte, r *Record, o Options) ([]byte, bool, error) {
	j := judge(r)
	if !j.wanted(o) {
		return to, false, nil
	}
	return appendJSON(to, ecsOf(j, r, o))
}

func ecsOf(j judgement, r *Record, o Options) *ecsRecord {
	at := r.RecordedAt.UTC().Format(time.RFC3339Nano)
	e := &ecsRecord{
		Timestamp: at, ECS: ecsValue{ecsVersion}, Message: title(r.Type),
		Event: ecsEvent{
			ID: r.ID.String(), Action: r.Type, Code: r.Type, Kind: "event", Outcome: j.outcome, Reason: j.reason,
			Severity: cefSeverities[j.severity], Sequence: sequence(r), Created: at, Dataset: product + ".ledger", Module: product,
			Provider: product,
		},
		Observer: ecsObserver{Vendor: vendor, Product: product, Type: "idm", Version: o.version(r)},
		Service:  ecsService{Name: product, Type: product}, Labels: labelsOf(r),
	}
	e.Event.Category, e.Event.Type = ecsKind(j, r)
	if j.class == detection {
		e.Event.Kind = "alert"
	}
	if node := r.Header.Writer.Node; node != "" {
		e.Service.Node = &ecsNodeName{node}
	}
	if o.Host != "" {
		e.Host = &ecsHost{o.Host}
	}
	e.people(r, o)
	e.context(r)
	if o.Personal {
		e.came(r)
	}
	return e
}

// people adds who acted and whom it was about.
func (e *ecsRecord) people(r *Record, o Options) {
	name := func(p Person) *ecsPerson {
		if p.ID == "" {
			return nil
		}
		e.Related.User = append(e.Related.User, p.ID)
		out := &ecsPerson{ID: p.ID}
		if o.Personal {
			out.Name, out.FullName, out.Email = p.Username, p.Name, p.Email
			if p.Username != "" {
				e.Related.User = append(e.Related.User, p.Username)
			}
		}
		return out
	}
	user, target := name(r.User), name(r.Target)
	if user == nil && target == nil {
		return
	}
	if user != nil && r.Header.Actor.Kind == "admin" && r.Header.Actor.ID == user.ID {
		user.Roles = []string{"admin"}
	}
	e.User = &ecsUser{ecsPerson: user, Target: target}
}

// context adds what the event belongs to.
func (e *ecsRecord) context(r *Record) {
	if id := executionOf(r); id != "" {
		e.Transaction = &ecsID{id}
	}
	if trace, span, ok := traceOf(r.Header.Trace); ok {
		e.Trace, e.Span = &ecsID{trace}, &ecsID{span}
	}
	if r.Policy.ID != "" {
		e.Rule = &ecsRule{ID: r.Policy.ID, Name: r.Policy.Name, Version: strconv.FormatInt(r.Policy.Revision, 10)}
	}
	if q := r.Header.Request; q.ID != "" || methods[q.Method] {
		e.HTTP = &ecsHTTP{ecsRequest{ID: q.ID}}
		if methods[q.Method] {
			e.HTTP.Request.Method = q.Method
		}
	}
	if r.Stream.Category() == "group" {
		e.Group = &ecsNamed{ID: r.Stream.ID()}
	}
}

// traceOf takes the ids of a W3C traceparent apart.
func traceOf(text string) (trace, span string, ok bool) {
	parts := strings.Split(text, "-")
	if len(parts) == 4 {
		parts = parts[1:3]
	}
	if len(parts) != 2 || len(parts[0]) != 32 || len(parts[1]) != 16 {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// came adds from where a request came.
func (e *ecsRecord) came(r *Record) {
	n := r.Network
	if n.UserAgent != "" {
		e.UserAgent = &ecsAgent{n.UserAgent}
	}
	if n.IP == "" {
		return
	}
	s := &ecsSource{Address: n.IP, IP: n.IP, Geo: geoOf(n.Place)}
	if sys := n.System; sys != nil && (sys.Number > 0 || sys.Name != "") {
		s.AS = &ecsSystem{Number: sys.Number}
		if sys.Name != "" {
			s.AS.Organization = &ecsNodeName{sys.Name}
		}
	}
	e.Source = s
	e.Related.IP = append(e.Related.IP, n.IP)
}

// geoOf is a place; nil for one of which nothing is known.
func geoOf(p *session.Place) *ecsGeo {
	if p == nil {
		return nil
	}
	g := ecsGeo{City: p.City, Country: p.Country, Continent: p.Continent}
	if p.Lat != nil && p.Long != nil {
		g.Location = &ecsPoint{*p.Lat, *p.Long}
	}
	if g == (ecsGeo{}) {
		return nil
	}
	return &g
}

// labelsOf are the fields that ECS has no name for.
func labelsOf(r *Record) map[string]string {
	labels := map[string]string{"stream": string(r.Stream), "position": r.Position.String()}
	for key, value := range map[string]string{
		"flow": r.Slug, "designation": r.Designation, "stage": r.Stage.Name, "session": r.Session, "actor_kind": r.Header.Actor.Kind,
		"correlation": r.Header.Correlation, "route": r.Header.Request.Route, "on_behalf_of": r.Header.Actor.OnBehalfOf,
		"intent": r.Intent,
	} {
		if value != "" {
			labels[key] = value
		}
	}
	return labels
}

// ecsTypes are event.type of ECS by the activities of the classes about users
// and things.
var ecsTypes = map[int]map[int]string{
	accountChange: {1: "creation", 6: "deletion"},
	entity:        {1: "creation", 2: "access", 4: "deletion"},
	groups:        {5: "deletion", 6: "creation"},
}

// ecsKind is event.category and event.type.
func ecsKind(j judgement, r *Record) (category, typ []string) {
	if !j.known {
		if r.Stream.Category() == "session" {
			return []string{"session"}, []string{"info"}
		}
		if r.Stream.Category() == "execution" {
			return []string{"authentication"}, []string{"info"}
		}
		return []string{"process"}, []string{"info"}
	}
	change := ecsTypes[j.class][j.activity]
	if change == "" {
		change = "change"
	}
	switch j.class {
	case authentication:
		return ecsLogin(j)
	case accountChange, authorization, userAccess:
		return []string{"iam"}, []string{"user", change}
	case groups:
		return []string{"iam"}, []string{"group", change}
	case entity:
		if r.Stream.Category() == "user" {
			return []string{"iam"}, []string{"user", change}
		}
		return []string{"configuration"}, []string{change}
	case datastore:
		return []string{"database"}, []string{"access"}
	case lifecycle:
		if j.activity == 3 {
			return []string{"process"}, []string{"start"}
		}
		return []string{"process"}, []string{"end"}
	case detection:
		return []string{"intrusion_detection"}, []string{"info"}
	default:
		return []string{"configuration"}, []string{"change"}
	}
}

func ecsLogin(j judgement) (category, typ []string) {
	both := []string{"authentication", "session"}
	switch {
	case j.activity == 6:
		return []string{"authentication"}, []string{"info"}
	case j.activity == 2:
		return both, []string{"end"}
	case j.activity == 7:
		return both, []string{"info"}
	case j.status == failure:
		return []string{"authentication"}, []string{"start"}
	default:
		return both, []string{"start"}
	}
}
