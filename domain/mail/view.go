package mail

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A view is all that a template can show. The variables of a request are
// anybody's; what they are to a template is said here.
type view struct {
	Brand    string
	Title    string
	Name     string // of whom it is written to
	Username string
	URL      string
	Code     string
	Expires  string
	Body     string
	Facts    []fact
}

// A fact is one line of a table.
type fact struct{ Name, Text string }

// defaultBrand is what an installation is called that has no name.
const defaultBrand = "flowledger"

// viewOf reads the variables by the names that the contract's templates have
// for them. The link and the code have places of their own; texts among the
// variables stand in for them where whoever asked had no better.
func viewOf(e MailRequested, title string) view {
	vars := e.Variables
	user, _ := vars["user"].(map[string]any)
	v := view{
		Brand: first(e.Brand, defaultBrand), Title: first(text(vars["title"]), title),
		Name: first(text(user["name"]), text(user["username"])), Username: text(user["username"]),
		URL: first(e.Link.Reveal(), web(text(vars["url"]))), Code: first(e.Code.Reveal(), text(vars["token"])),
		Expires: moment(text(vars["expires"])), Body: text(vars["body"]),
	}
	table, _ := vars["key_value"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(table)) {
		v.Facts = append(v.Facts, fact{Name: name, Text: text(table[name])})
	}
	return v
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// web is an address that a browser opens as a page; any other is none.
func web(url string) string {
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		return url
	}
	return ""
}

// text is a value as people read it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any, []any:
		out, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(out)
	}
	return strings.TrimSpace(fmt.Sprint(v))
}

// moment shows a time; what is none is shown as it is.
func moment(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.UTC().Format("2 January 2006, 15:04 UTC")
}
