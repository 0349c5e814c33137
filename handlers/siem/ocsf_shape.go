package siem

import "encoding/json"

// An activity is one record of OCSF 1.8.0: the attributes that any of the
// classes has. Which of them a class may have is for who fills it in.
type activity struct {
	ActivityID   int    `json:"activity_id"`
	ActivityName string `json:"activity_name"`
	CategoryUID  int    `json:"category_uid"`
	CategoryName string `json:"category_name"`
	ClassUID     int    `json:"class_uid"`
	ClassName    string `json:"class_name"`
	TypeUID      int    `json:"type_uid"`
	TypeName     string `json:"type_name"`
	SeverityID   int    `json:"severity_id"`
	Severity     string `json:"severity"`
	StatusID     int    `json:"status_id"`
	Status       string `json:"status"`
	StatusDetail string `json:"status_detail,omitempty"`
	Time         int64  `json:"time"`
	Message      string `json:"message"`

	Metadata ocsfMetadata `json:"metadata"`

	Actor       *ocsfActor    `json:"actor,omitempty"`
	User        *ocsfUser     `json:"user,omitempty"`
	Session     *ocsfSession  `json:"session,omitempty"`
	Service     *ocsfThing    `json:"service,omitempty"`
	SrcEndpoint *ocsfEndpoint `json:"src_endpoint,omitempty"`
	HTTPRequest *ocsfRequest  `json:"http_request,omitempty"`

	AuthFactors  []ocsfFactor `json:"auth_factors,omitempty"`
	AuthProtoID  *int         `json:"auth_protocol_id,omitempty"`
	AuthProto    string       `json:"auth_protocol,omitempty"`
	LogonTypeID  int          `json:"logon_type_id,omitempty"`
	LogonType    string       `json:"logon_type,omitempty"`
	SwitchTypeID int          `json:"account_switch_type_id,omitempty"`
	SwitchType   string       `json:"account_switch_type,omitempty"`
	IsMFA        *bool        `json:"is_mfa,omitempty"`
	IsNewLogon   *bool        `json:"is_new_logon,omitempty"`
	IsRemote     *bool        `json:"is_remote,omitempty"`

	ActionID      *int        `json:"action_id,omitempty"`
	Action        string      `json:"action,omitempty"`
	DispositionID int         `json:"disposition_id,omitempty"`
	Disposition   string      `json:"disposition,omitempty"`
	Policy        *ocsfPolicy `json:"policy,omitempty"`

	Entity     *ocsfEntity   `json:"entity,omitempty"`
	Group      *ocsfThing    `json:"group,omitempty"`
	Privileges []string      `json:"privileges,omitempty"`
	App        *ocsfProduct  `json:"app,omitempty"`
	API        *ocsfAPI      `json:"api,omitempty"`
	Database   *ocsfDatabase `json:"database,omitempty"`

	FindingInfo  *ocsfFinding   `json:"finding_info,omitempty"`
	Evidences    []ocsfEvidence `json:"evidences,omitempty"`
	ConfidenceID int            `json:"confidence_id,omitempty"`
	Confidence   string         `json:"confidence,omitempty"`
	IsAlert      *bool          `json:"is_alert,omitempty"`

	Observables []ocsfObservable `json:"observables,omitempty"`
	Unmapped    json.RawMessage  `json:"unmapped,omitempty"`
}

type ocsfMetadata struct {
	Version        string      `json:"version"`
	Product        ocsfProduct `json:"product"`
	Profiles       []string    `json:"profiles,omitempty"`
	UID            string      `json:"uid"`
	EventCode      string      `json:"event_code"`
	CorrelationUID string      `json:"correlation_uid,omitempty"`
	Sequence       int64       `json:"sequence,omitempty"` // up to 32 bits, as the schema has it
	LoggedTime     int64       `json:"logged_time"`
	OriginalTime   string      `json:"original_time,omitempty"`
	TenantUID      string      `json:"tenant_uid,omitempty"`
}

type ocsfProduct struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version,omitempty"`
}

// An ocsfThing is what has a name and a uid: a service, a group.
type ocsfThing struct {
	Name string `json:"name,omitempty"`
	UID  string `json:"uid,omitempty"`
}

type ocsfActor struct {
	User    *ocsfUser    `json:"user,omitempty"`
	Session *ocsfSession `json:"session,omitempty"`
	AppName string       `json:"app_name,omitempty"`
}

type ocsfUser struct {
	UID       string `json:"uid,omitempty"`
	Name      string `json:"name,omitempty"`
	FullName  string `json:"full_name,omitempty"`
	EmailAddr string `json:"email_addr,omitempty"`
	TypeID    int    `json:"type_id"`
	Type      string `json:"type"`
}

type ocsfSession struct {
	UID            string `json:"uid"`
	CreatedTime    int64  `json:"created_time,omitempty"`
	ExpirationTime int64  `json:"expiration_time,omitempty"`
	IsMFA          *bool  `json:"is_mfa,omitempty"`
	IsRemote       bool   `json:"is_remote"`
}

type ocsfEndpoint struct {
	IP       string        `json:"ip,omitempty"`
	UID      string        `json:"uid,omitempty"`
	Name     string        `json:"name,omitempty"`
	Location *ocsfLocation `json:"location,omitempty"`
	System   *ocsfSystem   `json:"autonomous_system,omitempty"`
}

type ocsfLocation struct {
	City      string   `json:"city,omitempty"`
	Country   string   `json:"country,omitempty"`
	Continent string   `json:"continent,omitempty"`
	Lat       *float64 `json:"lat,omitempty"`
	Long      *float64 `json:"long,omitempty"`
}

type ocsfSystem struct {
	Number int    `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
}

type ocsfRequest struct {
	UID       string `json:"uid,omitempty"`
	Method    string `json:"http_method,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
}

type ocsfFactor struct {
	TypeID int    `json:"factor_type_id"`
	Type   string `json:"factor_type"`
	IsTOTP *bool  `json:"is_totp,omitempty"`
}

type ocsfPolicy struct {
	UID     string `json:"uid"`
	Name    string `json:"name,omitempty"`
	Version string `json:"version"`
}

type ocsfEntity struct {
	UID    string    `json:"uid,omitempty"`
	Name   string    `json:"name,omitempty"`
	TypeID int       `json:"type_id"`
	Type   string    `json:"type"`
	User   *ocsfUser `json:"user,omitempty"`
}

type ocsfAPI struct {
	Operation string           `json:"operation"`
	Service   *ocsfThing       `json:"service,omitempty"`
	Request   *ocsfCallRequest `json:"request,omitempty"`
}

type ocsfCallRequest struct {
	UID string `json:"uid"`
}

type ocsfDatabase struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type ocsfFinding struct {
	UID         string   `json:"uid"`
	Title       string   `json:"title"`
	Types       []string `json:"types,omitempty"`
	CreatedTime int64    `json:"created_time"`
}

type ocsfEvidence struct {
	Actor       *ocsfActor    `json:"actor,omitempty"`
	User        *ocsfUser     `json:"user,omitempty"`
	SrcEndpoint *ocsfEndpoint `json:"src_endpoint,omitempty"`
	HTTPRequest *ocsfRequest  `json:"http_request,omitempty"`
}

type ocsfObservable struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type,omitempty"`
	Value  string `json:"value"`
}
