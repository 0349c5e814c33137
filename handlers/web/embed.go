package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/gorilla/mux"
)

// FS holds the templates and the assets of the pages.
//
//go:embed assets templates
var FS embed.FS

// assetHash names the state of all assets. It is part of their address, so
// browsers may keep them for ever and still see a change at once.
var assetHash = hashAssets()

func hashAssets() string {
	h := sha256.New()
	err := fs.WalkDir(FS, "assets", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := FS.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		panic(err) // what is embedded can be read
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// assetPath returns the address of an asset.
func assetPath(name string) string { return "/static/web/" + assetHash + "/" + name }

// assetTypes lists the assets and what they are. Nothing else is served, and
// no table of the machine has a say in it.
var assetTypes = map[string]string{
	"app.css":             "text/css; charset=utf-8",
	"app.js":              "text/javascript; charset=utf-8",
	"captcha.js":          "text/javascript; charset=utf-8",
	"api.js":              "text/javascript; charset=utf-8",
	"icon.svg":            "image/svg+xml",
	"flow_background.svg": "image/svg+xml",
	"user_default.svg":    "image/svg+xml",
}

// mountAssets adds the files that pages and challenges refer to. Challenges
// name pictures by the addresses that authentik's clients know.
func (s *Server) mountAssets(m *mux.Router) {
	m.HandleFunc("/static/web/{hash}/{name}", serveAsset).Methods(http.MethodGet, http.MethodHead)
	m.HandleFunc("/static/dist/assets/images/{name}", serveAsset).Methods(http.MethodGet, http.MethodHead)
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := mux.Vars(r)["name"]
	mime, ok := assetTypes[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	switch hash, hashed := mux.Vars(r)["hash"]; {
	case hash == assetHash:
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case hashed:
		// A page of another release, served by a node not yet restarted.
		h.Set("Cache-Control", "no-cache")
	default:
		h.Set("Cache-Control", "public, max-age=3600")
	}
	h.Set("Content-Type", mime)
	h.Set("X-Content-Type-Options", "nosniff")
	// A picture that is opened on its own is a document, and may do nothing.
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	http.ServeFileFS(w, r, FS, "assets/"+name)
}
