package adminapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
)

// mountBrands adds what brands have beside the endpoints of every kind.
func (s *Server) mountBrands(r *mux.Router) {
	s.route(r, "core/brands/current/", anybody, verbs{http.MethodGet: s.currentBrand})
}

// brandPeculiarity: brands are addressed by their key under a name of its own,
// which the catalog tells.
func brandPeculiarity() peculiarity {
	return peculiarity{
		order:   []string{"domain"},
		search:  []string{"domain", "branding_title"},
		derived: map[string]func(*view, object.Thing) any{"brand_uuid": primaryKey},
		amend:   amendBrand,
	}
}

// amendBrand allows one default brand.
func amendBrand(s *Server, id string, _, set map[string]any) catalog.Problems {
	if set["default"] != true {
		return nil
	}
	another := func(t object.Thing) bool { return t.ID != id && t.Fields["default"] == true }
	if slices.ContainsFunc(s.Things.Category(catalog.Brand), another) {
		return catalog.Problems{"default": {"Only a single brand can be set as default."}}
	}
	return nil
}

// brandedTexts are the fields of a brand that strangers may see.
var brandedTexts = []string{"branding_title", "branding_logo", "branding_favicon", "branding_custom_css", "branding_map_tiles"}

// currentBrand describes the brand of the host that was asked.
func (s *Server) currentBrand(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	v := s.view(r)
	brand, ok := s.Things.Brand(v.host)
	if !ok {
		k, _ := catalog.Lookup(object.BrandModel)
		brand = object.Thing{Kind: k.Model, Fields: map[string]any{"domain": "fallback"}}
	}
	out := map[string]any{
		"matched_domain": text(brand, "domain"), "ui_footer_links": []any{}, "ui_theme": "automatic",
		"default_locale": "",
		"flags":          map[string]bool{"flows_continuous_login": false, "flows_refresh_others": false},
	}
	for _, name := range brandedTexts {
		out[name] = v.field(brand, name)
	}
	for _, name := range []string{"branding_logo", "branding_favicon"} {
		out[name+"_themed_urls"] = themes(written(out[name]))
	}
	for _, f := range kindOf(brand).Fields() {
		if flow, ok := s.Things.Thing(text(brand, f.Name)); ok && strings.HasPrefix(f.Name, "flow_") {
			out[f.Name] = text(flow, "slug")
		}
	}
	return writeJSON(w, http.StatusOK, out)
}
