package web

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/flowledger/flowledger/domain"
)

const (
	maxForm   = 64 << 10  // bytes of a posted form without files
	maxUpload = 768 << 10 // bytes of one with them; as data URIs they fit into what the API takes
	fileKind  = "file"    // of values that are files
)

// form reads a posted form within limits, and makes sure that it is ours.
func (s *Server) form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	limit, read := int64(maxForm), r.ParseForm
	if kind == "multipart/form-data" {
		limit = maxUpload
		read = func() error { return r.ParseMultipartForm(maxUpload) } // all of it in memory
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if err := read(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, domain.Errorf(domain.TooLarge, "The form is larger than %d bytes.", limit)
		}
		return nil, &domain.Error{Code: domain.Invalid, Message: "The form cannot be read.", Err: err}
	}
	form := r.PostForm
	if err := s.Forgery.Check(r, form.Get("csrfmiddlewaretoken")); err != nil || r.MultipartForm == nil {
		return form, err
	}
	for name, files := range r.MultipartForm.File {
		if len(files) == 0 || !strings.HasPrefix(name, promptPrefix+fileKind+".") {
			continue
		}
		uri, err := dataURI(files[0])
		if err != nil {
			return nil, &domain.Error{Code: domain.Invalid, Message: "A file cannot be read.", Err: err}
		}
		form.Set(name, uri)
	}
	return form, nil
}

// dataURI writes a file as the contract wants it; nothing where none was
// chosen. Of its type the parameters are left out, which the contract does not
// know.
func dataURI(h *multipart.FileHeader) (string, error) {
	if h.Filename == "" && h.Size == 0 {
		return "", nil
	}
	f, err := h.Open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	kind, _, err := mime.ParseMediaType(h.Header.Get("Content-Type"))
	if err != nil {
		kind = "application/octet-stream"
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content), nil
}
