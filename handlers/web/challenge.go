package web

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A challenge is what the pages read of one. Its shape on the wire is the
// stage's business (spec/flows.md 6); what no page shows is not read.
type challenge struct {
	Component string               `json:"component"`
	Info      flowInfo             `json:"flow_info"`
	Errors    map[string][]problem `json:"response_errors"`

	PendingUser string `json:"pending_user"`
	Avatar      string `json:"pending_user_avatar"`

	ErrorMessage string `json:"error_message"` // access denied
	RequestID    string `json:"request_id"`    // flow error
	ErrorText    string `json:"error"`
	Traceback    string `json:"traceback"`
	To           string `json:"to"`   // redirect
	Body         string `json:"body"` // shell
	StageName    string `json:"name"` // dummy

	UserFields      []string `json:"user_fields"` // identification
	PasswordFields  bool     `json:"password_fields"`
	AllowShow       bool     `json:"allow_show_password"`
	PrimaryAction   string   `json:"primary_action"`
	ApplicationPre  string   `json:"application_pre"`
	KnownIdentifier string   `json:"pending_user_identifier"`
	EnrollURL       string   `json:"enroll_url"`
	RecoveryURL     string   `json:"recovery_url"`
	PasswordlessURL string   `json:"passwordless_url"`
	RememberMe      bool     `json:"enable_remember_me"`
	Sources         []source `json:"sources"`
	Captcha         *captcha `json:"captcha_stage"`

	captcha // of the stage of its own

	Fields []prompt `json:"fields"` // prompt

	HeaderText  string       `json:"header_text"` // consent
	Permissions []permission `json:"permissions"`
	Additional  []permission `json:"additional_permissions"`
	Token       string       `json:"token"`

	BrandName       string `json:"brand_name"` // session end
	Application     string `json:"application_name"`
	ApplicationURL  string `json:"application_launch_url"`
	InvalidationURL string `json:"invalidation_flow_url"`
	OverviewURL     string `json:"overview_url"`

	Devices       []device     `json:"device_challenges"` // authenticator validation
	Configuration []setupStage `json:"configuration_stages"`
}

type flowInfo struct {
	Title      string `json:"title"`
	Background string `json:"background"`
	Themed     struct {
		Light string `json:"light"`
		Dark  string `json:"dark"`
	} `json:"background_themed_urls"`
	CancelURL string `json:"cancel_url"`
	Layout    string `json:"layout"`
}

type problem struct {
	String string `json:"string"`
	Code   string `json:"code"`
}

type source struct {
	Name      string `json:"name"`
	Icon      string `json:"icon_url"`
	Challenge struct {
		Component string `json:"component"`
		To        string `json:"to"`
	} `json:"challenge"`
}

type permission struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

type device struct {
	Class     string `json:"device_class"`
	UID       string `json:"device_uid"`
	Challenge struct {
		Email string `json:"email"`
	} `json:"challenge"`
}

type setupStage struct {
	PK          string `json:"pk"`
	Name        string `json:"name"`
	VerboseName string `json:"verbose_name"`
}

// readChallenge goes by way of JSON, so that it sees what any client would,
// whatever Go types the stage has put into the map.
func readChallenge(wire map[string]any) (challenge, error) {
	var ch challenge
	text, err := json.Marshal(wire)
	if err != nil {
		return ch, fmt.Errorf("write challenge: %w", err)
	}
	if err := json.Unmarshal(text, &ch); err != nil {
		return ch, fmt.Errorf("read challenge %s: %w", ch.Component, err)
	}
	return ch, nil
}

// Links returns the sources that are a link. The others need a script of
// their own, which this page does not have.
func (ch challenge) Links() []source {
	var links []source
	for _, s := range ch.Sources {
		if s.Challenge.Component == "xak-flow-redirect" {
			links = append(links, s)
		}
	}
	return links
}

// codeClasses are the classes of devices whose proof is a typed code.
var codeClasses = map[string]bool{"totp": true, "static": true, "sms": true, "email": true}

// TakesCode tells whether a device is there whose code can be typed.
func (ch challenge) TakesCode() bool {
	for _, d := range ch.Devices {
		if codeClasses[d.Class] {
			return true
		}
	}
	return false
}

// Senders returns the devices that a code is sent to on request.
func (ch challenge) Senders() []device {
	var senders []device
	for _, d := range ch.Devices {
		if d.Class == "sms" || d.Class == "email" {
			senders = append(senders, d)
		}
	}
	return senders
}

// IdentifierLabel names what to type to say who one is.
func (ch challenge) IdentifierLabel() string {
	words := map[string]string{"username": "username", "email": "email", "upn": "UPN"}
	var known []string
	for _, field := range ch.UserFields {
		if word, ok := words[field]; ok {
			known = append(known, word)
		}
	}
	if len(known) == 0 {
		return "Username"
	}
	label := strings.Join(known, " or ")
	return strings.ToUpper(label[:1]) + label[1:]
}

// OnlyEmail tells whether a person is identified by address and nothing else.
func (ch challenge) OnlyEmail() bool {
	return len(ch.UserFields) == 1 && ch.UserFields[0] == "email"
}
