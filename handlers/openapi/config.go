package openapi

// errorReportingConfig says that nothing is reported elsewhere.
type errorReportingConfig struct {
	Enabled     bool    `json:"enabled"`
	DSN         string  `json:"sentry_dsn"`
	Environment string  `json:"environment"`
	SendPII     bool    `json:"send_pii"`
	SampleRate  float64 `json:"traces_sample_rate"`
}

// serverConfig is what clients ask first.
type serverConfig struct {
	Reporting     errorReportingConfig `json:"error_reporting"`
	Capabilities  []string             `json:"capabilities"`
	CacheTimeout  int                  `json:"cache_timeout"`
	FlowsTimeout  int                  `json:"cache_timeout_flows"`
	PolicyTimeout int                  `json:"cache_timeout_policies"`
}

// currentBrand is the brand of the host that was asked.
type currentBrand struct {
	Domain             string       `json:"matched_domain"`
	Title              string       `json:"branding_title"`
	Logo               string       `json:"branding_logo"`
	LogoURLs           *themedUrls  `json:"branding_logo_themed_urls"`
	Favicon            string       `json:"branding_favicon"`
	FaviconURLs        *themedUrls  `json:"branding_favicon_themed_urls"`
	CSS                string       `json:"branding_custom_css"`
	MapTiles           string       `json:"branding_map_tiles"`
	FooterLinks        []footerLink `json:"ui_footer_links"`
	Theme              string       `json:"ui_theme"`
	FlowAuthentication string       `json:"flow_authentication,omitempty"`
	FlowUserSwitch     string       `json:"flow_user_switch,omitempty"`
	FlowInvalidation   string       `json:"flow_invalidation,omitempty"`
	FlowRecovery       string       `json:"flow_recovery,omitempty"`
	FlowUnenrollment   string       `json:"flow_unenrollment,omitempty"`
	FlowUserSettings   string       `json:"flow_user_settings,omitempty"`
	FlowDeviceCode     string       `json:"flow_device_code,omitempty"`
	FlowLockdown       string       `json:"flow_lockdown,omitempty"`
	FlowRequest        string       `json:"flow_request,omitempty"`
	Locale             string       `json:"default_locale"`
	Flags              brandFlags   `json:"flags"`
}

// application is an application that somebody has agreed to, as far as it is
// known: applications are no part of this product.
type application struct {
	PK       uuid        `json:"pk"`
	Target   uuid        `json:"pbm_uuid"`
	Name     string      `json:"name"`
	Slug     string      `json:"slug"`
	Launch   *string     `json:"launch_url"`
	Provider *provider   `json:"provider_obj"`
	Back     []provider  `json:"backchannel_providers_obj"`
	Icon     *string     `json:"meta_icon_url"`
	IconURLs *themedUrls `json:"meta_icon_themed_urls"`
}

// provider is what lets an application in; there are none.
type provider struct {
	PK int `json:"pk"`
	form
	Name            string `json:"name"`
	ApplicationSlug string `json:"assigned_application_slug"`
	ApplicationName string `json:"assigned_application_name"`
	BackSlug        string `json:"assigned_backchannel_application_slug"`
	BackName        string `json:"assigned_backchannel_application_name"`
}

// footerLink is a link at the foot of pages.
type footerLink struct {
	Href *string `json:"href"`
	Name string  `json:"name"`
}

// brandFlags are what browsers do by themselves.
type brandFlags struct {
	Continuous bool `json:"flows_continuous_login"`
	Refresh    bool `json:"flows_refresh_others"`
}

// config describes what clients ask before anything else.
func config(*shapes) []resource {
	return []resource{
		{path: "root/config/", more: map[string]deed{
			"GET ": {summary: "Tell clients what this server can do", answer: serverConfig{}},
		}},
		{path: "core/brands/current/", more: map[string]deed{
			"GET ": {summary: "Describe the brand of the host that was asked", answer: currentBrand{}},
		}},
		{path: "core/applications/", more: map[string]deed{
			"GET ": {summary: "List the applications, of which there are none", query: paging, answer: application{}, page: true},
		}},
		{path: "schema/", more: map[string]deed{
			"GET ": {
				summary: "Describe this API", description: "As JSON, or as YAML where the client asks for it.",
				query: []Parameter{by("format", "", "json or yaml.")}, answer: map[string]any{}, media: media,
			},
		}},
	}
}
