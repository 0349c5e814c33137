package auditapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
)

// Bounds of exports: how many records one holds, and how many are under way,
// of one person and in all.
const (
	maxExported   = 100_000
	exportPage    = 500
	exportsEach   = 2
	exportsInAll  = 4
	exportStall   = 30 * time.Second // that a client may take for a block
	exportBlock   = 32 << 10
	exportWrapUp  = 10 * time.Second // to put it on record that it is over
	maxPurpose    = 500
	trailerCount  = "X-Export-Count"
	trailerDigest = "X-Export-Digest"
	trailerRest   = "X-Export-Truncated"
)

// errGone says that the client takes nothing any more.
var errGone = errors.New("the client is gone")

// exporting is an export under way. It is written while it is made, so nobody
// knows its digest beforehand: that somebody exports is on record before the
// first byte leaves, and what has left when it is over. A crash between the two
// leaves the first, which says what was asked for.
type exporting struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	caller session.Caller
	rc     *http.ResponseController
	event  audit.AuditExported
	about  string // id of the user whom the filters are about, if it is one
	limit  int
	rest   string // where what was left out begins; empty for nothing

	digest hash.Hash
	block  []byte // not sent yet
}

// exporting reads what all exports can be asked.
func (s *Server) exporting(w http.ResponseWriter, r *http.Request, c session.Caller, p *params, formats []string) (*exporting, error) {
	e := &exporting{server: s, w: w, r: r, caller: c, rc: http.NewResponseController(w), digest: sha256.New(), limit: p.limit(maxExported, maxExported)}
	e.event = audit.AuditExported{
		Export: uuid.Must(uuid.NewV7()).String(), Format: p.choice("format", formats...), By: c.User, Filters: asked(r), Purpose: p.text("purpose"),
		Bare: true,
	}
	delete(e.event.Filters, "purpose")
	if e.event.Format == "" {
		p.refuse("format", "This field is required.")
	}
	if len(e.event.Purpose) > maxPurpose {
		p.refuse("purpose", fmt.Sprintf("Ensure this field has no more than %d characters.", maxPurpose))
	}
	if personal := p.flag("personal"); personal != nil && *personal {
		e.event.Bare = false
		if !c.May(inspectFlow) {
			refused := s.Looks.Refused(r.Context(), c, looked.Refusal{View: "export", Cause: "permission"})
			return nil, cmp.Or(refused, error(domain.Errorf(domain.Forbidden, "You do not have permission to export names and addresses.")))
		}
	}
	return e, nil
}

// send records that somebody exports, has fill write the body, and records
// what has left. To ask for the head of an export exports nothing.
func (e *exporting) send(media, name string, fill func(ctx context.Context) error) error {
	leave, err := e.server.exports.enter(e.caller.User, exportsEach, exportsInAll)
	if err != nil {
		return err
	}
	defer leave()
	// Its id makes each export a question of its own.
	filters := maps.Clone(e.event.Filters)
	filters["export"] = e.event.Export
	look := looked.Look{View: "export", Filters: filters, About: e.about}
	if !e.event.Bare {
		look.Opened = shownOf
	}
	if err := e.server.Looks.Queried(e.r.Context(), e.caller, look); err != nil {
		return err
	}
	h := e.w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("X-Export-Id", e.event.Export)
	h.Set("X-Accel-Buffering", "no")
	for _, trailer := range []string{trailerCount, trailerDigest, trailerRest} {
		h.Add("Trailer", trailer)
	}
	e.w.WriteHeader(http.StatusOK)
	if e.r.Method == http.MethodHead {
		return nil
	}
	err = fill(e.r.Context())
	e.done(cmp.Or(err, e.flush())) // what is written is counted, so it leaves, whatever comes after it
	return nil
}

// done puts on record what has left, and tells the client.
func (e *exporting) done(fault error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.r.Context()), exportWrapUp)
	defer cancel()
	if fault != nil && !errors.Is(fault, errGone) {
		e.server.Log.ErrorContext(ctx, "export ended early", "export", e.event.Export, "error", fault)
	}
	e.event.Truncated = fault != nil || e.rest != ""
	e.event.Digest = hex.EncodeToString(e.digest.Sum(nil))
	if err := e.server.Looks.Exported(ctx, e.caller, e.event, e.about); err != nil {
		// The client learns no digest, and so that something is missing.
		e.server.Log.ErrorContext(ctx, "export not recorded", "export", e.event.Export, "error", err)
		return
	}
	h := e.w.Header()
	h.Set(trailerCount, fmt.Sprint(e.event.Count))
	h.Set(trailerDigest, "sha-256="+e.event.Digest)
	h.Set(trailerRest, e.rest)
}

// put appends a record's text to what is sent.
func (e *exporting) put(text []byte) error {
	e.block = append(e.block, text...)
	if len(e.block) < exportBlock {
		return nil
	}
	return e.flush()
}

// flush sends what is not sent yet. What was given to a client that did not
// take it all counts as gone.
func (e *exporting) flush() error {
	if err := e.rc.SetWriteDeadline(time.Now().Add(exportStall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	e.digest.Write(e.block)
	_, err := e.w.Write(e.block)
	e.block = e.block[:0]
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
