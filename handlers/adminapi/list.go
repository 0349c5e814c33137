package adminapi

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/flowledger/flowledger/domain"
)

// Sizes of the pages of lists.
const (
	pageSize    = 20
	maxPageSize = 100
)

// A paging is which page of a list a client wants.
type paging struct {
	number int // from 1
	size   int
}

// pagingOf reads page and page_size. A size that is none is the usual one; a
// page that is none does not exist.
func pagingOf(q url.Values) (paging, error) {
	p := paging{number: 1, size: pageSize}
	if n, err := strconv.Atoi(q.Get("page_size")); err == nil && n > 0 {
		p.size = min(n, maxPageSize)
	}
	if text := q.Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<30 {
			return p, errPage()
		}
		p.number = n
	}
	return p, nil
}

// errPage is the contract's answer for a page behind the last: there is no
// such page.
func errPage() error { return domain.Errorf(domain.NotFound, "Invalid page.") }

// page is the part of the list.
func (p paging) page() Page { return Page{Offset: (p.number - 1) * p.size, Limit: p.size} }

// A list is a page of a list on the wire (spec/flows.md 10.1).
type list struct {
	Pagination   pagination `json:"pagination"`
	Results      []any      `json:"results"`
	Autocomplete struct{}   `json:"autocomplete"`
}

// pagination tells a client where in the list it is, and where it can go.
type pagination struct {
	Next       int `json:"next"`     // 0 when there is none
	Previous   int `json:"previous"` // 0 when there is none
	Count      int `json:"count"`
	Current    int `json:"current"`
	TotalPages int `json:"total_pages"`
	StartIndex int `json:"start_index"`
	EndIndex   int `json:"end_index"`
}

// writeList answers with a page, of a list that has total items on all pages.
func writeList(w http.ResponseWriter, p paging, total int, results []any) error {
	pages := max(1, (total+p.size-1)/p.size)
	if p.number > pages {
		return errPage()
	}
	l := list{Results: results, Pagination: pagination{Count: total, Current: p.number, TotalPages: pages}}
	if l.Results == nil {
		l.Results = []any{}
	}
	if p.number < pages {
		l.Pagination.Next = p.number + 1
	}
	l.Pagination.Previous = p.number - 1
	if total > 0 {
		l.Pagination.StartIndex = (p.number-1)*p.size + 1
	}
	l.Pagination.EndIndex = min(p.number*p.size, total)
	return writeJSON(w, http.StatusOK, l)
}

// slice cuts the page out of a whole list.
func slice[T any](p paging, all []T) []T {
	from := min((p.number-1)*p.size, len(all))
	return all[from:min(from+p.size, len(all))]
}

// boolParam reads a parameter that is true or false. Anything else is as if
// it were not there, as the contract's filters have it.
func boolParam(q url.Values, name string) *bool {
	var v bool
	switch q.Get(name) {
	case "true", "True", "1":
		v = true
	case "false", "False", "0":
	default:
		return nil
	}
	return &v
}
