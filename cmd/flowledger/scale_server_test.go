package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process is the built program, serving a filled folder.
type process struct {
	t      testing.TB
	binary string
	data   string
	base   string
	cmd    *exec.Cmd
	exited chan error // what it ended with
	client *http.Client
	log    bytes.Buffer
}

// compile builds the program as it is shipped.
func compile(t testing.TB, data string) *process {
	t.Helper()
	p := &process{t: t, data: data, binary: filepath.Join(t.TempDir(), "flowledger"), client: &http.Client{Timeout: time.Minute}}
	if out, err := exec.Command("go", "build", "-o", p.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	t.Cleanup(p.stop)
	return p
}

// start runs it and returns how long it took to be ready.
func (p *process) start() time.Duration {
	p.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.base = "http://" + address
	p.cmd = exec.Command(p.binary, "serve", "--listen", address, "--data", p.data, "--bootstrap-password", scalePassword)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	begun := time.Now()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func(cmd *exec.Cmd) { exited <- cmd.Wait() }(p.cmd)
	p.exited = exited
	for time.Since(begun) < 10*time.Minute {
		response, err := http.Get(p.base + "/-/health/ready/")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return time.Since(begun)
			}
		}
		select {
		case err := <-exited:
			p.cmd = nil
			p.t.Fatalf("the server ended at its start with %v\n%s", err, p.log.String())
		case <-time.After(time.Millisecond):
		}
	}
	p.t.Fatalf("not ready: %s", p.log.String())
	return 0
}

// stop asks it to end, and waits.
func (p *process) stop() {
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
	if err := <-p.exited; err != nil {
		p.t.Errorf("the server ended with %v\n%s", err, p.log.String())
	}
	p.cmd = nil
}

// resident is how much memory it has, and had at most, in MiB.
func (p *process) resident() (now, most int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &now)
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &most)
	}
	return now >> 10, most >> 10
}

// busy is how long its threads have been on a processor.
func (p *process) busy() (total time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	for _, file := range threads {
		var spent int64
		text, _ := os.ReadFile(file)
		_, _ = fmt.Sscan(string(text), &spent)
		total += time.Duration(spent)
	}
	return total
}

// call asks the administration API as the superuser.
func (p *process) call(method, path string, body any) (int, map[string]any) {
	p.t.Helper()
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		text = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, p.base+"/api/v3/"+path, text)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+scaleToken)
	r.Header.Set("Content-Type", "application/json")
	return p.send(p.client, r)
}

func (p *process) send(client *http.Client, r *http.Request) (int, map[string]any) {
	p.t.Helper()
	response, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	answer := map[string]any{}
	_ = json.Unmarshal(b, &answer) // some answers are lists, or nothing
	return response.StatusCode, answer
}

// login goes through the first flow as a user, and returns how long its steps
// took. The last is as long as the password takes to check.
func (p *process) login(who int) []time.Duration {
	p.t.Helper()
	_, steps := p.enter(who)
	return steps
}

// enter is login that returns the browser, too.
func (p *process) enter(who int) (client *http.Client, steps []time.Duration) {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	client = &http.Client{Jar: jar, Transport: p.client.Transport, Timeout: time.Minute}
	const flow = "/api/v3/flows/executor/flow-00000/?query="
	var challenge map[string]any
	for i, answer := range []map[string]any{
		nil, {"component": "ak-stage-identification", "uid_field": username(who)}, {"component": "ak-stage-password", "password": scalePassword},
	} {
		method, body := http.MethodGet, []byte(nil)
		if answer != nil {
			method = http.MethodPost
			body, _ = json.Marshal(answer)
		}
		r, err := http.NewRequest(method, p.base+flow, bytes.NewReader(body))
		if err != nil {
			p.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		begun := time.Now()
		_, challenge = p.send(client, r)
		steps = append(steps, time.Since(begun))
		if want := []string{"ak-stage-identification", "ak-stage-password", "xak-flow-redirect"}[i]; challenge["component"] != want {
			p.t.Fatalf("step %d of the login asks %v, want %s", i, challenge, want)
		}
	}
	return client, steps
}
