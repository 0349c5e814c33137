package tests

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// composition is what these tests read of docker-compose.yml.
type composition struct {
	Services map[string]service
	Configs  map[string]struct{ Content string }
	Volumes  map[string]any
}

type service struct {
	Image       string
	Profiles    []string
	Environment map[string]string
	Volumes     []string
	Restart     string
	DependsOn   map[string]any `yaml:"depends_on"`
	Healthcheck struct {
		Test    []string
		Disable bool
	}
}

// runsOnce tells whether others wait for the end of a service, not for its
// health.
func (s service) runsOnce() bool { return s.Restart == "no" }

func composed(t *testing.T) composition {
	t.Helper()
	text, err := os.ReadFile("../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var c composition
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestComposeSettings holds what the services of docker-compose.yml are told
// against what the program can be told.
func TestComposeSettings(t *testing.T) {
	out, err := exec.Command(binary(t), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	flags := make(map[string]bool)
	for _, found := range regexp.MustCompile(`(?m)^  --([a-z-]+) `).FindAllSubmatch(out, -1) {
		flags["FLOWLEDGER_"+strings.ToUpper(strings.ReplaceAll(string(found[1]), "-", "_"))] = true
	}
	told := 0
	for name, s := range composed(t).Services {
		for key, value := range s.Environment {
			if strings.HasPrefix(key, "FLOWLEDGER_") {
				told++
				if !flags[key] {
					t.Errorf("%s sets %s, which is no flag of serve", name, key)
				}
			}
			if u, err := url.Parse(value); err == nil && u.User != nil {
				if _, has := u.User.Password(); has {
					t.Errorf("%s has a password in %s", name, key)
				}
			}
			if regexp.MustCompile(`(?i)password|secret|token`).MatchString(key) && !strings.HasSuffix(key, "_FILE") {
				t.Errorf("%s has a secret in %s", name, key)
			}
		}
	}
	if told == 0 {
		t.Error("no service is told anything")
	}
}

// TestComposeProfiles holds that each profile is complete by itself, and that
// nothing else starts with it.
func TestComposeProfiles(t *testing.T) {
	c := composed(t)
	defaults, err := os.ReadFile("../.env")
	if err != nil || !strings.Contains("\n"+string(defaults), "\nCOMPOSE_PROFILES=default\n") {
		t.Errorf(".env does not say what docker compose up starts: %v", err)
	}
	nodes := make(map[string]int)
	for name, s := range c.Services {
		if len(s.Profiles) != 1 {
			t.Errorf("%s is in the profiles %v, want one", name, s.Profiles)
			continue
		}
		if s.Image == "flowledger" && !s.runsOnce() {
			nodes[s.Profiles[0]]++
		}
		for other := range s.DependsOn {
			if !slices.Equal(c.Services[other].Profiles, s.Profiles) {
				t.Errorf("%s waits for %s, which is not in its profile", name, other)
			}
		}
		if !s.runsOnce() && (len(s.Healthcheck.Test) == 0 || s.Healthcheck.Disable) {
			t.Errorf("%s has no health check", name)
		}
		if !regexp.MustCompile(`^flowledger$|:\d+\.\d+`).MatchString(s.Image) {
			t.Errorf("%s runs %s, which is no version", name, s.Image)
		}
	}
	if want := map[string]int{"default": 1, "postgres": 2, "eventstore": 2}; !maps.Equal(nodes, want) {
		t.Errorf("nodes by profile are %v, want %v", nodes, want)
	}
}

// TestComposeVolumes holds that nodes share the master key, and nothing else
// that they write to.
func TestComposeVolumes(t *testing.T) {
	c := composed(t)
	writers, keys := make(map[string]string), make(map[string]int)
	for name, s := range c.Services {
		for _, v := range s.Volumes {
			parts := strings.Split(v, ":")
			if _, ok := c.Volumes[parts[0]]; !ok {
				t.Errorf("%s mounts %s, which is no volume", name, parts[0])
			}
			if parts[1] == "/key" {
				keys[parts[0]]++
			}
			if len(parts) > 2 && parts[2] == "ro" {
				continue
			}
			if other := writers[parts[0]]; other != "" {
				t.Errorf("%s and %s both write to %s", name, other, parts[0])
			}
			writers[parts[0]] = name
		}
	}
	if want := map[string]int{"postgres-key": 3, "eventstore-key": 3}; !maps.Equal(keys, want) {
		t.Errorf("who mounts which master key: %v, want who makes it and two nodes: %v", keys, want)
	}
}

// TestComposeHealth asks a server for every path by which docker-compose.yml
// judges the program's health.
func TestComposeHealth(t *testing.T) {
	c := composed(t)
	paths := make(map[string]bool)
	for _, s := range c.Services {
		if test := s.Healthcheck.Test; len(test) > 0 && strings.Contains(test[len(test)-1], ":9000/") {
			_, path, _ := strings.Cut(test[len(test)-1], ":9000")
			paths[path] = true
		}
	}
	for _, found := range regexp.MustCompile(`health_uri (\S+)`).FindAllStringSubmatch(c.Configs["proxy"].Content, -1) {
		paths[found[1]] = true
	}
	if len(paths) < 2 {
		t.Fatalf("health is asked at %v, want at least two paths", slices.Collect(maps.Keys(paths)))
	}
	s := start(t)
	for path := range paths {
		answer, err := http.Get(s.base + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", path, answer.Status)
		}
	}
}

// TestComposeProxies holds that a proxy sends requests to all nodes of its
// profile.
func TestComposeProxies(t *testing.T) {
	c := composed(t)
	for name, s := range c.Services {
		listed, ok := s.Environment["NODES"]
		if !ok {
			continue
		}
		var want []string
		for node, other := range c.Services {
			if other.Image == "flowledger" && !other.runsOnce() && slices.Equal(other.Profiles, s.Profiles) {
				want = append(want, node+":9000")
			}
		}
		got := strings.Fields(listed)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s knows %v, want %v", name, got, want)
		}
	}
}
