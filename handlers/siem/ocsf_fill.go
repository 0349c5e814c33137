package siem

import (
	"encoding/json"
	"math"

	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// unknown stands where a class demands an id and there is none.
const unknown = "unknown"

// fillers add the attributes of each class.
var fillers = map[int]func(*activity, *Record, Options){
	detection:      fillDetection,
	accountChange:  fillAccountChange,
	authentication: fillAuthentication,
	authorization:  fillAuthorization,
	entity:         fillEntity,
	userAccess:     fillUserAccess,
	groups:         fillGroup,
	lifecycle:      func(a *activity, r *Record, o Options) { a.App = &ocsfProduct{product, vendor, o.version(r)} },
	api:            fillAPI,
	datastore:      fillDatastore,
}

// came adds who acted, and from where, as all classes about access have it.
func (a *activity) came(r *Record, o Options) {
	a.Actor, a.SrcEndpoint, a.HTTPRequest = actorOf(r, o), endpointOf(r, o), requestOf(r, o)
}

func fillAuthentication(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.User = userOf(r.whom(), 1, o)
	if r.whom().ID == "" {
		a.User = &ocsfUser{UID: unknown, TypeID: 0, Type: userTypes[0]}
	}
	a.Service = &ocsfThing{Name: r.Slug, UID: r.Flow.ID}
	if r.Slug == "" && r.Flow.ID == "" {
		a.Service = &ocsfThing{Name: product}
	}
	if r.Session != "" {
		a.Session = &ocsfSession{UID: r.Session, IsRemote: true}
	}
	a.LogonTypeID, a.LogonType, a.IsRemote = 3, "Network", new(true)
	switch e := r.Event.(type) {
	case execution.UserLoggedIn:
		a.loggedIn(r, e)
	case execution.LoginFailed:
		a.protocol(e.Method)
		a.AuthFactors = factorsOf(e.Method)
	}
	switch r.Type {
	case "SessionSteppedUp":
		a.IsNewLogon = new(false)
	case "SessionImpersonationStarted", "SessionImpersonationEnded":
		a.SwitchTypeID, a.SwitchType = 2, "Impersonate"
	case "SessionUserSwitched":
		a.SwitchTypeID, a.SwitchType = 1, "Substitute User"
	}
}

// loggedIn adds what proved the user.
func (a *activity) loggedIn(r *Record, e execution.UserLoggedIn) {
	for _, f := range e.Factors {
		a.AuthFactors = append(a.AuthFactors, factorsOf(f.Method)...)
	}
	mfa := e.AAL >= 2
	a.IsMFA, a.IsNewLogon = &mfa, new(true)
	a.protocol(e.AuthMethod)
	a.Session = &ocsfSession{UID: e.Session, CreatedTime: r.RecordedAt.UnixMilli(), IsMFA: &mfa, IsRemote: true}
	if !e.Expires.IsZero() {
		a.Session.ExpirationTime = e.Expires.UnixMilli()
	}
}

// protocol says by which protocol somebody came. Ours has no number.
func (a *activity) protocol(method string) {
	a.AuthProtoID, a.AuthProto = new(other), method
	if method == "" {
		a.AuthProtoID, a.AuthProto = new(0), "Unknown"
	}
}

func factorsOf(method string) []ocsfFactor {
	if method == "" {
		return nil
	}
	f := ocsfFactor{TypeID: other, Type: method}
	if id, ok := factorIDs[method]; ok {
		f.TypeID, f.Type = id, factorTypes[id]
	}
	if method == "totp" {
		f.IsTOTP = new(true)
	}
	return []ocsfFactor{f}
}

func fillAccountChange(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.User = userOf(r.whom(), 1, o)
	if r.Stream.Category() == "device" {
		a.AuthFactors = factorsOf(said(r).Class)
	}
}

func fillAuthorization(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.User = userOf(r.whom(), 1, o)
	a.Privileges = []string{"access"}
	if e, ok := r.Event.(consent.ConsentGranted); ok && len(e.Permissions) > 0 {
		a.Privileges = e.Permissions
	}
	if r.Session != "" {
		a.Session = &ocsfSession{UID: r.Session, IsRemote: true}
	}
}

func fillUserAccess(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.User = userOf(r.whom(), 1, o)
	if e, ok := r.Event.(user.UserRolesChanged); ok {
		a.Privileges = append(append(a.Privileges, e.Added...), e.Removed...)
		if len(e.Added) > 0 {
			a.Privileges = e.Added
		}
	}
	if r.Stream.Category() == "role" {
		a.Privileges = []string{r.Stream.ID()}
	}
	if len(a.Privileges) == 0 {
		a.Privileges = []string{"roles"}
	}
}

func fillGroup(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.Group = &ocsfThing{UID: r.Stream.ID()}
	switch e := r.Event.(type) {
	case group.GroupCreated:
		a.Group.Name = e.Name
	case group.GroupRenamed:
		a.Group.Name = e.To
	case group.GroupMemberAdded, group.GroupMemberRemoved:
		a.User = userOf(r.whom(), 1, o)
	case group.GroupRolesChanged:
		a.Privileges = append(append(a.Privileges, e.Added...), e.Removed...)
	case group.GroupSuperuserChanged:
		a.Privileges = []string{"superuser"}
	}
}

func fillEntity(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.Entity = entityOf(r, o)
}

// entityOf is the thing whose stream an event stands in, or that it names.
func entityOf(r *Record, o Options) *ocsfEntity {
	e := &ocsfEntity{UID: r.Stream.ID(), TypeID: other, Type: r.Stream.Category()}
	var named struct {
		Kind   string `json:"kind"`
		Name   string `json:"name"`
		To     string `json:"to"`
		Object string `json:"object"`
	}
	// Payloads whose keys hold something else name nothing.
	_ = json.Unmarshal(r.Payload, &named)
	e.Name = named.Name
	switch r.Stream.Category() {
	case "user":
		e.TypeID, e.Type, e.User = 2, "User", userOf(r.whom(), 1, o)
		e.Name = e.User.Name
	case "object":
		e.Type = named.Kind
	case "audit":
		e.UID, e.Type = named.Object, named.Kind
	case "role":
		if named.To != "" {
			e.Name = named.To
		}
	}
	if e.Type == "" {
		e.Type = r.Stream.Category()
	}
	if e.UID == "" {
		e.UID = r.Stream.ID()
	}
	return e
}

func fillAPI(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.demanded(r)
	a.API = &ocsfAPI{Operation: r.Type, Service: &ocsfThing{Name: product}}
	if id := r.Header.Request.ID; id != "" {
		a.API.Request = &ocsfCallRequest{UID: id}
	}
}

func fillDatastore(a *activity, r *Record, o Options) {
	a.came(r, o)
	a.demanded(r)
	a.Database = &ocsfDatabase{Name: "ledger", TypeID: other, Type: "Event ledger"}
}

// demanded adds what the classes about applications cannot be without.
func (a *activity) demanded(r *Record) {
	if a.Actor == nil {
		a.Actor = &ocsfActor{AppName: product}
	}
	if a.SrcEndpoint == nil {
		a.SrcEndpoint = &ocsfEndpoint{Name: unknown}
		if kinds[r.Header.Actor.Kind] == 3 {
			a.SrcEndpoint.Name = product
		}
	}
}

func fillDetection(a *activity, r *Record, o Options) {
	a.StatusID, a.Status = 1, "New"
	a.FindingInfo = &ocsfFinding{UID: r.ID.String(), Title: title(r.Type), Types: []string{r.Type}, CreatedTime: r.RecordedAt.UnixMilli()}
	a.ConfidenceID, a.Confidence, a.IsAlert = 3, "High", new(true)
	ev := ocsfEvidence{Actor: actorOf(r, o), SrcEndpoint: endpointOf(r, o), HTTPRequest: requestOf(r, o)}
	if r.whom().ID != "" {
		ev.User = userOf(r.whom(), 1, o)
	}
	if ev.Actor != nil || ev.User != nil || ev.SrcEndpoint != nil {
		a.Evidences = []ocsfEvidence{ev}
	}
}

// whom is the user that an event is about.
func (r *Record) whom() Person {
	if r.Target.ID != "" {
		return r.Target
	}
	return r.User
}

func userOf(p Person, kind int, o Options) *ocsfUser {
	u := &ocsfUser{UID: p.ID, TypeID: kind, Type: userTypes[kind]}
	if u.UID == "" {
		u.UID, u.TypeID, u.Type = unknown, 0, userTypes[0]
	}
	if o.Personal {
		u.Name, u.FullName, u.EmailAddr = p.Username, p.Name, p.Email
	}
	return u
}

// actorOf is who acted; nil if nobody is known.
func actorOf(r *Record, o Options) *ocsfActor {
	h := r.Header.Actor
	kind, known := kinds[h.Kind]
	a := &ocsfActor{}
	switch {
	case h.ID != "" && known && kind != 3:
		p := Person{ID: h.ID}
		if r.User.ID == h.ID {
			p = r.User
		}
		a.User = userOf(p, kind, o)
	case known:
		a.AppName = product
	}
	if h.Session != "" {
		a.Session = &ocsfSession{UID: h.Session, IsRemote: true}
	}
	if *a == (ocsfActor{}) {
		return nil
	}
	return a
}

// endpointOf is where a request came from; nil if that is not known, or not to
// be shown.
func endpointOf(r *Record, o Options) *ocsfEndpoint {
	n := r.Network
	if !o.Personal || n.IP == "" {
		return nil
	}
	e := &ocsfEndpoint{IP: n.IP, Location: locationOf(n.Place)}
	// The schema's numbers have 32 bits, one of them for the sign.
	if s := n.System; s != nil && (s.Number > 0 && s.Number <= math.MaxInt32 || s.Name != "") {
		e.System = &ocsfSystem{Name: s.Name}
		if s.Number <= math.MaxInt32 {
			e.System.Number = s.Number
		}
	}
	return e
}

// locationOf is a place; nil without a city or a country, which one must name.
func locationOf(p *session.Place) *ocsfLocation {
	if p == nil || p.City == "" && p.Country == "" {
		return nil
	}
	return &ocsfLocation{City: p.City, Country: p.Country, Continent: p.Continent, Lat: p.Lat, Long: p.Long}
}

// methods are those that the schema knows.
var methods = map[string]bool{
	"CONNECT": true, "DELETE": true, "GET": true, "HEAD": true, "OPTIONS": true, "PATCH": true, "POST": true, "PUT": true, "TRACE": true,
}

func requestOf(r *Record, o Options) *ocsfRequest {
	q := ocsfRequest{UID: r.Header.Request.ID}
	if methods[r.Header.Request.Method] {
		q.Method = r.Header.Request.Method
	}
	if o.Personal {
		q.UserAgent = r.Network.UserAgent
	}
	if q == (ocsfRequest{}) {
		return nil
	}
	return &q
}
