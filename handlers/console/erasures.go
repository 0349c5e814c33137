package console

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Erasures are what was destroyed.
type Erasures interface {
	// List returns the erasures that f wants, the newest first, and how many
	// there are.
	List(ctx context.Context, f projections.ErasureFilter, p projections.Page) ([]projections.Erasure, int, error)
	// Answer says of one of them what it left, and where copies went.
	Answer(ctx context.Context, event string) (ErasureAnswer, bool, error)
}

// An ErasureAnswer is what an operator tells somebody who asked to be erased.
type ErasureAnswer struct {
	Erasure projections.Erasure
	Bound   map[string]int // what went with the subject, by its kind
	Left    []LeftSubject  // what was in use then
	Events  []EventCount   // that stay, by type
	Gone    []ErasedCopy   // outside, where no key reaches
}

// An ErasedCopy is where data of somebody went before they were erased.
type ErasedCopy struct {
	Kind        string // sink, export or mail
	Name        string // of a sink
	By          string // id of whoever took an export
	From, Until time.Time
	Events      int
}

// A LeftSubject is something that was in use when its user was erased.
type LeftSubject struct {
	Name string    // kind and id
	Gone time.Time // when its keys went, too; zero while it is in use
}

// An EventCount is how many events there are of a type.
type EventCount struct {
	Type  string
	Count int
}

// An erasuresView is the list of erasures, with the rule of retention, for the
// template.
type erasuresView struct {
	frame
	naming
	retentionPart
	Filter   projections.ErasureFilter
	Erasures []projections.Erasure
	Total    int
	Pager    pager
	Now      time.Time
	Done     string
}

// Kinds are the choices of the filter.
func (erasuresView) Kinds() []string { return []string{"user", "execution", "session", "epoch"} }

func (s *Server) erasures(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	v := erasuresView{}
	if r.URL.Query().Get("done") == "retention" {
		v.Done = "The rule was changed."
	}
	return s.showErasures(w, r, c, v, http.StatusOK)
}

func (s *Server) showErasures(w http.ResponseWriter, r *http.Request, c *session.Caller, v erasuresView, status int) error {
	q := r.URL.Query()
	page, err := pageOf(q)
	if err != nil {
		return err
	}
	v.Now = c.Now
	v.Filter = projections.ErasureFilter{Kind: q.Get("kind"), Subject: q.Get("subject")}
	if v.Erasures, v.Total, err = s.Erasures.List(r.Context(), v.Filter, page.Page); err != nil {
		return err
	}
	v.Pager = page.of(r.URL, v.Total)
	if err := s.fillRetention(r.Context(), c, &v.retentionPart); err != nil {
		return err
	}
	var ids []string
	for _, e := range v.Erasures {
		ids = append(ids, e.By)
	}
	for _, h := range v.History {
		ids = append(ids, h.By)
	}
	if v.naming, err = s.named(r.Context(), ids...); err != nil {
		return err
	}
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "erasures", Filters: asked(r), Count: v.Total}); err != nil {
		return err
	}
	v.CSRF = s.Forgery.Token(w, r)
	v.frame = s.frame(r, c, "Erasures and retention")
	return render(w, status, "erasures", v)
}

// An erasureView is the answer to one request for the template. It is made to
// be printed.
type erasureView struct {
	frame
	naming
	ErasureAnswer
	Heading string
	Answer  string
	Classes []classText
	Until   []string
	Remains []string
	Copies  []string
	BoundTo string
}

// A classText is a class of sealed data, in words.
type classText struct{ Name, Text string }

var classTexts = map[string]classText{
	"P": {"Profile", "names, e-mail address, attributes, names of devices"},
	"T": {"Trace", "what executions and changes mention of the person: what they typed, messages, free text, old values"},
	"N": {"Network", "addresses, browsers and places"},
	"C": {"Credentials", "hashes of passwords, seeds and keys of authenticators, digests of tokens"},
	"X": {"Transient", "secrets in flight"},
}

func (s *Server) erasure(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	event := mux.Vars(r)["event"]
	answer, ok, err := s.Erasures.Answer(r.Context(), event)
	if err != nil {
		return err
	}
	if !ok {
		return domain.Errorf(domain.NotFound, "There is no erasure %q.", event)
	}
	ids := []string{answer.Erasure.By}
	for _, c := range answer.Gone {
		ids = append(ids, c.By)
	}
	names, err := s.named(r.Context(), ids...)
	if err != nil {
		return err
	}
	v := erasureViewOf(answer, names, c.Now)
	look := looked.Look{View: "erasures", Filters: map[string]string{"event": event}, Count: 1}
	if err := s.Looks.Queried(r.Context(), *c, look); err != nil {
		return err
	}
	v.frame = s.frame(r, c, v.Heading)
	v.Scripts = []string{"print.js"}
	return render(w, http.StatusOK, "erasure", v)
}

func erasureViewOf(a ErasureAnswer, names naming, now time.Time) erasureView {
	e := a.Erasure
	v := erasureView{naming: names, ErasureAnswer: a, Heading: "Erasure of " + e.Kind + " " + short(e.Subject)}
	for _, class := range e.Classes {
		text, ok := classTexts[class]
		if !ok {
			text = classText{class, "sealed data"}
		}
		v.Classes = append(v.Classes, text)
	}
	v.Answer = fmt.Sprintf("The keys to the personal data of %s %s were destroyed on %s. Nobody can read it any more, and nobody can bring it back.",
		e.Kind, e.Subject, day(e.At))
	if e.Kind == "epoch" {
		v.Heading = "End of " + e.Subject
		v.Answer = fmt.Sprintf("The keys of %s were destroyed on %s, because the month had become older than the rule of retention.", e.Subject, day(e.At))
	}
	v.BoundTo = boundText(a)
	v.Until = untilTexts(a, now)
	v.Remains, v.Copies = remainTexts(a), copyTexts(a, names)
	return v
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// boundText says what went along.
func boundText(a ErasureAnswer) string {
	if len(a.Bound) == 0 {
		return fmt.Sprintf("With it went the keys of %d executions and sessions that were about the person.", a.Erasure.Bound)
	}
	return fmt.Sprintf("With it went the keys of %s.", counted(a.Bound))
}

// untilTexts say by when nothing is left.
func untilTexts(a ErasureAnswer, now time.Time) (out []string) {
	e := a.Erasure
	switch {
	case e.BackupsGoneAt.IsZero():
	case now.Before(e.BackupsGoneAt):
		out = append(out, fmt.Sprintf("Backups of the keys are kept until %s at the latest. Until then whoever has one, and a copy of the ledger, could still read it.", day(e.BackupsGoneAt)))
	default:
		out = append(out, fmt.Sprintf("The last backup of the keys was due to be gone by %s. That is past.", day(e.BackupsGoneAt)))
	}
	for _, left := range a.Left {
		if left.Gone.IsZero() {
			out = append(out, left.Name+" was in use. Its keys go when it ends.")
		} else {
			out = append(out, fmt.Sprintf("%s was in use. Its keys went on %s.", left.Name, day(left.Gone)))
		}
	}
	if len(a.Left) == 0 && e.Remaining > 0 {
		out = append(out, fmt.Sprintf("%d executions or sessions were in use. Their keys went when they ended, or go then.", e.Remaining))
	}
	if len(out) == 0 {
		out = append(out, "It is gone.")
	}
	return out
}

// remainTexts say what stays, and why.
func remainTexts(a ErasureAnswer) []string {
	out := []string{
		"The events themselves stay: that something happened, when, of which type, and in which order. Without them the trail of everybody else would have holes.",
	}
	if a.Erasure.Kind != "epoch" {
		out = append(out, fmt.Sprintf("In them the person is the pseudonym %s, an arbitrary number that leads to no name.", a.Erasure.Subject))
	}
	return out
}

// copyTexts say where copies went that no key reaches.
func copyTexts(a ErasureAnswer, names naming) (out []string) {
	for _, c := range a.Gone {
		switch c.Kind {
		case "sink":
			until := "and still does"
			if !c.Until.IsZero() {
				until = "until " + day(c.Until)
			}
			out = append(out, fmt.Sprintf("The sink %s took events with names and addresses from %s on, %s. Whoever runs it has to be asked to delete them.", c.Name, day(c.From), until))
		case "export":
			out = append(out, fmt.Sprintf("%s took an export of %d events on %s. Files on this server were deleted with the erasure; what was taken away has to be asked for.", names.Who(c.By).Name, c.Events, day(c.From)))
		case "mail":
			out = append(out, fmt.Sprintf("%d %s sent to the person. They lie with the person, and with their providers.", c.Events, were("mail", c.Events)))
		}
	}
	return out
}

func were(word string, n int) string {
	if n == 1 {
		return word + " was"
	}
	return word + "s were"
}

// counted lists kinds of things with their numbers, in order.
func counted(by map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d %s", by[kind], plural(kind, by[kind])))
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return strings.Join(parts, "")
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
