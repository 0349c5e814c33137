package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/gorilla/mux"
)

// files holds the templates and the assets of the console.
//
//go:embed assets templates
var files embed.FS

// assetHash names the state of all assets. It is part of their address, so
// browsers may keep them for ever and still see a change at once.
var assetHash = hashAssets()

func hashAssets() string {
	h := sha256.New()
	err := fs.WalkDir(files, "assets", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		panic(err) // what is embedded can be read
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// asset returns the address of an asset of the console.
func asset(name string) string { return "/static/console/" + assetHash + "/" + name }

// assetTypes are what assets may be, by the ends of their names.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := mux.Vars(r)["name"]
	mime, ok := assetTypes[path.Ext(name)]
	if _, err := fs.Stat(files, "assets/"+name); err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if mux.Vars(r)["hash"] != assetHash {
		// A page of another release, served by a node not yet restarted.
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("Content-Type", mime)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	http.ServeFileFS(w, r, files, "assets/"+name)
}

// templates holds the pages by name. Each is the layout with its own content;
// what several pages have in common is in files whose names begin with parts.
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(functions).ParseFS(files, "templates/layout.html", "templates/parts*.html"))
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	pages := map[string]*template.Template{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || strings.HasPrefix(name, "parts") {
			continue
		}
		pages[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, file))
	}
	return pages
}
