package outside

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/flowledger/flowledger/domain/stage"
)

const (
	siteverifyTimeout = 5 * time.Second
	maxVerdict        = 64 << 10 // of an answer
	maxVerifications  = 64       // under way at a time
)

// SiteVerify asks a provider of captchas about a client's token. The key and
// the token are in the body only, and an answer that sends on is none: they
// would go to somebody whom no administrator chose. No error has any of them.
func (w *World) SiteVerify(ctx context.Context, q stage.SiteVerify) (map[string]any, error) {
	to, err := url.Parse(q.URL)
	if err != nil {
		return nil, errors.New("the URL of the provider is malformed")
	}
	if err := reachable(to); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, siteverifyTimeout)
	defer cancel()
	select {
	case w.verifications <- struct{}{}:
		defer func() { <-w.verifications }()
	case <-ctx.Done():
		return nil, errors.New("too many questions to providers of captchas are under way")
	}
	body, err := question(q)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL of the provider is malformed")
	}
	r.Header.Set("User-Agent", w.agent)
	r.Header.Set("Content-Type", q.ContentType)
	r.Header.Set("Accept", "application/json")
	return w.verdict(r)
}

// question is the body in which a provider is asked.
func question(q stage.SiteVerify) ([]byte, error) {
	values := map[string]string{"secret": q.Secret.Reveal(), "response": q.Response.Reveal()}
	if q.RemoteIP != "" {
		values["remoteip"] = q.RemoteIP
	}
	if q.ContentType == "application/json" {
		return json.Marshal(values)
	}
	form := url.Values{}
	for name, value := range values {
		form.Set(name, value)
	}
	return []byte(form.Encode()), nil
}

// verdict makes the request and reads the object that answers it.
func (w *World) verdict(r *http.Request) (map[string]any, error) {
	response, err := w.captchas.Do(r)
	if err != nil {
		return nil, explained(r.URL, err)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, fmt.Errorf("%s answered with status %d", shown(r.URL), response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxVerdict+1))
	if err != nil {
		return nil, explained(r.URL, err)
	}
	var answer map[string]any
	if len(body) > maxVerdict || json.Unmarshal(body, &answer) != nil || answer == nil {
		return nil, fmt.Errorf("%s answered with something that is no verdict", shown(r.URL))
	}
	return answer, nil
}
