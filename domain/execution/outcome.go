package execution

import (
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/session"
)

// An Outcome is what a stage made of coming up, or of a response: [Ask],
// [Invalid], [Pass] or [Deny].
type Outcome interface{ outcome() }

// A Challenge is what a client is asked, as it stands on the wire but for the
// parts that all challenges share.
type Challenge interface {
	Component() string // the discriminator on the wire
}

// Ask poses a challenge.
type Ask struct {
	Challenge Challenge
	Keep      map[string]domain.Secret // what the answer will be compared with
	Facts     []Event                  // what is to be remembered besides
	Learned   Context                  // kept while the client is asked
	Effects   []Effect                 // done before the client is asked: asking it again does not do them again
	Methods   []string                 // classes of devices offered
	Handover  *Handover                // another flow goes on from here
}

// A Handover starts an execution of another flow, to which the challenge sends
// the client.
type Handover struct {
	Flow    string  // id
	Context Context // what the other execution starts with
}

// Invalid turns a response down. Again is what is asked then; the binding may
// want the flow to start over instead. Refuse denies for good when there is no
// starting over: too many attempts.
type Invalid struct {
	Problems []Problem
	Facts    []Event // evidence, such as LoginFailed
	Grounds  Grounds
	Learned  Context // kept although the answer was wrong
	Again    Ask
	Refuse   string // message of the denial; empty to ask again
}

// Pass completes the stage.
type Pass struct {
	Learned Context
	Removed []string // keys of the context that end here
	Facts   []Event  // such as SubjectIdentified, FactorVerified, UserLoggedIn
	Grounds Grounds
	Effects []Effect
	Insert  []Insertion
	Skipped string // why the stage had nothing to do; empty when it did something
}

// Deny ends the execution, or starts it over where the binding says so.
type Deny struct {
	Message string // for the client; empty for the general one
	Facts   []Event
	Cause   string // deny_stage, no_login or stage_invalid, the default
}

// Grounds are what a judgement rests on that somebody else made. They may be
// read by anybody who may read the event.
type Grounds struct {
	Captcha *CaptchaVerdict `json:"captcha,omitempty"`
}

// A CaptchaVerdict is what a provider made of a captcha: never the client's
// token, nor the rest of the provider's answer.
type CaptchaVerdict struct {
	Success bool     `json:"success"` // the provider's word, not the stage's
	Score   *float64 `json:"score,omitempty"`
	Codes   []string `json:"codes,omitempty"` // of errors; no_answer where there was none
}

func (Ask) outcome()     {}
func (Invalid) outcome() {}
func (Pass) outcome()    {}
func (Deny) outcome()    {}

// A Problem is one thing wrong with a response: the field, the contract's
// code, and the sentence for the client. The sentence may quote the client, so
// it is sealed in events.
type Problem struct {
	Field string `json:"field"`
	Code  string `json:"code"`
	Text  string `json:"-"`
}

// An Insertion puts an entry into the plan: at Index of what is left once the
// stage is passed, -1 for the end.
type Insertion struct {
	Index       int
	Entry       Entry
	Destination string
	By          string
}

// An Effect is a change outside the execution, asked for by a completed stage
// or by a policy. Exactly one of its members but ID is set. Effects are performed in their order
// after the decision is in the ledger, and repeating one changes nothing.
type Effect struct {
	// ID is what the ids of its events are derived from. Effects of policies
	// have one; those of a stage get theirs from where the execution stands.
	ID string `json:"id,omitempty"`

	Authenticate *Authenticate `json:"authenticate,omitempty"`
	EndSession   *EndSession   `json:"end_session,omitempty"`
	WriteUser    *WriteUser    `json:"write_user,omitempty"`
	DeleteUser   *DeleteUser   `json:"delete_user,omitempty"`
	GrantConsent *GrantConsent `json:"grant_consent,omitempty"`
	UseToken     *UseToken     `json:"use_token,omitempty"`
	Rehash       *Rehash       `json:"rehash,omitempty"`

	SendMail       *SendMail       `json:"send_mail,omitempty"`
	ActivateUser   *ActivateUser   `json:"activate_user,omitempty"`
	Record         *Record         `json:"record,omitempty"`
	RemovePassword *RemovePassword `json:"remove_password,omitempty"`
}

// Blocks tells whether the effect must be done before anything more is
// decided: what follows reads what it writes.
func (e Effect) Blocks() bool {
	return e.WriteUser != nil || e.ActivateUser != nil || e.EndSession != nil && e.EndSession.Keep
}

// Authenticate logs a user in to a session, and ends others.
type Authenticate struct {
	Session   string    `json:"session"`
	User      string    `json:"user"`
	Expires   time.Time `json:"expires"`
	Browser   bool      `json:"browser"` // the cookie ends with the browser
	Network   string    `json:"network_binding,omitempty"`
	GeoIP     string    `json:"geoip_binding,omitempty"`
	Terminate []string  `json:"terminate,omitempty"` // ids of sessions
	IP        string    `json:"-"`                   // of the client; [StageCompleted] seals it

	Origin session.Origin `json:"-"` // of that address; sealed with it
}

// EndSession logs a session out. Keep leaves it alive, with nobody logged in,
// for the stages that follow.
type EndSession struct {
	Session string `json:"session"`
	User    string `json:"user,omitempty"`
	Keep    bool   `json:"keep,omitempty"`
}

// WriteUser creates or changes a user. Fields holds the new values by field,
// Password the encoded hash of a new password.
type WriteUser struct {
	User     string         `json:"user"`
	Create   bool           `json:"create,omitempty"`
	Key      int            `json:"pk,omitempty"`
	Fields   map[string]any `json:"-"`
	Password domain.Secret  `json:"-"`
	Groups   []string       `json:"groups,omitempty"`
}

// DeleteUser ends a user, and destroys the keys of what is known of them.
type DeleteUser struct {
	User string `json:"user"`
	By   string `json:"by,omitempty"` // id of who asks for it
}

// GrantConsent remembers that a user lets an application see these things.
type GrantConsent struct {
	User        string              `json:"user"`
	Application consent.Application `json:"application"`
	Permissions []string            `json:"permissions"`
	Mode        string              `json:"mode"`
	Expires     time.Time           `json:"expires,omitzero"`
}

// ActivateUser lets a user log in.
type ActivateUser struct {
	User string `json:"user"`
}

// UseToken uses up the token that led here. Of a stage that is passed it is
// done before the decision: whoever comes second has to hear it.
type UseToken struct {
	Token string `json:"token"`
}

// Rehash replaces the stored form of a password that was just proved right.
type Rehash struct {
	User       string        `json:"user"`
	Credential string        `json:"credential"` // which form it replaces
	Password   domain.Secret `json:"-"`
}

// SendMail asks for a mail. Fields hold to, cc, bcc, subject, and either body
// or template with its context.
type SendMail struct {
	Purpose string         `json:"purpose"`         // notice, confirmation, recovery, code or alert
	Stage   *domain.Ref    `json:"stage,omitempty"` // whose connection it is sent through; nil for the server's
	Link    *Link          `json:"link,omitempty"`
	Fields  map[string]any `json:"-"`

	Limit  *Limit `json:"-"` // how often; asked before the decision
	Nobody bool   `json:"-"` // it only looks as if a mail was sent
}

// A Link in a mail leads back into the execution, in whichever browser it is
// opened. The executor fills in the token and its key before the decision, so
// that doing it twice makes one link.
type Link struct {
	Token    string        `json:"token"`    // id
	Producer string        `json:"producer"` // and the start of its identifier
	Name     string        `json:"name"`     // what the token is called
	Expires  time.Time     `json:"expires"`
	Page     string        `json:"-"` // the address without the key
	Key      domain.Secret `json:"-"`
}

// A Limit is how often mails go to an address on somebody's request.
type Limit struct {
	Address string
	Most    int
	Within  time.Duration
}

// Record puts an event of somebody's own making into the audit trail.
type Record struct {
	Action  string         `json:"action"` // custom_…
	App     string         `json:"app"`    // name of the policy
	Context map[string]any `json:"-"`
}

// RemovePassword leaves a user without a password, if it is still the one
// with this credential.
type RemovePassword struct {
	User       string `json:"user"`
	Credential string `json:"credential"`
}
