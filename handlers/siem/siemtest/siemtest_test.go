package siemtest

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

// logon is a good record of OCSF.
const logon = `{
	"activity_id": 1, "activity_name": "Logon", "category_uid": 3, "category_name": "Identity & Access Management",
	"class_uid": 3002, "class_name": "Authentication", "type_uid": 300201, "type_name": "Authentication: Logon",
	"severity_id": 1, "severity": "Informational", "status_id": 1, "status": "Success", "time": 1795348800123,
	"metadata": {"version": "1.8.0", "product": {"name": "p", "vendor_name": "v"}, "profiles": ["security_control"], "sequence": 7},
	"user": {"uid": "u1", "type_id": 1, "type": "User"}, "service": {"name": "s"},
	"src_endpoint": {"ip": "203.0.113.77", "location": {"country": "NL"}}, "action_id": 2, "action": "Denied",
	"auth_factors": [{"factor_type_id": 11, "factor_type": "Password"}], "is_mfa": false, "unmapped": {"a": 1}
}`

// changed is a record with a value at a path; nil takes it away.
func changed(t *testing.T, text string, path string, value any) []byte {
	t.Helper()
	var record map[string]any
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		t.Fatal(err)
	}
	at := record
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		switch inner := at[name].(type) {
		case map[string]any:
			at = inner
		case []any:
			at = inner[0].(map[string]any)
		}
	}
	if last := names[len(names)-1]; value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	out, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSpoiltRecordsAreFound spoils a good record in each way there is.
func TestSpoiltRecordsAreFound(t *testing.T) {
	if wrong := OCSF([]byte(logon)); len(wrong) > 0 {
		t.Fatalf("the good one: %q", wrong)
	}
	for name, tt := range map[string]struct {
		path  string
		value any
		want  string
	}{
		"an unknown attribute":               {"username", "x", "no such attribute"},
		"one of another class":               {"entity", map[string]any{"uid": "x"}, "no such attribute"},
		"an unknown one inside":              {"user.nick", "x", "no such attribute"},
		"an unknown one in a list":           {"auth_factors.name", "x", "no such attribute"},
		"no user":                            {"user", nil, "user: it is required"},
		"no severity":                        {"severity_id", nil, "severity_id: it is required"},
		"no time":                            {"time", nil, "time: it is required"},
		"no metadata":                        {"metadata", nil, "metadata: it is required"},
		"no product":                         {"metadata.product", nil, "metadata.product: it is required"},
		"no factor type":                     {"auth_factors.factor_type_id", nil, "factor_type_id: it is required"},
		"neither service nor endpoint":       {"service", nil, "at_least_one"},
		"a user who is nobody":               {"user.uid", nil, "at_least_one"},
		"a place without a name":             {"src_endpoint.location", map[string]any{"continent": "EU"}, "at_least_one"},
		"an empty object":                    {"src_endpoint", map[string]any{}, "it is empty"},
		"another version":                    {"metadata.version", "1.7.0", "metadata.version"},
		"an unknown profile":                 {"metadata.profiles", []any{"security_control", "x"}, "no profile"},
		"a profile that is not applied":      {"metadata.profiles", []any{"host"}, "security_control"},
		"a time in seconds":                  {"time", 1795348800, "milliseconds"},
		"a time as text":                     {"time", "2026-11-22", "a number"},
		"a text as number":                   {"message", 7, "a text"},
		"an empty text":                      {"message", "", "a text"},
		"a flag as text":                     {"is_mfa", "yes", "true or false"},
		"half a number":                      {"severity_id", 1.5, "whole number"},
		"a number of 64 bits":                {"metadata.sequence", 3000000000, "32 bits"},
		"no address":                         {"src_endpoint.ip", "localhost", "no address"},
		"no mail address":                    {"user.email_addr", "ada", "no mail address"},
		"an object as text":                  {"user", "ada", "an object"},
		"a list as object":                   {"auth_factors", map[string]any{"factor_type_id": 1}, "a list"},
		"an empty list":                      {"auth_factors", []any{}, "a list"},
		"a severity that does not exist":     {"severity_id", 7, "not in the enum"},
		"a status that does not exist":       {"status_id", 3, "not in the enum"},
		"a caption of another number":        {"severity", "High", "severity is"},
		"a caption of another factor":        {"auth_factors.factor_type", "SMS", "factor_type is"},
		"another that does not say which":    {"user", map[string]any{"uid": "u1", "type_id": 99}, "99 needs"},
		"an activity that does not exist":    {"activity_id", 8, "no activity 8"},
		"another activity without a name":    {"activity_id", 99, "type_uid"},
		"the name of another activity":       {"activity_name", "Logoff", "activity_name"},
		"a type of another activity":         {"type_uid", 300202, "type_uid"},
		"another category":                   {"category_uid", 6, "category_uid"},
		"the name of another category":       {"category_name", "Findings", "category_name"},
		"the name of another class":          {"class_name", "Account Change", "class_name"},
		"the name of another type":           {"type_name", "Logon", "type_name"},
		"a class that is not there":          {"class_uid", 3999, "not written down"},
		"an object that is not written down": {"certificate", map[string]any{"uid": "x"}, "not written down"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := OCSF(changed(t, logon, tt.path, tt.value))
			if !strings.Contains(strings.Join(wrong, "\n"), tt.want) {
				t.Errorf("complaints: %q, want one of %s", wrong, tt.want)
			}
		})
	}
	for _, text := range []string{"", "[]", "{} {}", logon + logon} {
		if len(OCSF([]byte(text))) == 0 {
			t.Errorf("nothing is wrong with %q", text)
		}
	}
}

// TestSchemaIsConsistent checks what was written down against itself: every
// enum, sibling and name of a constraint exists.
func TestSchemaIsConsistent(t *testing.T) {
	objects := maps.Clone(ocsf.Objects)
	for uid, c := range ocsf.Classes {
		objects["class "+uid] = c.object
	}
	for name, o := range objects {
		for attr, a := range o.Attributes {
			if _, ok := ocsf.Enums[a.Enum]; a.Enum != "" && !ok {
				t.Errorf("%s.%s: there is no enum %s", name, attr, a.Enum)
			}
			if _, ok := o.Attributes[a.Sibling]; a.Sibling != "" && !ok {
				t.Errorf("%s.%s: there is no %s beside it", name, attr, a.Sibling)
			}
			if a.Requirement != "required" && a.Requirement != "recommended" && a.Requirement != "optional" {
				t.Errorf("%s.%s: %q", name, attr, a.Requirement)
			}
		}
		for rule, names := range o.Constraints {
			for _, attr := range names {
				if _, ok := o.Attributes[attr]; !ok {
					t.Errorf("%s: %s names %s", name, rule, attr)
				}
			}
		}
	}
	if len(ocsf.Classes) != 10 {
		t.Errorf("%d classes", len(ocsf.Classes))
	}
}

const ecsLogon = `{
	"@timestamp": "2026-11-22T12:00:00.123456Z", "ecs": {"version": "8.17.0"},
	"event": {"kind": "event", "category": ["authentication"], "type": ["start"], "outcome": "success", "sequence": 1},
	"source": {"ip": "203.0.113.77", "geo": {"location": {"lat": 1, "lon": 2}}}, "labels": {"flow": "f"}, "related": {"user": ["u1"]}
}`

func TestSpoiltECSIsFound(t *testing.T) {
	if wrong := ECS([]byte(ecsLogon)); len(wrong) > 0 {
		t.Fatalf("the good one: %q", wrong)
	}
	for name, tt := range map[string]struct {
		path  string
		value any
	}{
		"an unknown field":        {"username", "x"},
		"an unknown one inside":   {"event.name", "x"},
		"no time":                 {"@timestamp", nil},
		"no version":              {"ecs", nil},
		"a kind of its own":       {"event.kind", "login"},
		"a category of its own":   {"event.category", []any{"login"}},
		"no list":                 {"event.category", "authentication"},
		"a type of its own":       {"event.type", []any{"begin"}},
		"a type of another":       {"event.type", []any{"deletion"}},
		"an outcome of its own":   {"event.outcome", "ok"},
		"a number as text":        {"event.sequence", "1"},
		"no address":              {"source.ip", "x"},
		"half a place":            {"source.geo.location", map[string]any{"lat": 1}},
		"a label with a dot":      {"labels", map[string]any{"a.b": "x"}},
		"a label that is no text": {"labels", map[string]any{"a": 1}},
		"nobody related":          {"related.user", []any{}},
		"an empty object":         {"related", map[string]any{}},
		"a time of its own":       {"@timestamp", "yesterday"},
	} {
		if len(ECS(changed(t, ecsLogon, tt.path, tt.value))) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestSpoiltCEFIsFound(t *testing.T) {
	good := `CEF:0|v|p|1|T|a \| b \\|5|rt=1 cs1=a\=b\\c\nd cs1Label=execution src=203.0.113.77` + "\n"
	pairs, wrong := CEF([]byte(good))
	if len(wrong) > 0 || pairs["cs1"] != "a=b\\c\nd" {
		t.Fatalf("the good one: %q, %q", pairs, wrong)
	}
	for name, line := range map[string]string{
		"no end":                   strings.TrimSuffix(good, "\n"),
		"two lines":                strings.Replace(good, "rt=1", "rt=1\n", 1),
		"a header too short":       "CEF:0|v|p|1|T|5\n",
		"no CEF":                   strings.Replace(good, "CEF:0", "LEEF", 1),
		"a pipe":                   strings.Replace(good, `\|`, "|", 1),
		"an escape of its own":     strings.Replace(good, `\|`, `\x`, 1),
		"a severity of its own":    strings.Replace(good, "|5|", "|High!|", 1),
		"a severity out of range":  strings.Replace(good, "|5|", "|11|", 1),
		"a key of its own":         strings.Replace(good, "rt=1", "when=1", 1),
		"a key twice":              strings.Replace(good, "rt=1", "rt=1 rt=2", 1),
		"no label":                 strings.Replace(good, " cs1Label=execution", "", 1),
		"a time of its own":        strings.Replace(good, "rt=1", "rt=now", 1),
		"no IPv4 address":          strings.Replace(good, "203.0.113.77", "2001:db8::1", 1),
		"an equal sign":            strings.Replace(good, `a\=b`, "a==b", 1),
		"a value that is too long": strings.Replace(good, "rt=1", "act="+strings.Repeat("x", 64), 1),
		"an empty value":           strings.Replace(good, "rt=1", "act=", 1),
		"no UTF-8":                 strings.Replace(good, "a ", "\xff ", 1),
		"text before the keys":     strings.Replace(good, "rt=1", "hello rt=1", 1),
		"no signature":             strings.Replace(good, "|T|", "||", 1),
	} {
		if _, wrong := CEF([]byte(line)); len(wrong) == 0 {
			t.Errorf("%s is not found: %s", name, line)
		}
	}
}

func TestSpoiltSyslogIsFound(t *testing.T) {
	good := `<86>1 2026-11-22T12:00:00.123456Z host app 1 T [fl@32473 id="a\"b\]c" pos="1"]` + " \xef\xbb\xbf{}"
	m, err := ParseSyslog([]byte(good))
	if err != nil || m.Data["fl@32473"]["id"] != `a"b]c` || m.Message != "{}" || m.Facility != 10 || m.Severity != 6 {
		t.Fatalf("the good one: %+v, %v", m, err)
	}
	for name, line := range map[string]string{
		"no priority":                strings.Replace(good, "<86>1", "1", 1),
		"a priority out of range":    strings.Replace(good, "<86>", "<192>", 1),
		"a priority with zeros":      strings.Replace(good, "<86>", "<086>", 1),
		"another version":            strings.Replace(good, ">1 ", ">2 ", 1),
		"a time of its own":          strings.Replace(good, "2026-11-22T", "2026-11-22 ", 1),
		"seven digits of a second":   strings.Replace(good, ".123456Z", ".1234567Z", 1),
		"an empty host":              strings.Replace(good, " host ", "  ", 1),
		"a host that is no ASCII":    strings.Replace(good, " host ", " höst ", 1),
		"a type that is too long":    strings.Replace(good, " T [", " "+strings.Repeat("T", 33)+" [", 1),
		"no structured data":         strings.Replace(good, "[fl", "fl", 1),
		"a quote that is not closed": strings.Replace(good, `"1"]`, `"1]`, 1),
		"a bracket":                  strings.Replace(good, `\]`, `]`, 1),
		"a name with a space":        strings.Replace(good, `pos=`, `p s=`, 1),
		"no mark":                    strings.Replace(good, "\xef\xbb\xbf", "", 1),
		"no UTF-8":                   good + "\xff",
		"two lines":                  good + "\n",
	} {
		if _, err := ParseSyslog([]byte(line)); err == nil {
			t.Errorf("%s is not found: %s", name, line)
		}
	}
}
