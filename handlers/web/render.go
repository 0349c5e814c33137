package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/flowledger/flowledger/domain/session"
)

// templates holds the pages by name; a challenge's page has the name of its
// component. Each is the layout with its own content.
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"asset":   assetPath,
		"picture": picture,
		"rich":    rich,
		"age":     age,
		"agent":   session.Device,
		"andBack": andBack,
		"method":  describeMethod,
		"parts":   parts,
	}).ParseFS(FS, "templates/layout.html", "templates/parts.html"))
	files, err := fs.Glob(FS, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		pages[name] = template.Must(template.Must(layout.Clone()).ParseFS(FS, file))
	}
	return pages
}

// templateFor names the page of a component; one that this release cannot
// show has a page that says so.
func templateFor(component string) string {
	shown := strings.HasPrefix(component, "ak-") || strings.HasPrefix(component, "xak-")
	if _, ok := templates[component]; ok && shown {
		return component
	}
	return "unsupported"
}

// render writes a page, all or nothing: a template that fails half-way leaves
// the answer to the caller.
func render(w http.ResponseWriter, status int, name string, view any) error {
	var page bytes.Buffer
	if err := templates[name].Execute(&page, view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the visitor has left; nobody is there to tell
	return nil
}

// A frame is what every page has around its content.
type frame struct {
	Brand   string
	Title   string
	Request string // id of the request, for the reference on error pages
	Layout  string
	Light   string // backdrop, and the one for dark screens if there is another
	Dark    string
	Wide    bool // a page to read, not a card to fill in
}

// DocumentTitle is what the browser's tab says.
func (f frame) DocumentTitle() string {
	if f.Title == "" || f.Title == f.Brand {
		return f.Brand
	}
	return f.Title + " · " + f.Brand
}

// layouts are the arrangements that a flow may ask for.
var layouts = map[string]bool{
	"stacked": true, "content_left": true, "content_right": true, "sidebar_left": true, "sidebar_right": true,
	"sidebar_left_frame_background": true, "sidebar_right_frame_background": true,
}

func (s *Server) frame(r *http.Request, c session.Caller, title string) frame {
	f := frame{Brand: "flowledger", Title: title, Request: c.Request, Layout: "stacked", Light: assetPath("flow_background.svg")}
	if s.Brands != nil {
		if name := s.Brands.Title(r.Context(), c); name != "" {
			f.Brand = name
		}
	}
	return f
}

// decorate applies what a flow says about its looks.
func (f *frame) decorate(info flowInfo) {
	if layouts[info.Layout] {
		f.Layout = info.Layout
	}
	for _, image := range []string{info.Background, info.Themed.Light} {
		if picture(image) != "" {
			f.Light = image
		}
	}
	f.Dark = info.Themed.Dark
}

// picture returns the address of a picture if our policy lets the page load
// it, else nothing: a page with a gap looks broken.
func picture(address string) template.URL {
	if local(address) || strings.HasPrefix(address, "data:image/") {
		return template.URL(address)
	}
	return ""
}
