package siem

import (
	"bytes"
	"strconv"
	"strings"
)

// facility is 10 of RFC 5424: security and authorization messages.
const facility = 10

// syslogSeverities are OCSF's severities on the scale of RFC 5424.
var syslogSeverities = map[int]int{informational: 6, low: 5, medium: 4, high: 3, critical: 2}

// sdID names the structured data. The number is the one that RFC 5612 keeps for
// examples, for the program has none of its own.
const sdID = "fl@32473"

// A syslog line is cut in no place but its fields: what a receiver does with
// long messages is its own business (RFC 5424, 6.1).
func appendSyslog(to []byte, r *Record, o Options) ([]byte, bool, error) {
	message, said, err := messageOf(o)(nil, r, o)
	if err != nil || !said {
		return to, false, err
	}
	severity, ok := syslogSeverities[judge(r).severity]
	if !ok {
		severity = 6
	}
	to = append(to, '<')
	to = strconv.AppendInt(to, int64(facility*8+severity), 10)
	to = append(to, ">1 "...)
	to = r.RecordedAt.UTC().AppendFormat(to, "2006-01-02T15:04:05.000000Z07:00")
	for _, field := range []struct {
		text string
		most int
	}{{o.Host, 255}, {product, 48}, {r.Header.Writer.Instance, 128}, {r.Type, 32}} {
		to = append(append(to, ' '), printable(field.text, field.most)...)
	}
	to = append(to, " ["+sdID...)
	to = appendParam(to, "id", r.ID.String())
	to = appendParam(to, "pos", r.Position.String())
	to = appendParam(to, "stream", string(r.Stream))
	to = appendParam(to, "execution", executionOf(r))
	to = append(to, "] \xef\xbb\xbf"...) // the message is UTF-8, and says so
	return append(append(to, bytes.TrimRight(message, "\n")...), '\n'), true, nil
}

// messageOf is what writes the message of a line.
func messageOf(o Options) func(to []byte, r *Record, o Options) ([]byte, bool, error) {
	switch o.Message {
	case ECS:
		return appendECS
	case CEF:
		return appendCEF
	case JSONL:
		return appendJSONL
	}
	return appendOCSF
}

// printable makes a field of a header: visible ASCII, or a dash for nothing.
func printable(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' {
			return -1
		}
		return c
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), most)]
}

// appendParam writes a parameter of structured data, unless it is empty.
func appendParam(to []byte, name, value string) []byte {
	if value == "" {
		return to
	}
	to = append(append(to, ' '), name...)
	to = append(to, '=', '"')
	for _, c := range strings.ToValidUTF8(value, "\uFFFD") {
		if c == '"' || c == '\\' || c == ']' {
			to = append(to, '\\')
		}
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		to = append(to, string(c)...)
	}
	return append(to, '"')
}

// Frame writes a line as a frame of RFC 5425 and 6587: its length in bytes, a
// space, and the line without its end.
func Frame(to, line []byte) []byte {
	line = bytes.TrimRight(line, "\n")
	to = strconv.AppendInt(to, int64(len(line)), 10)
	return append(append(to, ' '), line...)
}
