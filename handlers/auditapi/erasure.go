package auditapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Erased answers requests for erasure. It fails with NotFound for whom nothing
// was destroyed.
type Erased interface {
	// ErasureReport takes the id of a user, an execution, a session or a month,
	// or that of the event that records an erasure.
	ErasureReport(ctx context.Context, id string) (ErasureReport, error)
}

// An ErasureReport is what may be answered to whoever asked to be erased: what
// was destroyed, when and by whom, what stays, and where copies went.
type ErasureReport struct {
	Event         string                  `json:"event"` // id of the record
	Kind          string                  `json:"kind"`  // user, execution, session or epoch
	Subject       string                  `json:"subject"`
	At            time.Time               `json:"at"`
	By            string                  `json:"by"` // id of the user; empty for the program
	Cause         string                  `json:"cause"`
	Classes       []string                `json:"classes"`
	Created       time.Time               `json:"created,omitzero"` // when the subject became known
	Deleted       time.Time               `json:"deleted,omitzero"` // of a user
	Keys          []ErasedKeys            `json:"keys"`
	Remaining     []ErasedLater           `json:"remaining"`
	BackupsGoneAt time.Time               `json:"backups_gone_at,omitzero"`
	Complete      bool                    `json:"complete"` // nothing remains, and the backups are gone
	Stays         []projections.TypeCount `json:"stays"`    // events without anything personal in them
	Copies        []ErasedCopy            `json:"copies"`
}

// ErasedKeys are the subjects of one kind whose keys went.
type ErasedKeys struct {
	Kind      string `json:"kind"`
	Destroyed int    `json:"destroyed"`
	Remaining int    `json:"remaining"`
}

// ErasedLater is a subject that was in use, and when its keys went.
type ErasedLater struct {
	Subject string    `json:"subject"`
	GoneAt  time.Time `json:"gone_at,omitzero"` // zero while it is in use
}

// The kinds of copies.
const (
	CopySink   = "sink"   // a target that was sent names and addresses
	CopyExport = "export" // a file that somebody took away
	CopyMail   = "mail"
)

// An ErasedCopy is where data went that no key reaches: whoever has them must
// be asked.
type ErasedCopy struct {
	Kind   string    `json:"kind"`
	ID     string    `json:"id,omitempty"`
	Name   string    `json:"name,omitempty"`
	By     string    `json:"by,omitempty"`
	From   time.Time `json:"from,omitzero"`
	Until  time.Time `json:"until,omitzero"` // zero for still
	Events int       `json:"events,omitempty"`
}

// erasure answers one request, as JSON or, with format=text, in words.
func (s *Server) erasure(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	id := mux.Vars(r)["id"]
	report, err := s.Erased.ErasureReport(r.Context(), id)
	if err != nil {
		return err
	}
	look := looked.Look{View: "erasures", Filters: map[string]string{"id": report.Subject}, Count: 1}
	if err := s.Looks.Queried(r.Context(), c, look); err != nil {
		return err
	}
	if r.URL.Query().Get("format") != "text" {
		s.write(w, r, http.StatusOK, report)
		return nil
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	return report.Write(w)
}

// Write writes the report in words.
func (e ErasureReport) Write(w io.Writer) error {
	var b bytes.Buffer
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
	by := "the program"
	if e.By != "" {
		by = "user " + e.By
	}
	fmt.Fprintf(&b, "%s %s was erased on %s by %s (%s).\n", e.Kind, e.Subject, day(e.At), by, e.Cause)
	if !e.Created.IsZero() {
		fmt.Fprintf(&b, "It was known since %s.\n", day(e.Created))
	}
	if !e.Deleted.IsZero() {
		fmt.Fprintf(&b, "It was deleted on %s.\n", day(e.Deleted))
	}
	fmt.Fprintf(&b, "Destroyed are the keys of %s.\n", classWords(e.Classes))
	for _, k := range e.Keys {
		fmt.Fprintf(&b, "  of %d of kind %s; %d remained in use\n", k.Destroyed, k.Kind, k.Remaining)
	}
	for _, later := range e.Remaining {
		when := "is still in use"
		if !later.GoneAt.IsZero() {
			when = "went on " + day(later.GoneAt)
		}
		fmt.Fprintf(&b, "  %s %s\n", later.Subject, when)
	}
	if !e.BackupsGoneAt.IsZero() {
		fmt.Fprintf(&b, "The last backup of the keys is gone by %s.\n", day(e.BackupsGoneAt))
	}
	fmt.Fprintf(&b, "The erasure is %s.\n", map[bool]string{true: "complete", false: "not complete yet"}[e.Complete])
	fmt.Fprintln(&b, "What stays in the ledger has nothing personal in it that can be read:")
	for _, t := range e.Stays {
		fmt.Fprintf(&b, "  %6d %s\n", t.Events, t.Type)
	}
	e.writeCopies(&b, day)
	_, err := w.Write(b.Bytes())
	return err
}

func (e ErasureReport) writeCopies(b *bytes.Buffer, day func(time.Time) string) {
	if len(e.Copies) == 0 {
		fmt.Fprintln(b, "No copies left the house.")
		return
	}
	fmt.Fprintln(b, "Copies left the house, which no key reaches. Whoever has them must be asked:")
	for _, c := range e.Copies {
		switch c.Kind {
		case CopySink:
			until := "until now"
			if !c.Until.IsZero() {
				until = "until " + day(c.Until)
			}
			fmt.Fprintf(b, "  sink %q was sent names and addresses from %s %s\n", c.Name, day(c.From), until)
		case CopyExport:
			fmt.Fprintf(b, "  export %s of %d events, taken on %s by user %s\n", c.ID, c.Events, day(c.From), c.By)
		case CopyMail:
			fmt.Fprintf(b, "  %d mails were sent\n", c.Events)
		}
	}
}

// classNames are what the classes hold, for people.
var classNames = map[string]string{
	"P": "names, addresses and attributes", "T": "what executions say of people", "N": "networks and browsers", "C": "credentials",
}

func classWords(classes []string) string {
	text := ""
	for i, c := range classes {
		switch name := classNames[c]; {
		case name == "":
			name = c
			fallthrough
		case i == 0:
			text += name
		case i == len(classes)-1:
			text += " and " + name
		default:
			text += ", " + name
		}
	}
	return text
}
