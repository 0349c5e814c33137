package object

import (
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
)

func init() {
	catalog.Register(catalog.Kind{
		Model: BrandModel, Category: catalog.Brand, Path: "core/brands", Name: "Brand", Key: "brand_uuid",
		Natural: [][]string{{"domain"}},
		New: func() any {
			return &Brand{Title: "flowledger", Attributes: map[string]any{}}
		},
	})
}

// Brand is what an installation looks like under a domain, and which flows it
// uses by default (spec/flows.md 9). There are no applications and no
// certificates to refer to; the contract has the fields.
type Brand struct {
	Domain         string         `json:"domain" catalog:"required"`
	Default        bool           `json:"default"`
	Title          string         `json:"branding_title"`
	Logo           string         `json:"branding_logo" catalog:"blank"`
	Favicon        string         `json:"branding_favicon" catalog:"blank"`
	CustomCSS      string         `json:"branding_custom_css" catalog:"blank,verbatim"`
	Background     string         `json:"branding_default_flow_background" catalog:"blank"`
	MapTiles       string         `json:"branding_map_tiles" catalog:"blank"`
	Authentication *string        `json:"flow_authentication" catalog:"ref=flow"`
	Invalidation   *string        `json:"flow_invalidation" catalog:"ref=flow"`
	Recovery       *string        `json:"flow_recovery" catalog:"ref=flow"`
	Unenrollment   *string        `json:"flow_unenrollment" catalog:"ref=flow"`
	UserSettings   *string        `json:"flow_user_settings" catalog:"ref=flow"`
	DeviceCode     *string        `json:"flow_device_code" catalog:"ref=flow"`
	Lockdown       *string        `json:"flow_lockdown" catalog:"ref=flow"`
	Request        *string        `json:"flow_request" catalog:"ref=flow"`
	UserSwitch     *string        `json:"flow_user_switch" catalog:"ref=flow"`
	Application    *string        `json:"default_application" catalog:"ref=authentik_core.application"`
	Certificate    *string        `json:"web_certificate" catalog:"ref=authentik_crypto.certificatekeypair"`
	Certificates   []string       `json:"client_certificates" catalog:"ref=authentik_crypto.certificatekeypair"`
	Attributes     map[string]any `json:"attributes"`
}

// BrandOf returns the brand of a host: the one whose domain is the longest end
// of it, else the default one.
func BrandOf(host string, brands []Thing) (Thing, bool) {
	var best Thing
	found := -1
	host = strings.ToLower(host)
	for _, t := range brands {
		fit := -1
		domain, _ := t.Fields["domain"].(string)
		domain = strings.ToLower(domain)
		if isDefault, _ := t.Fields["default"].(bool); isDefault {
			fit = 0
		}
		if domain != "" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			fit = len(domain)
		}
		if fit > found {
			best, found = t, fit
		}
	}
	return best, found >= 0
}
