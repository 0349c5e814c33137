package flowapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/flowledger/flowledger/domain"
)

// statuses is the table from codes to statuses.
var statuses = map[domain.Code]int{
	domain.Internal:        http.StatusInternalServerError,
	domain.Invalid:         http.StatusBadRequest,
	domain.Unauthenticated: http.StatusForbidden, // as the contract's clients expect
	domain.Forbidden:       http.StatusForbidden,
	domain.NotFound:        http.StatusNotFound,
	domain.Conflict:        http.StatusConflict,
	domain.Expired:         http.StatusGone,
	domain.TooLarge:        http.StatusRequestEntityTooLarge,
	domain.Unsupported:     http.StatusUnsupportedMediaType,
	domain.Busy:            http.StatusServiceUnavailable,
}

// handle turns a handler that may fail into one of net/http. It is the one
// place where errors are logged and shown.
func (s *Server) handle(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		code, sentence := domain.Explain(err)
		if code == domain.Internal && r.Context().Err() == nil {
			s.Log.ErrorContext(r.Context(), "request failed", "error", err)
		}
		if code == domain.Busy {
			w.Header().Set("Retry-After", "1")
		}
		detail := map[string]any{"detail": sentence}
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Code == domain.Invalid && len(e.Fields) > 0 {
			detail = map[string]any{}
			for field, faults := range e.Fields {
				detail[field] = faults
			}
		}
		if err := writeJSON(w, statuses[code], detail); err != nil {
			s.Log.DebugContext(r.Context(), "answer not written", "error", err)
		}
	})
}

func notAllowed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD, POST") // RFC 9110, 15.5.6
	// Nothing can be done about a client that does not take its answer.
	_ = writeJSON(w, http.StatusMethodNotAllowed, map[string]any{"detail": "Method \"" + r.Method + "\" not allowed."})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, err = w.Write(text)
	return err
}
