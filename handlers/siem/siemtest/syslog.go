package siemtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Syslog is a message of RFC 5424, taken apart.
type Syslog struct {
	Facility, Severity       int
	Time                     time.Time
	Host, App, ProcID, MsgID string
	Data                     map[string]map[string]string
	Message                  string
}

// ParseSyslog reads one message strictly by the grammar of RFC 5424, section 6.
func ParseSyslog(line []byte) (m Syslog, err error) {
	rest := string(line)
	if rest, err = m.priority(rest); err != nil {
		return m, err
	}
	fields := strings.SplitN(rest, " ", 6)
	if len(fields) != 6 {
		return m, errors.New("the header is too short")
	}
	if m.Time, err = time.Parse(time.RFC3339Nano, fields[0]); err != nil {
		return m, err
	}
	if dot := strings.IndexByte(fields[0], '.'); dot >= 0 && len(strings.TrimRight(fields[0][dot+1:], "Z")) > 6 {
		return m, errors.New("the time has more than six digits of a second")
	}
	for i, f := range []struct {
		to   *string
		most int
	}{{&m.Host, 255}, {&m.App, 48}, {&m.ProcID, 128}, {&m.MsgID, 32}} {
		*f.to = fields[i+1]
		if !visible(*f.to) || len(*f.to) > f.most {
			return m, fmt.Errorf("field %d of the header is %q", i+2, *f.to)
		}
	}
	if rest, err = m.data(fields[5]); err != nil || rest == "" {
		return m, err
	}
	text, ok := strings.CutPrefix(rest, " \xef\xbb\xbf")
	if !ok || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r") {
		return m, errors.New("the message should be UTF-8 on one line, behind its mark")
	}
	m.Message = text
	return m, nil
}

func (m *Syslog) priority(text string) (rest string, err error) {
	head, rest, ok := strings.Cut(text, ">1 ")
	digits, begun := strings.CutPrefix(head, "<")
	n, err := strconv.Atoi(digits)
	if !ok || !begun || err != nil || n < 0 || n > 191 || strconv.Itoa(n) != digits {
		return "", errors.New("it should begin with a priority and version 1")
	}
	m.Facility, m.Severity = n/8, n%8
	return rest, nil
}

// visible tells whether a field of the header is visible ASCII, and not empty.
func visible(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// data reads the structured data, and returns what is behind it.
func (m *Syslog) data(text string) (rest string, err error) {
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		return rest, nil
	}
	m.Data = map[string]map[string]string{}
	for strings.HasPrefix(text, "[") {
		if text, err = m.element(text[1:]); err != nil {
			return "", err
		}
	}
	if len(m.Data) == 0 {
		return "", errors.New("the structured data are missing")
	}
	return text, nil
}

// element reads one element behind its bracket.
func (m *Syslog) element(text string) (rest string, err error) {
	end := strings.IndexAny(text, " ]")
	if end < 0 || !nameOf(text[:end]) || m.Data[text[:end]] != nil {
		return "", errors.New("the structured data have no name of their own")
	}
	params := map[string]string{}
	m.Data[text[:end]] = params
	text = text[end:]
	for strings.HasPrefix(text, " ") {
		name, quoted, ok := strings.Cut(text[1:], `="`)
		if !ok || !nameOf(name) {
			return "", errors.New("a parameter has no name")
		}
		if params[name], text, err = paramOf(quoted); err != nil {
			return "", err
		}
	}
	rest, ok := strings.CutPrefix(text, "]")
	if !ok {
		return "", errors.New("the structured data do not end")
	}
	return rest, nil
}

// nameOf tells whether a text is an SD-NAME.
func nameOf(text string) bool {
	return visible(text) && len(text) <= 32 && !strings.ContainsAny(text, `= "]`)
}

// paramOf reads a value up to its quote.
func paramOf(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case ']':
			return "", "", errors.New("a bracket is not escaped")
		case '\\':
			if i+1 < len(text) && strings.IndexByte(`"\]`, text[i+1]) >= 0 {
				i++
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("a value does not end")
}
