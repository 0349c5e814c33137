package session

import "time"

// A Caller is who makes a request, as far as the request shows it: the
// browser session, the user who is logged in there or owns the bearer token,
// and where the request comes from. The zero value is a stranger.
type Caller struct {
	Session   string // id of the browser session; empty when there is none
	User      string // id of the user; empty for nobody
	Superuser bool   // may do everything
	Token     string // id of the bearer token, when that is how User is known
	Scoped    bool   // the token is limited to what Granted says, whoever owns it
	Granted   Grants
	Stale     bool // the cookie is from before the login of this session: it proves no user
	Network   Network
	Request   string // id of the request, for logs and error pages
	BaseURL   string // scheme and host under which the client sees us, no trailing slash
	Brand     string // id of the brand of that host; empty where there is none
	Method    string
	Path      string // for policies, which the contract lets ask; never recorded
	Route     string // the route's pattern, never the raw path
	Now       time.Time
}

// May tells whether the caller has a permission, given as app.codename. The
// empty one is nobody's but superusers'.
func (c Caller) May(permission string) bool {
	return c.Superuser || c.User != "" && c.Granted[permission]
}

// Grants are permissions, by app.codename: those of the user's roles, or of
// these what a token is limited to.
type Grants map[string]bool

// A Network is where a request comes from. It is personal data, and sealed in
// events as class N.
type Network struct {
	IP             string   `json:"ip,omitempty"`
	Forwarded      []string `json:"forwarded,omitempty"`
	UserAgent      string   `json:"user_agent,omitempty"`
	AcceptLanguage string   `json:"accept_language,omitempty"`
	Place          *Place   `json:"geo,omitempty"` // nil where no database knows
	System         *System  `json:"asn,omitempty"`
}
