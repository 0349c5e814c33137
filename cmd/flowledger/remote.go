package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A remote is a running server that a command works on through its API.
type remote struct {
	base  string
	token string
	http  http.Client
}

func (t *target) remote() *remote {
	return &remote{base: strings.TrimSuffix(t.server, "/"), token: t.token, http: http.Client{Timeout: time.Minute}}
}

// copy prints an answer as it is.
func (r *remote) copy(ctx context.Context, path string, out io.Writer) error {
	text, err := r.ask(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// call sends a request and reads a JSON answer into out, which may be nil.
func (r *remote) call(ctx context.Context, method, path, kind string, body io.Reader, out any) error {
	text, err := r.ask(ctx, method, path, kind, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// ask sends a request and returns the answer, up to a limit.
func (r *remote) ask(ctx context.Context, method, path, kind string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, usagef("--server %q: %v", r.base, err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Accept", "application/json")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	answer, err := r.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", r.base, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", r.base, err)
	}
	if answer.StatusCode >= 300 {
		return nil, fmt.Errorf("%s answers %s: %s", r.base, answer.Status, sentence(text))
	}
	return text, nil
}

// sentence puts an error of the contract into words: its detail, or what is
// wrong with which field. What is neither is cut and shown as it is.
func sentence(body []byte) string {
	var shape map[string]any
	if json.Unmarshal(body, &shape) != nil || len(shape) == 0 {
		return string(bytes.TrimSpace(body[:min(len(body), 200)]))
	}
	if detail, ok := shape["detail"].(string); ok {
		return detail
	}
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(shape)) {
		said := shape[field]
		if list, ok := said.([]any); ok {
			words := make([]string, len(list))
			for i, item := range list {
				words[i] = fmt.Sprint(item)
			}
			said = strings.Join(words, " ")
		}
		if field == "non_field_errors" {
			parts = append(parts, fmt.Sprint(said))
		} else {
			parts = append(parts, fmt.Sprintf("%s: %v", field, said))
		}
	}
	return strings.Join(parts, "; ")
}

// post sends JSON.
func (r *remote) post(ctx context.Context, path string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return r.call(ctx, http.MethodPost, path, "application/json", bytes.NewReader(text), out)
}

// importFile has a server import a file, or say what that would do.
func (r *remote) importFile(ctx context.Context, out io.Writer, file string, given map[string]any, dry bool) error {
	text, err := readBlueprint(file)
	if err != nil {
		return err
	}
	kind, body, err := uploadForm(file, text, given)
	if err != nil {
		return err
	}
	path := "/api/v3/managed/blueprints/import/"
	if dry {
		path += "dry_run/"
	}
	var result struct {
		Success bool `json:"success"`
		Logs    []struct {
			Event      string         `json:"event"`
			Attributes map[string]any `json:"attributes"`
		} `json:"logs"`
	}
	if err := r.call(ctx, http.MethodPost, path, kind, body, &result); err != nil {
		return err
	}
	if n := len(result.Logs); !result.Success && n > 0 {
		return errors.New(result.Logs[n-1].Event) // what was wrong comes last
	}
	if !result.Success {
		return fmt.Errorf("%s was refused", file)
	}
	for _, l := range result.Logs {
		var lines []string
		if diff, ok := l.Attributes[diffAttribute].(string); ok {
			lines = strings.Split(diff, "\n")
		}
		if err := printDifference(out, l.Event, lines); err != nil {
			return err
		}
	}
	return nil
}

// uploadForm is the form that a blueprint is sent in.
func uploadForm(file string, text []byte, given map[string]any) (kind string, body io.Reader, err error) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", filepath.Base(file))
	if err == nil {
		_, err = part.Write(text)
	}
	if err == nil && len(given) > 0 {
		var packed []byte
		if packed, err = json.Marshal(given); err == nil {
			err = form.WriteField("context", string(packed))
		}
	}
	return form.FormDataContentType(), &b, errors.Join(err, form.Close())
}

// A remoteUser is a user as the API shows one.
type remoteUser struct {
	Key      int    `json:"pk"`
	Username string `json:"username"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Active   bool   `json:"is_active"`
}

// users lists the users with this name, or all on the first page.
func (r *remote) users(ctx context.Context, username string) ([]remoteUser, error) {
	query := url.Values{"page_size": {"100"}, "ordering": {"username"}}
	if username != "" {
		query.Set("username", username)
	}
	var list struct {
		Results []remoteUser `json:"results"`
	}
	err := r.call(ctx, http.MethodGet, "/api/v3/core/users/?"+query.Encode(), "", nil, &list)
	return list.Results, err
}

// user finds one user by name.
func (r *remote) user(ctx context.Context, username string) (remoteUser, error) {
	found, err := r.users(ctx, username)
	if err == nil && len(found) == 0 {
		err = noUser(username)
	}
	if err != nil {
		return remoteUser{}, err
	}
	return found[0], nil
}
