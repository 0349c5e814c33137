package worker

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// A WebhookTarget posts one event at a time, signed as Standard Webhooks has
// it, so that who receives it can tell who sent it, when, and that nobody
// changed it.
type WebhookTarget struct {
	URL    string
	Secret domain.Secret // the key of signatures; none for no signature
	Now    func() time.Time
	client *http.Client
}

// NewWebhookTarget makes a target for events on so many lanes.
func NewWebhookTarget(t WebhookTarget, c *tls.Config, lanes int) *WebhookTarget {
	t.client = client(c, lanes)
	return &t
}

// Send implements [Target].
func (t *WebhookTarget) Send(ctx context.Context, batch []Item) (ack string, err error) {
	for _, item := range batch {
		if ack, err = t.send(ctx, item); err != nil {
			return "", err
		}
	}
	return ack, nil
}

func (t *WebhookTarget) send(ctx context.Context, item Item) (string, error) {
	body := bytes.TrimSuffix(item.Body, []byte("\n"))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return "", &Trouble{Class: "the address cannot be used", Slow: true}
	}
	id, at := item.ID.String(), strconv.FormatInt(t.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	if item.Again {
		r.Header.Set("Flowledger-Replay", "true")
	}
	if !t.Secret.Empty() {
		r.Header.Set("Webhook-Signature", Signature(t.Secret, id, at, body))
	}
	return post(t.client, r)
}

// Signature signs a webhook: HMAC-SHA-256 over id, time and body, with points
// between. A key that begins with whsec_ is base64 behind that.
func Signature(secret domain.Secret, id, timestamp string, body []byte) string {
	key := []byte(secret.Reveal())
	if coded, ok := strings.CutPrefix(secret.Reveal(), "whsec_"); ok {
		if plain, err := base64.StdEncoding.DecodeString(coded); err == nil {
			key = plain
		}
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + timestamp + ".")) // it never fails
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Close implements [Target].
func (t *WebhookTarget) Close() error {
	t.client.CloseIdleConnections()
	return nil
}
