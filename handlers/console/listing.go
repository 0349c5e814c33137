package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/projections"
)

// A choice is one of several links, or of several values.
type choice struct {
	Text    string
	Path    string // the link, or the value
	Current bool
}

// spanChoices are links to the same page with other spans of time.
func spanChoices(u *url.URL, chosen span) (out []choice) {
	for _, s := range spans {
		out = append(out, choice{s.Title, "?" + with(u.Query(), "range", s.Name), s.Name == chosen.Name})
	}
	return out
}

// listSize is how many rows a list has.
const listSize = 50

// maxListPage bounds how far somebody can turn pages: behind it a filter is
// the better way.
const maxListPage = 10000

// A listPage is the part of a list that is asked for.
type listPage struct {
	projections.Page
	number int
}

// pageOf reads which part of a list is wanted.
func pageOf(q url.Values) (listPage, error) {
	n := 1
	if text := q.Get("page"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > maxListPage {
			return listPage{}, invalid("page", "A page is a number from 1 on.")
		}
	}
	return listPage{projections.Page{Offset: (n - 1) * listSize, Limit: listSize}, n}, nil
}

// A pager leads through the pages of a list.
type pager struct {
	Page, Pages    int
	Earlier, Later string // links; empty where there is nothing
}

// of makes the links of a list at an address.
func (p listPage) of(u *url.URL, total int) pager {
	out := pager{Page: p.number, Pages: max((total+listSize-1)/listSize, 1)}
	if p.number > 1 {
		out.Earlier = "?" + with(u.Query(), "page", strconv.Itoa(p.number-1))
	}
	if p.number < out.Pages {
		out.Later = "?" + with(u.Query(), "page", strconv.Itoa(p.number+1))
	}
	return out
}

// with is a query with one value changed, and on the first page unless that is
// what changes.
func with(q url.Values, name, value string) string {
	out := url.Values{}
	for key, values := range q {
		if key != "page" && key != "done" {
			out[key] = values
		}
	}
	out.Set(name, value)
	return out.Encode()
}

// invalid says that a filter is no good.
func invalid(field, text string) error {
	return &domain.Error{Code: domain.Invalid, Message: text, Fields: map[string][]string{field: {text}}}
}

// asked are the filters of a request, for the access log.
func asked(r *http.Request) map[string]string {
	out := map[string]string{}
	for name, values := range r.URL.Query() {
		if name == "page" || name == "done" || slices.Equal(values, []string{""}) {
			continue
		}
		out[name] = strings.Join(values, ",")
	}
	return out
}

// timeLayouts are the ways to write a time in a filter: as an address has it,
// as browsers' own fields write it, and a day.
var timeLayouts = []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"}

// timesOf reads since and until, in UTC unless they say otherwise.
func timesOf(q url.Values) (since, until time.Time, err error) {
	for name, t := range map[string]*time.Time{"since": &since, "until": &until} {
		text := strings.TrimSpace(q.Get(name))
		if text == "" {
			continue
		}
		for _, layout := range timeLayouts {
			if *t, err = time.Parse(layout, text); err == nil {
				break
			}
		}
		if err != nil {
			return since, until, invalid(name, fmt.Sprintf("%s is a time such as 2026-01-31T08:00Z.", name))
		}
	}
	return since, until, nil
}

// otherKinds are things that are not configured as all others are.
var otherKinds = map[string]string{
	"user": "User", "group": "Group", "role": "Role", "token": "Token", "invitation": "Invitation", "blueprintinstance": "Blueprint",
	"epoch": "Keys of a month", "retention": "Retention",
}

// kindName is how a kind of thing is called.
func kindName(model string) string {
	if k, ok := catalog.Lookup(model); ok {
		return k.Name
	}
	_, base, found := strings.Cut(model, ".")
	if !found {
		base = model
	}
	if name := otherKinds[base]; name != "" {
		return name
	}
	return base
}

// seeOther leads on after a form was sent.
func seeOther(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
