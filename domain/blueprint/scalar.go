package blueprint

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Plain scalars are read by YAML 1.1 as PyYAML does (spec/blueprints.md 1.1),
// for which yaml.v3 would read others.

var words = map[string]any{
	"": nil, "~": nil, "null": nil, "Null": nil, "NULL": nil,
	"true": true, "True": true, "TRUE": true, "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"false": false, "False": false, "FALSE": false, "no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

var (
	intForm   = regexp.MustCompile(`^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*|[1-9][0-9_]*(:[0-5]?[0-9])+)$`)
	floatForm = regexp.MustCompile(`^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	stampForm = regexp.MustCompile(`^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?[ \t]*(Z|[-+]\d\d?(?::\d\d)?)?)?$`)
	dateForm  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// plainScalar gives the value of an unquoted scalar.
func plainScalar(text string) any {
	if v, ok := words[text]; ok {
		return v
	}
	if !strings.ContainsAny(text[:1], "+-.0123456789") {
		return text
	}
	if intForm.MatchString(text) {
		if n, ok := parseInt(text); ok {
			return n
		}
	}
	if floatForm.MatchString(text) {
		if n, ok := parseFloat(text); ok {
			return n
		}
	}
	if s, ok := parseStamp(text); ok {
		return s
	}
	return text
}

// parseInt reads the forms of YAML 1.1: 0b1, 0x1f, 017, 1_000, 1:30. What
// does not fit is read as a float, for JSON has no larger integers.
func parseInt(text string) (any, bool) {
	text = strings.ReplaceAll(text, "_", "")
	sign := int64(1)
	if text[0] == '-' {
		sign = -1
	}
	digits := strings.TrimLeft(text, "+-")
	base := 10
	switch {
	case strings.Contains(digits, ":"):
		f, ok := sexagesimal(digits)
		return sign * int64(f), ok && f < 1<<53
	case strings.HasPrefix(digits, "0b"):
		digits, base = digits[2:], 2
	case strings.HasPrefix(digits, "0x"):
		digits, base = digits[2:], 16
	case strings.HasPrefix(digits, "0"):
		base = 8
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		f, err := strconv.ParseFloat(digits, 64)
		return float64(sign) * f, err == nil && base == 10
	}
	return sign * n, true
}

func parseFloat(text string) (float64, bool) {
	text = strings.ToLower(strings.ReplaceAll(text, "_", ""))
	sign := 1.0
	if text[0] == '-' {
		sign = -1
	}
	digits := strings.TrimLeft(text, "+-")
	if strings.Contains(digits, ":") {
		f, ok := sexagesimal(digits)
		return sign * f, ok
	}
	if digits == ".inf" || digits == ".nan" {
		digits = digits[1:]
	}
	f, err := strconv.ParseFloat(digits, 64)
	return sign * f, err == nil
}

// sexagesimal reads 1:30 as 90.
func sexagesimal(digits string) (float64, bool) {
	var sum float64
	for part := range strings.SplitSeq(digits, ":") {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0, false
		}
		sum = sum*60 + n
	}
	return sum, true
}

// parseStamp reads a date or a time.
func parseStamp(text string) (stamp, bool) {
	m := stampForm.FindStringSubmatch(text)
	if m == nil || m[4] == "" && !dateForm.MatchString(text) {
		return stamp{}, false
	}
	var n [7]int
	for i := 1; i <= 6; i++ {
		n[i], _ = strconv.Atoi(m[i])
	}
	micros, _ := strconv.Atoi((m[7] + "000000")[:6])
	zone := time.UTC
	if offset := m[8]; offset != "" && offset != "Z" {
		hours, minutes, _ := strings.Cut(offset[1:], ":")
		h, _ := strconv.Atoi(hours)
		mins, _ := strconv.Atoi(minutes)
		seconds := (h*60 + mins) * 60
		if offset[0] == '-' {
			seconds = -seconds
		}
		zone = time.FixedZone("", seconds)
	}
	t := time.Date(n[1], time.Month(n[2]), n[3], n[4], n[5], n[6], micros*1000, zone)
	if int(t.Month()) != n[2] || t.Day() != n[3] || n[4] > 23 || n[5] > 59 || n[6] > 59 {
		return stamp{}, false
	}
	layout := "2006-01-02T15:04:05.999999Z07:00"
	switch {
	case m[4] == "":
		layout = "2006-01-02"
	case m[8] == "":
		layout = "2006-01-02T15:04:05.999999"
	}
	return stamp{Time: t, text: t.Format(layout)}, true
}
