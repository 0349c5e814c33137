package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"gopkg.in/yaml.v3"
)

// Itself is the route of the document.
var Itself = Route{Method: http.MethodGet, Path: "schema/", Open: true}

// A Server serves a document. Anybody may read it: it tells what this program
// serves, which is published anyway, and nothing of what is in the ledger.
type Server struct {
	json, yaml []byte
	tag        string // of both, for those who have it already
}

// NewServer makes a server of a document.
func NewServer(d *Document) (*Server, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("write the API's document: %w", err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, fmt.Errorf("write the API's document: %w", err)
	}
	indented, err := yaml.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("write the API's document as YAML: %w", err)
	}
	sum := sha256.Sum256(text)
	return &Server{json: text, yaml: indented, tag: hex.EncodeToString(sum[:8])}, nil
}

// Mount adds the route.
func (s *Server) Mount(r *mux.Router) {
	r.Path("/api/v3/"+Itself.Path).Methods(http.MethodGet, http.MethodHead).HandlerFunc(s.serve)
}

// media are the types that the document comes in, the best first. What ends in
// json is JSON.
var media = []string{"application/json", "application/vnd.oai.openapi+json", "application/yaml", "application/vnd.oai.openapi"}

// serve answers with the document in the form that is asked for: by ?format=
// or else by what the client accepts.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	kind := accepted(r.Header.Get("Accept"))
	switch r.URL.Query().Get("format") {
	case "":
	case "json":
		kind = "application/vnd.oai.openapi+json"
	case "yaml":
		kind = "application/vnd.oai.openapi"
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintln(w, `{"detail":"Not found."}`) // as the contract answers a format that there is not
		return
	}
	text, form := s.yaml, "yaml"
	if strings.HasSuffix(kind, "json") {
		text, form = s.json, "json"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", `"`+s.tag+"-"+form+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// accepted picks the first of our types that a client names, else the first.
func accepted(header string) string {
	for part := range strings.SplitSeq(header, ",") {
		wanted, _, _ := strings.Cut(part, ";")
		for _, kind := range media {
			if strings.EqualFold(strings.TrimSpace(wanted), kind) {
				return kind
			}
		}
	}
	return media[0]
}
