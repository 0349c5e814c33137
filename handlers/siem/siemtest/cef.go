package siemtest

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cefKeys is the dictionary: the type of each key, and how long it may be.
var cefKeys = func() map[string][2]string {
	out := map[string][2]string{}
	for _, r := range rows("testdata/cef-keys.csv") {
		out[r[0]] = [2]string{r[1], r[2]}
	}
	return out
}()

// pairStart is a key in an extension: behind a space, with an equal sign that is
// not escaped.
var pairStart = regexp.MustCompile(`(?:^| )([A-Za-z0-9_.]+)=`)

// CEF tells what is wrong with one line, and returns its extension.
func CEF(line []byte) (pairs map[string]string, complaints []string) {
	text, ended := strings.CutSuffix(string(line), "\n")
	if !ended || strings.ContainsAny(text, "\n\r") || !utf8.ValidString(text) {
		return nil, []string{"it should be one line of UTF-8"}
	}
	fields, rest, ok := cefHeader(text)
	if !ok {
		return nil, []string{"the header should have seven fields"}
	}
	if fields[0] != "CEF:0" && fields[0] != "CEF:1" {
		complaints = append(complaints, "it should begin with CEF:0")
	}
	if n, err := strconv.Atoi(fields[6]); err != nil || n < 0 || n > 10 {
		complaints = append(complaints, "the severity should be a number from 0 to 10")
	}
	for i, name := range []string{"", "vendor", "product", "", "signature", "name"} {
		if name != "" && fields[i] == "" {
			complaints = append(complaints, name+" is empty")
		}
	}
	pairs, wrong := cefPairs(rest)
	complaints = append(complaints, wrong...)
	for key, value := range pairs {
		if wrong := wrongCEF(key, value, pairs); wrong != "" {
			complaints = append(complaints, key+": "+wrong)
		}
	}
	return pairs, complaints
}

// cefHeader splits at the pipes that are not escaped.
func cefHeader(text string) (fields []string, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			if i++; text[i] != '\\' && text[i] != '|' {
				return nil, "", false
			}
			b.WriteByte(text[i])
		case c == '|':
			if fields = append(fields, b.String()); len(fields) == 7 {
				return fields, text[i+1:], true
			}
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return nil, "", false
}

// cefPairs takes an extension apart.
func cefPairs(text string) (pairs map[string]string, complaints []string) {
	pairs = map[string]string{}
	starts := pairStart.FindAllStringSubmatchIndex(text, -1)
	if len(starts) == 0 || starts[0][0] != 0 {
		return pairs, []string{"the extension should begin with a key"}
	}
	for i, s := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		key, raw := text[s[2]:s[3]], text[s[1]:end]
		if _, twice := pairs[key]; twice {
			complaints = append(complaints, key+" is there twice")
		}
		value, err := unescapeCEF(raw)
		if err != nil {
			complaints = append(complaints, key+": "+err.Error())
		}
		pairs[key] = value
	}
	return pairs, complaints
}

func unescapeCEF(raw string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '=':
			return "", fmt.Errorf("an equal sign is not escaped")
		case c == '\\' && i+1 == len(raw):
			return "", fmt.Errorf("it ends with a backslash")
		case c == '\\':
			i++
			escaped, ok := map[byte]byte{'\\': '\\', '=': '=', 'n': '\n', 'r': '\r'}[raw[i]]
			if !ok {
				return "", fmt.Errorf("there is no escape \\%c", raw[i])
			}
			b.WriteByte(escaped)
		case c < ' ':
			return "", fmt.Errorf("it holds a control character")
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func wrongCEF(key, value string, pairs map[string]string) string {
	k, ok := cefKeys[key]
	if !ok {
		return "it is not in the dictionary"
	}
	if most, err := strconv.Atoi(k[1]); err == nil && len(value) > most {
		return "it is too long"
	}
	if value == "" {
		return "it is empty"
	}
	if len(key) == 3 && (key[:2] == "cs" || key[:2] == "cn") && pairs[key+"Label"] == "" {
		return "it needs a label"
	}
	switch k[0] {
	case "ipv4", "ipv6":
		if a, err := netip.ParseAddr(value); err != nil || a.Is4() != (k[0] == "ipv4") {
			return "it is no address of " + k[0]
		}
	case "long", "integer", "time":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return "it is no number"
		}
	}
	return ""
}
