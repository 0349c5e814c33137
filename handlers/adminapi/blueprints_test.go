package adminapi_test

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

// Import implements [adminapi.Importer]: it says what it was given, and
// refuses what is called bad.
func (b *bench) Import(_ context.Context, c session.Caller, name string, text []byte, with map[string]any) (adminapi.ImportResult, error) {
	b.imported = append(b.imported, c.User+" "+name)
	return adminapi.ImportResult{
		Success: string(text) != "bad",
		Logs:    []blueprint.LogEvent{{Level: "warning", Event: name + " says " + string(text[:min(len(text), 20)]), Attributes: with}},
	}, nil
}

// DryRun implements [adminapi.Importer]: it says so.
func (b *bench) DryRun(ctx context.Context, c session.Caller, name string, text []byte, with map[string]any) (adminapi.ImportResult, error) {
	result, err := b.Import(ctx, c, "dry "+name, text, with)
	return result, err
}

// Test implements [adminapi.Tester].
func (b *bench) Test(_ context.Context, _ session.Caller, policy, user string, with map[string]any) (adminapi.TestResult, error) {
	return adminapi.TestResult{Passing: with["pass"] == true && b.views.now().users[user].Username == "jane", Messages: []string{policy}}, nil
}

// Preview implements [adminapi.Tester].
func (b *bench) Preview(_ context.Context, c session.Caller, p *stage.Prompt) (map[string]any, error) {
	if p.Placeholder == "1/0" {
		return nil, &stage.ExpressionError{Err: errors.New("ZeroDivisionError: division by zero")}
	}
	return map[string]any{"component": "ak-stage-prompt", "fields": []any{map[string]any{
		"field_key": p.Key, "label": p.Label, "type": p.Type, "required": p.Required, "placeholder": p.Placeholder,
		"initial_value": p.InitialValue, "order": p.Order, "sub_text": p.SubText, "choices": nil,
	}}}, nil
}

// upload sends a form of fields; those named file are files.
func (b *bench) upload(as string, form map[string]string) reply {
	b.t.Helper()
	return b.uploadTo("import/", as, form)
}

func (b *bench) uploadTo(path, as string, form map[string]string) reply {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, text := range form {
		if name == "file" {
			part, err := w.CreateFormFile(name, "../../etc/flow.yaml")
			b.must(err)
			_, _ = part.Write([]byte(text))
			continue
		}
		b.must(w.WriteField(name, text))
	}
	b.must(w.Close())
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, "/api/v3/managed/blueprints/"+path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("X-As", as)
	return b.send(r)
}

func TestImport(t *testing.T) {
	b := newBench(t)
	tests := map[string]struct {
		as     string
		form   map[string]string
		status int
		want   string // in the answer
	}{
		"a file":                    {admin, map[string]string{"file": "good", "context": `{"a":1}`}, 200, `"success":true`},
		"a file's name has no path": {admin, map[string]string{"file": "good"}, 200, `"event":"flow.yaml says good"`},
		"a bad file":                {admin, map[string]string{"file": "bad"}, 200, `"success":false`},
		"a shipped file":            {admin, map[string]string{"path": "default/users.yaml"}, 200, `default/users.yaml says`},
		"a file of the folder":      {admin, map[string]string{"path": "sub/b.yaml"}, 200, `sub/b.yaml says good`},
		"an optional file":          {admin, map[string]string{"path": "optional/recovery.yaml"}, 200, `optional/recovery.yaml says`},
		"a file that is not there":  {admin, map[string]string{"path": "../secret"}, 400, `{"path":["Blueprint file does not exist"]}`},
		"nothing":                   {admin, map[string]string{}, 400, `{"file":["No file was submitted."]}`},
		"a context that is none":    {admin, map[string]string{"file": "x", "context": "[1"}, 400, `"context"`},
		"a context that is a list":  {admin, map[string]string{"file": "x", "context": "[1]"}, 400, `"context"`},
		"too much":                  {admin, map[string]string{"file": strings.Repeat("x", 3<<20)}, 413, `larger than`},
		"by somebody":               {member, map[string]string{"file": "x"}, 403, `CSRF`},
		"by nobody":                 {stranger, map[string]string{"file": "x"}, 403, `credentials`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b.t, b.imported = t, nil
			got := b.upload(tt.as, tt.form)
			if got.status != tt.status || !strings.Contains(got.text, tt.want) {
				t.Errorf("got %d %.300s, want %d with %s", got.status, got.text, tt.status, tt.want)
			}
			if (got.status == 200) != (len(b.imported) == 1) {
				t.Errorf("imported: %q", b.imported)
			}
		})
	}
}

// A dry run takes the same form, and has an address that no other server takes
// for an import.
func TestDryRun(t *testing.T) {
	b := newBench(t)
	for form, want := range map[string]string{"good": `"success":true`, "bad": `"success":false`} {
		b.imported = nil
		got := b.uploadTo("import/dry_run/", admin, map[string]string{"file": form, "context": `{"a":1}`})
		if got.status != 200 || !strings.Contains(got.text, want) || !strings.Contains(got.text, "dry flow.yaml says "+form) || len(b.imported) != 1 {
			t.Errorf("%s: %d %s, imported %q", form, got.status, got.text, b.imported)
		}
	}
	if got := b.uploadTo("import/dry_run/", member, map[string]string{"file": "x"}); got.status != 403 {
		t.Errorf("by somebody: %d", got.status)
	}
}

func TestImportWantsAForm(t *testing.T) {
	b := newBench(t)
	b.want(415, http.MethodPost, "managed/blueprints/import/", fields{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v3/managed/blueprints/import/", strings.NewReader("--x\r\nnonsense"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	r.Header.Set("X-As", admin)
	if got := b.send(r); got.status != 400 {
		t.Errorf("got %d %s", got.status, got.text)
	}
	if got := b.want(200, http.MethodGet, "managed/blueprints/", nil); !cmp.Equal(got.at("results"), []any{}) {
		t.Errorf("instances: %s", got.text)
	}
}
