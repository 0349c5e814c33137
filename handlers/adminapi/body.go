package adminapi

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// maxDepth bounds the nesting of a request's body: nobody writes so much by
// hand, and what is stored is walked again and again.
const maxDepth = 64

// readObject reads a body that is a JSON object. No body is an empty one.
func readObject(r *http.Request) (map[string]any, error) {
	text, err := readBody(r, maxBody)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return map[string]any{}, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, domain.Errorf(domain.Unsupported, "Unsupported media type %q in request.", cut(r.Header.Get("Content-Type")))
	}
	if !utf8.Valid(text) {
		return nil, domain.Errorf(domain.Invalid, "JSON parse error - the text is not UTF-8")
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, domain.Errorf(domain.Invalid, "JSON parse error - %s", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, invalid(catalog.NonField, "Invalid data. Expected a dictionary.")
	}
	return object, check(object)
}

// maxDrain bounds what is read of a body that is too large anyway, so that its
// sender comes to read the answer instead of finding the connection broken.
const maxDrain = 64 << 20

// readBody reads a body of at most limit bytes.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, &domain.Error{Code: domain.Invalid, Message: "The request body could not be read.", Err: err}
	}
	if int64(len(text)) > limit {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain) // its end is no news
		return nil, tooLarge()
	}
	return text, nil
}

func tooLarge() error {
	return domain.Errorf(domain.TooLarge, "The request body is larger than %d bytes.", maxBody)
}

// check refuses what no field may hold.
func check(object map[string]any) error {
	var problems catalog.Problems
	for name, v := range object {
		switch {
		case !shallow(v, maxDepth):
			problems.Add(cut(name), "The value is nested deeper than %d levels.", maxDepth)
		case hasNull(v) || strings.ContainsRune(name, 0):
			problems.Add(cut(name), "Null characters are not allowed.")
		}
	}
	return problems.Err()
}

// shallow tells whether a value is nested less than depth levels.
func shallow(v any, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if !shallow(item, depth-1) {
				return false
			}
		}
	case map[string]any:
		for _, item := range v {
			if !shallow(item, depth-1) {
				return false
			}
		}
	}
	return true
}

// hasNull finds the null character, which C programs take for the end of a
// text, and databases refuse.
func hasNull(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		for _, item := range v {
			if hasNull(item) {
				return true
			}
		}
	case map[string]any:
		for key, item := range v {
			if strings.ContainsRune(key, 0) || hasNull(item) {
				return true
			}
		}
	}
	return false
}

// invalid is an error about one field.
func invalid(field, sentence string) error {
	return catalog.Problems{field: {sentence}}.Err()
}

// cut bounds what of a request goes into an error.
func cut(text string) string {
	if len(text) > 100 {
		text = text[:100]
	}
	return strings.ToValidUTF8(text, "")
}
