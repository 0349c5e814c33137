package siem

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// cefSeverities are OCSF's severities on CEF's scale from 0 to 10.
var cefSeverities = map[int]int{informational: 1, low: 3, medium: 5, high: 8, critical: 10}

// cefKey is a key of the dictionary of CEF's extensions, and how many bytes of
// value it takes.
type cefKey struct {
	name string
	most int
}

// The keys that records have, in their order.
var (
	cefTime      = cefKey{"rt", 32}
	cefID        = cefKey{"externalId", 40}
	cefCategory  = cefKey{"cat", 1023}
	cefAction    = cefKey{"act", 63}
	cefOutcome   = cefKey{"outcome", 63}
	cefReason    = cefKey{"reason", 1023}
	cefSource    = cefKey{"src", 45}
	cefSourceV6  = cefKey{"c6a2", 45}
	cefSUserID   = cefKey{"suid", 1023}
	cefSUser     = cefKey{"suser", 1023}
	cefDUserID   = cefKey{"duid", 1023}
	cefDUser     = cefKey{"duser", 1023}
	cefMethod    = cefKey{"requestMethod", 1023}
	cefAgent     = cefKey{"requestClientApplication", 1023}
	cefHost      = cefKey{"dvchost", 100}
	cefExecution = cefKey{"cs1", 4000}
	cefFlow      = cefKey{"cs2", 4000}
	cefStage     = cefKey{"cs3", 4000}
	cefPolicy    = cefKey{"cs4", 4000}
	cefSession   = cefKey{"cs5", 4000}
	cefCountry   = cefKey{"cs6", 4000}
	cefPosition  = cefKey{"cn1", 20}
	cefSystem    = cefKey{"cn2", 20}
	cefStream    = cefKey{"deviceExternalId", 255}
)

func appendCEF(to []byte, r *Record, o Options) ([]byte, bool, error) {
	j := judge(r)
	if !j.wanted(o) {
		return to, false, nil
	}
	to = append(to, "CEF:0|"...)
	for _, field := range []string{vendor, product, o.version(r), r.Type, title(r.Type)} {
		to = append(appendHeader(to, field), '|')
	}
	to = append(strconv.AppendInt(to, int64(cefSeverities[j.severity]), 10), '|')
	x := extension{to: to}
	x.add(cefTime, strconv.FormatInt(r.RecordedAt.UnixMilli(), 10))
	x.add(cefID, r.ID.String())
	x.add(cefStream, string(r.Stream))
	x.add(cefCategory, r.Stream.Category())
	x.add(cefAction, r.Type)
	x.add(cefOutcome, j.outcome)
	x.add(cefReason, j.reason)
	x.add(cefSUserID, r.User.ID)
	x.add(cefDUserID, r.whom().ID)
	x.add(cefMethod, r.Header.Request.Method)
	x.add(cefHost, o.Host)
	x.label(cefExecution, "execution", executionOf(r))
	x.label(cefFlow, "flow", r.Slug)
	x.label(cefStage, "stage", r.Stage.Name)
	x.label(cefPolicy, "policy", r.Policy.Name)
	x.label(cefSession, "session", r.Session)
	x.label(cefPosition, "position", r.Position.String())
	if o.Personal {
		x.personal(r)
	}
	return append(x.to, '\n'), true, nil
}

// personal adds names and addresses. The key src takes IPv4 addresses only.
func (x *extension) personal(r *Record) {
	x.add(cefSUser, r.User.Username)
	x.add(cefDUser, r.whom().Username)
	n := r.Network
	if strings.Contains(n.IP, ":") {
		x.label(cefSourceV6, "Source IPv6 Address", n.IP)
	} else {
		x.add(cefSource, n.IP)
	}
	x.add(cefAgent, n.UserAgent)
	if n.Place != nil {
		x.label(cefCountry, "country", n.Place.Country)
	}
	if n.System != nil && n.System.Number > 0 {
		x.label(cefSystem, "asn", strconv.Itoa(n.System.Number))
	}
}

// An extension is the last part of a CEF line: pairs of key and value.
type extension struct {
	to   []byte
	more bool
}

// add writes a pair, unless there is no value. A value that is too long is cut
// between two characters.
func (x *extension) add(key cefKey, value string) {
	if value == "" {
		return
	}
	if x.more {
		x.to = append(x.to, ' ')
	}
	x.more = true
	x.to = append(append(x.to, key.name...), '=')
	x.to = appendValue(x.to, cut(value, key.most))
}

// label writes a pair whose key says nothing, and the pair that says what it is.
func (x *extension) label(key cefKey, name, value string) {
	if value == "" {
		return
	}
	x.add(key, value)
	x.add(cefKey{key.name + "Label", 1023}, name)
}

// cut returns the first bytes of a text, and no half character.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// appendHeader writes a field of the header, where pipes and backslashes are
// escaped and lines cannot end.
func appendHeader(to []byte, field string) []byte {
	for _, c := range cut(field, 512) {
		switch {
		case c == '|' || c == '\\':
			to = append(to, '\\', byte(c))
		case c < ' ' || c == 0x7f || c == '\u0085' || c == '\u2028' || c == '\u2029':
			to = append(to, ' ')
		default:
			to = utf8.AppendRune(to, c)
		}
	}
	return to
}

// appendValue writes a value, where equal signs, backslashes and ends of lines
// are escaped.
func appendValue(to []byte, value string) []byte {
	for _, c := range value {
		switch {
		case c == '=' || c == '\\':
			to = append(to, '\\', byte(c))
		case c == '\n':
			to = append(to, `\n`...)
		case c == '\r':
			to = append(to, `\r`...)
		case c < ' ' || c == 0x7f || c == '\u0085' || c == '\u2028' || c == '\u2029':
			to = append(to, ' ')
		default:
			to = utf8.AppendRune(to, c)
		}
	}
	return to
}
