package openapi

import "time"

// token is a token as lists show one.
type token struct {
	PK          uuid       `json:"pk" api:"read"`
	Managed     *string    `json:"managed" api:"read"`
	Identifier  string     `json:"identifier" api:"required,min=1,max=255"`
	Intent      string     `json:"intent" api:"enum=verification|api|recovery|app_password"`
	User        int        `json:"user"`
	Owner       user       `json:"user_obj" api:"read"`
	Description string     `json:"description"`
	Expires     *time.Time `json:"expires"`
	Expiring    bool       `json:"expiring"`
	Scope       *[]string  `json:"scope"` // the contract has none of these
	LastUsed    *time.Time `json:"last_used" api:"read"`
	Key         string     `json:"key,omitempty" api:"read"` // when it is made, this once
}

// tokenView is the key of a token.
type tokenView struct {
	Key string `json:"key"`
}

type tokenSetKey struct {
	Key string `json:"key" api:"required,write,min=1"`
}

// agentDevice is the device of a browser.
type agentDevice struct {
	Brand  *string `json:"brand"`
	Family string  `json:"family"`
	Model  *string `json:"model"`
}

// agentSystem is the system under a browser.
type agentSystem struct {
	Family     string  `json:"family"`
	Major      *string `json:"major"`
	Minor      *string `json:"minor"`
	Patch      *string `json:"patch"`
	PatchMinor *string `json:"patch_minor"`
}

// agentBrowser is a browser.
type agentBrowser struct {
	Family string `json:"family"`
	Major  string `json:"major"`
	Minor  string `json:"minor"`
	Patch  string `json:"patch"`
}

// agent is what a browser says of itself, taken apart.
type agent struct {
	Device  agentDevice  `json:"device"`
	System  agentSystem  `json:"os"`
	Text    string       `json:"string"`
	Browser agentBrowser `json:"user_agent"`
}

// place is where an address is.
type place struct {
	Continent *string  `json:"continent"`
	Country   *string  `json:"country"`
	Lat       *float64 `json:"lat"`
	Long      *float64 `json:"long"`
	City      string   `json:"city"`
}

// system is the network that an address belongs to.
type system struct {
	Number  *int    `json:"asn"`
	Name    *string `json:"as_org"`
	Network *string `json:"network"`
}

// authenticatedSession is a browser in which somebody is logged in.
type authenticatedSession struct {
	UUID      uuid      `json:"uuid" api:"read"`
	Current   bool      `json:"current" api:"read"`
	Agent     agent     `json:"user_agent" api:"read"`
	Place     *place    `json:"geo_ip" api:"read"`
	System    *system   `json:"asn" api:"read"`
	User      int       `json:"user"`
	IP        string    `json:"last_ip" api:"read"`
	UserAgent string    `json:"last_user_agent" api:"read"`
	Used      time.Time `json:"last_used" api:"read"`
	Expires   time.Time `json:"expires" api:"read"`
}

// bulkDeleteSessionResponse is how many sessions ended.
type bulkDeleteSessionResponse struct {
	Deleted int `json:"deleted"`
}

// userConsent is what a user lets an application see.
type userConsent struct {
	PK          int         `json:"pk" api:"read"`
	Expires     *time.Time  `json:"expires" api:"read"`
	Expiring    bool        `json:"expiring" api:"read"`
	User        user        `json:"user" api:"read"`
	Application application `json:"application" api:"read"`
	Permissions string      `json:"permissions" api:"read"`
}

// tokens describes what proves people to the server, and what people have
// agreed to.
func tokens(s *shapes) []resource {
	return []resource{
		{
			path: "core/tokens/", one: "token", many: "tokens", key: key("identifier", ""), name: "Token", fields: s.fieldsOf(token{}),
			search: true, ordered: true, filters: []Parameter{
				by("identifier", "", ""), by("intent", "", ""), by("user__username", "", "Username of the owner."),
				by("description", "", ""), by("expiring", false, ""), at("expires"), by("managed", "", "Nothing manages tokens."),
			},
			more: map[string]deed{
				"GET {}/view_key/": {summary: "Ask for a token's key", description: "Only a digest of it is kept.", answer: tokenView{}},
				"POST {}/set_key/": {summary: "Give a token a key of one's own choosing", body: tokenSetKey{}},
			},
		},
		{
			path: "core/authenticated_sessions/", one: "session", many: "sessions in which somebody is logged in", key: key("uuid", uuid("")),
			name: "AuthenticatedSession", fields: s.fieldsOf(authenticatedSession{}), search: true, ordered: true, more: map[string]deed{
				"DELETE bulk_delete/": {
					summary: "End all sessions of some users", answer: bulkDeleteSessionResponse{},
					query: []Parameter{must(by("user_pks", []int{}, "Keys of the users."))},
				},
			}, filters: []Parameter{
				by("session__last_ip", "", "Address that used it last."), by("session__last_user_agent", "", "Browser that used it last."),
				by("user__username", "", "Username of who is logged in."),
			},
		},
		{
			path: "core/user_consent/", one: "consent", many: "consents", key: key("id", 0), name: "UserConsent", fields: s.fieldsOf(userConsent{}),
			filters: []Parameter{by("user", 0, "Key of the user."), by("application", uuid(""), "The application.")},
		},
	}
}
