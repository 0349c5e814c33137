package trail

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/flowledger/flowledger/domain/catalog"
)

// Model is the model name of the kind.
const Model = "flowledger_trail.sink"

// The ways to a target.
const (
	File    = "file"    // a file of this machine, a record on each line
	Syslog  = "syslog"  // syslog over TLS (RFC 5425)
	HTTPS   = "https"   // batches, posted
	Webhook = "webhook" // one event a request, signed
)

// The points at which a new sink begins.
const (
	Beginning = "beginning" // of the ledger
	End       = "end"       // behind what was there when the sink was switched on
)

func init() {
	catalog.Register(catalog.Kind{
		Model: Model, Category: catalog.Sink, Path: "ledger/sinks", Name: "Sink",
		Description: "Sends events to a SIEM, a webhook or a file.",
		Natural:     [][]string{{"name"}},
		New: func() any {
			return &Sink{
				Enabled: true, Kind: HTTPS, Format: "ocsf", BatchSize: 200, Linger: "seconds=1", Start: End,
				SecretHeader: "Authorization", RotateMegabytes: 100, RotateKeep: 5,
			}
		},
	})
}

// Sink is where events go, and which.
type Sink struct {
	Name    string `json:"name" catalog:"required,max=100"`
	Enabled bool   `json:"enabled"` // a sink that is switched off keeps its place
	Kind    string `json:"kind" catalog:"enum=file|syslog|https|webhook"`
	// Target is a path below the trail folder of the data folder, host:port, or a
	// URL. Whoever may look at sinks sees it, so no secret belongs there.
	Target string `json:"target" catalog:"required,max=1000"`
	Format string `json:"format" catalog:"enum=ocsf|ecs|cef|json"`

	Personal bool     `json:"personal"` // names, addresses and networks go out, beyond the reach of an erasure
	All      bool     `json:"all"`      // also what a format leaves out unless it is asked for
	Events   []string `json:"events"`   // types, or categories of streams; none for all
	Flows    []string `json:"flows" catalog:"ref=flow"`
	Outcome  string   `json:"outcome" catalog:"blank,enum=success|failure"`

	Secret       string `json:"secret" catalog:"secret,blank,verbatim,max=4000"` // a header's value, or the key of signatures; loaded only to be checked
	SecretHeader string `json:"secret_header" catalog:"max=100"`
	CA           string `json:"ca" catalog:"blank,max=60000"` // PEM; the authorities that are trusted, instead of the system's
	ServerName   string `json:"server_name" catalog:"blank,max=253"`

	BatchSize int    `json:"batch_size" catalog:"min=1,max=1000"`
	Linger    string `json:"linger" catalog:"duration"` // how long a batch waits to be filled
	Start     string `json:"start" catalog:"enum=end|beginning"`

	RotateMegabytes int `json:"rotate_megabytes" catalog:"min=1,max=10240"` // of files
	RotateKeep      int `json:"rotate_keep" catalog:"min=0,max=1000"`       // files beside the current one
}

// maxLinger bounds how late a batch may be.
const maxLinger = time.Minute

// LingerFor is how long a batch waits to be filled.
func (s *Sink) LingerFor() time.Duration {
	d, err := catalog.ParseDuration(s.Linger)
	if err != nil {
		return time.Second
	}
	return min(max(d, 0), maxLinger)
}

// Validate implements [catalog.Validator].
func (s *Sink) Validate() catalog.Problems {
	var problems catalog.Problems
	if fault := s.targetFault(); fault != "" {
		problems.Add("target", "%s", fault)
	}
	if d, err := catalog.ParseDuration(s.Linger); err != nil || d < 0 || d > maxLinger {
		problems.Add("linger", "A batch waits no longer than a minute.")
	}
	for _, event := range s.Events {
		if !eventForm.MatchString(event) && !slices.Contains(Categories, event) {
			problems.Add("events", "%q is neither the type of an event nor a category.", event)
		}
	}
	if !headerForm.MatchString(s.SecretHeader) {
		problems.Add("secret_header", "This is not the name of a header.")
	}
	if strings.ContainsFunc(s.Secret, unicode.IsControl) {
		problems.Add("secret", "A secret has no line breaks and no control characters.")
	}
	if s.ServerName != "" && !nameForm.MatchString(s.ServerName) {
		problems.Add("server_name", "This is not the name of a host.")
	}
	if s.CA != "" && !authorities(s.CA) {
		problems.Add("ca", "These are no certificates in PEM.")
	}
	if s.Kind == Webhook && s.Format != "json" && s.Format != "ocsf" && s.Format != "ecs" {
		problems.Add("format", "A webhook carries JSON. Choose json, ocsf or ecs.")
	}
	return problems
}

var (
	eventForm  = regexp.MustCompile(`^[A-Z][A-Za-z]{2,63}$`)
	headerForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_|~-]+$")
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)
)

// Categories are the streams whose events a filter can name as a group.
var Categories = []string{
	"execution", "session", "user", "guard", "device", "group", "role", "token", "invitation", "consent", "object", "blueprint",
	"mail", "notification", "audit", "key", "ledger", "worker", "export",
}

func (s *Sink) targetFault() string {
	switch s.Kind {
	case File:
		return fileFault(s.Target)
	case Syslog:
		return addressFault(s.Target)
	}
	return urlFault(s.Target)
}

// fileFault keeps files where an administrator of the API can do no harm.
func fileFault(target string) string {
	switch {
	case strings.HasPrefix(target, "/"), strings.Contains(target, `\`), strings.ContainsRune(target, 0), path.Clean(target) != target,
		target == ".", target == "..", strings.HasPrefix(target, "../"):
		return "A file is named by its path below the trail folder of the data folder, such as siem/events.log."
	case slices.ContainsFunc(strings.Split(target, "/"), func(part string) bool { return strings.HasPrefix(part, ".") }):
		return "No part of the path begins with a dot."
	}
	return ""
}

func addressFault(target string) string {
	const form = "A syslog server is named by host:port, such as siem.example.org:6514."
	host, port, err := net.SplitHostPort(target)
	if err != nil || !nameForm.MatchString(host) {
		return form
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return form
	}
	return ""
}

// urlFault refuses what would carry credentials, or the trail itself, over a
// network in the clear. An address of this machine is its administrators'
// business.
func urlFault(target string) string {
	u, err := url.Parse(target)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "", u.Opaque != "", u.Scheme != "https" && u.Scheme != "http":
		return "A target is an address such as https://siem.example.org/ingest."
	case u.User != nil:
		return "An address has no user and no password in it. Put them in the secret."
	case u.Fragment != "":
		return "An address has no fragment."
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return "Over http the trail, and the secret with it, could be read on the way. Use https; http is for this machine only."
	}
	return ""
}

// Loopback tells whether a host is this machine.
func Loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// authorities tells whether a text is certificates, and nothing else.
func authorities(text string) bool {
	rest, found := []byte(strings.TrimSpace(text)), false
	for len(rest) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return false
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return false
		}
		found, rest = true, []byte(strings.TrimSpace(string(rest)))
	}
	return found
}

// Host is the part of the target that may be told in logs and errors: paths
// and queries of addresses are often as good as a password.
func (s *Sink) Host() string {
	if s.Kind == HTTPS || s.Kind == Webhook {
		if u, err := url.Parse(s.Target); err == nil {
			return u.Host
		}
		return ""
	}
	return s.Target
}
