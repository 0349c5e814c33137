package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"gopkg.in/yaml.v3"
)

// Itself is the route of the document.
var Itself = Route{Method: http.MethodGet, Path: "schema/", Open: true}

// A Server serves a document. Anybody may read it: it tells what this program
// serves, which is published anyway, and nothing of what is in the ledger.
type Server struct {
	texts func() texts
}

// texts are a document in all its forms.
type texts struct {
	json, yaml []byte
	tag        string // of both, for those who have it already
}

// NewServer makes a server of a document, which is written when somebody asks
// for it: to have it ready would be most of what a start costs.
func NewServer(document func() *Document) *Server {
	return &Server{texts: sync.OnceValue(func() texts { return write(document()) })}
}

// write writes a document. It holds nothing that has no JSON form.
func write(d *Document) texts {
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("openapi: write the document: %v", err))
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		panic(fmt.Sprintf("openapi: read the document: %v", err))
	}
	indented, err := yaml.Marshal(plain)
	if err != nil {
		panic(fmt.Sprintf("openapi: write the document as YAML: %v", err))
	}
	sum := sha256.Sum256(text)
	return texts{json: text, yaml: indented, tag: hex.EncodeToString(sum[:8])}
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
	written := s.texts()
	text, form := written.yaml, "yaml"
	if strings.HasSuffix(kind, "json") {
		text, form = written.json, "json"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", `"`+written.tag+"-"+form+`"`)
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
