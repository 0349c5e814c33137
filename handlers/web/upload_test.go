package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
)

// A file goes to the flow as the API takes it, from a plain form.
func TestPromptUploads(t *testing.T) {
	site := newSite()
	var got map[string]any
	ask := challengeOf("ak-stage-prompt", "Files", map[string]any{"fields": []any{
		field("text", "Name", nil), field("file", "Picture", map[string]any{"initial_value": "data:;base64,eA=="}),
	}})
	site.flows["files"] = []fakeStage{{ask: ask, judge: func(answer map[string]any) map[string]any {
		got = answer
		return rejected("file", "Invalid encoding")
	}}}
	b := site.browser(t)
	at, p := b.follow("/if/flow/files/")
	if strings.Contains(p.body, "eA==") || strings.Contains(p.body, `type="file" required`) {
		t.Errorf("a known file is shown, or asked for again:\n%s", p.body)
	}
	token := b.cookies["authentik_csrf"]
	upload := func(name, kind, content string) page200 {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for field, value := range map[string]string{
			"csrfmiddlewaretoken": token, "component": "ak-stage-prompt", "prompt.text.text": "Jane",
		} {
			_ = form.WriteField(field, value)
		}
		for _, field := range []string{"prompt.file.file", "other"} {
			part, _ := form.CreatePart(textproto.MIMEHeader{
				"Content-Disposition": {`form-data; name="` + field + `"; filename="` + name + `"`}, "Content-Type": {kind},
			})
			_, _ = part.Write([]byte(content))
		}
		_ = form.Close()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, at, &body)
		r.Header.Set("Content-Type", form.FormDataContentType())
		return b.do(r)
	}
	for name, tt := range map[string]struct {
		file, kind, content string
		want                any
	}{
		"a file":                    {"a.txt", "text/plain; charset=utf-8", "a", "data:text/plain;base64,YQ=="},
		"a file of no type":         {"a", "", "a", "data:application/octet-stream;base64,YQ=="},
		"an empty file":             {"a.txt", "text/plain", "", "data:text/plain;base64,"},
		"no file":                   {"", "application/octet-stream", "", nil},
		"a name that leads outside": {"../../etc/passwd", "text/plain", "a", "data:text/plain;base64,YQ=="},
	} {
		wants(t, upload(tt.file, tt.kind, tt.content), http.StatusOK, "Invalid encoding", `value="Jane"`)
		if got["file"] != tt.want || got["text"] != "Jane" || got["other"] != nil {
			t.Errorf("%s: the flow got %v, want %v", name, got, tt.want)
		}
	}
	wants(t, upload("a", "text/plain", strings.Repeat("x", maxUpload)), http.StatusRequestEntityTooLarge, "larger than")
	token = "guess"
	wants(t, upload("a", "text/plain", "a"), http.StatusForbidden, "The form is not from this page.")
}
