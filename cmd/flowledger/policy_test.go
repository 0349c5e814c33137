package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tried is a policy that does a bit of everything, and one that fails.
const tried = `
version: 1
metadata: {name: tried}
entries:
  - model: authentik_policies_expression.expressionpolicy
    identifiers: {name: office}
    attrs:
      expression: |
        limit = context.get("limit", 3)
        for n in [1, 2]:
            if n > limit:
                ak_message("too much")
        ak_logger.warning("seen", user=request.user.username)
        typed = context["prompt_data"]["password"]
        return str(ak_client_ip) == "192.0.2.1" and ak_call_policy("inner").passing
  - model: authentik_policies_expression.expressionpolicy
    identifiers: {name: inner}
    attrs: {expression: "return True"}
  - model: authentik_policies_expression.expressionpolicy
    identifiers: {name: broken}
    attrs:
      expression: |
        x = {"a": 1}
        return x["b"]
`

// triedFolder is a data folder with these policies, and the user ada.
func triedFolder(t *testing.T) (data, context string) {
	t.Helper()
	data = t.TempDir()
	blueprint := filepath.Join(data, "tried.yaml")
	context = filepath.Join(data, "context.json")
	for file, text := range map[string]string{
		blueprint: tried, context: "{\n\t\"limit\": 1,\n\t\"prompt_data\": {\"password\": \"hunter2\"}\n}",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	does(t, "correct horse battery\n", "user", "create", "--data", data, "ada")
	does(t, "", "import", "--data", data, blueprint)
	return data, context
}

func TestPolicyIsTried(t *testing.T) {
	data, context := triedFolder(t)
	got := does(t, "", "policy", "test", "--data", data, "--user", "ada", "--ip", "192.0.2.1", "--context", context, "office")
	const want = `Policy office passes for ada.
  message: too much
  warning: seen user=ada
  debug: looked up ak_call_policy('inner'): passing true

Step by step:
   1  limit = context.get("limit", 3)
        limit = 1
   2  for n in [1, 2]:
        n = 1
   3  if n > limit:
        limit = 1, n = 1
   2  for n in [1, 2]:
        n = 2
   3  if n > limit:
        limit = 1, n = 2
   4  ak_message("too much")
   5  ak_logger.warning("seen", user=request.user.username)
   6  typed = context["prompt_data"]["password"]
        typed = ********************
   1      return True
   7  return str(ak_client_ip) == "192.0.2.1" and ak_call_policy("inner").passing
        ak_client_ip = IPv4Address('192.0.2.1')
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	made := "{limit: 9, prompt_data: {password: hunter2}}"
	got = does(t, made, "policy", "test", "--data", data, "--user", "ada", "--context", "-", "office")
	if !strings.HasPrefix(got, "Policy office does not pass for ada.\n") || strings.Contains(got, "too much\n  ") || strings.Contains(got, "hunter2") {
		t.Errorf("got:\n%s", got)
	}
	got = does(t, "", "policy", "test", "--data", data, "--user", "ada", "broken")
	if want := "  error: line 2, column 8: KeyError: 'b'\n    > return x[\"b\"]\n"; !strings.Contains(got, want) {
		t.Errorf("got:\n%s", got)
	}
	told := does(t, "", "events", "--data", data)
	if n := strings.Count(told, "AuditPolicyTested"); n != 3 {
		t.Errorf("%d trials are recorded:\n%s", n, told)
	}
}

func TestPolicyCannotBeTried(t *testing.T) {
	data, _ := triedFolder(t)
	for line, want := range map[string]struct {
		status int
		text   string
	}{
		"policy test --user ada nothing":                       {exitFailed, `there is no policy "nothing"`},
		"policy test --user eve office":                        {exitFailed, `there is no user "eve"`},
		"policy test --user ada --context nowhere office":      {exitFailed, "nowhere"},
		"policy test --user ada --context - office":            {exitFailed, "the context has to be a map in JSON or YAML"},
		"policy test office":                                   {exitUsage, "say policy test NAME"},
		"policy try --user ada office":                         {exitUsage, "say policy test NAME"},
		"policy test --user ada --ip here office":              {exitUsage, `--ip "here" is no address`},
		"policy test --user ada --server http://127.0.0.1:1 x": {exitFailed, "http://127.0.0.1:1"},
	} {
		args := strings.Fields(line)
		args = append([]string{args[0], args[1], "--data", data}, args[2:]...)
		stdout, stderr, status := flowledger(t, "[1, 2]", args...)
		if status != want.status || !strings.Contains(stderr, want.text) || stdout != "" {
			t.Errorf("%q: status %d, %s%s", line, status, stdout, stderr)
		}
	}
	elsewhere := t.TempDir()
	if _, stderr, status := flowledger(t, "", "policy", "test", "--data", filepath.Join(elsewhere, "none"), "--user", "ada", "x"); status != exitFailed {
		t.Errorf("a folder that is not there: status %d, %s", status, stderr)
	}
}
