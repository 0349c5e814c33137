package adminapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
)

// Exports keeps the files of exported events. They hold opened personal data,
// so it keeps them from other users of the machine, and not for long.
type Exports interface {
	// Write makes a file of what fill writes. It is there, whole, once ready
	// returned without an error; else there is none.
	Write(id string, fill func(io.Writer) error, ready func() error) error
	// Read copies a file. It fails with NotFound when there is none.
	Read(w io.Writer, id string) error
	// Remove removes a file. One that is not there is no error.
	Remove(id string) error
	// IDs lists the files that are there.
	IDs() ([]string, error)
}

// Bounds of an export. What does not fit is left out, and the ledger says so.
const (
	maxExported      = 25_000
	maxExportedBytes = 64 << 20
	exportChunk      = 500
	exportFormat     = "jsonl"
)

// mountExports adds exports of events. Whoever may read events and exports may
// read what others exported: it is the same events.
func (s *Server) mountExports(r *mux.Router, events string) {
	const path = "reports/exports/"
	s.route(r, events+"export/", action("authentik_reports.add_dataexport").watched("exports"), verbs{http.MethodPost: s.exportEvents})
	s.route(r, path, of("authentik_reports.dataexport").watched("exports"), verbs{http.MethodGet: s.listExports})
	s.route(r, path+"{key}/", of("authentik_reports.dataexport").watched("exports"), verbs{
		http.MethodGet: s.getExport, http.MethodDelete: s.removeExport,
	})
	s.route(r, path+"{key}/file/", action("authentik_reports.view_dataexport").watched("exports"), verbs{http.MethodGet: s.readExport})
}

// exportEvents writes the events that the filters want into a file, one a
// line, the newest first.
func (s *Server) exportEvents(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	if !c.May(viewEvent) {
		return s.turnedAway(r, c, access{view: "exports"}, forbidden())
	}
	q := r.URL.Query()
	if len(wordsOf(q)) > 0 {
		return invalid("search", "An export is of what filters say, not of words.")
	}
	f, some, err := s.auditFilter(r.Context(), q)
	if err != nil {
		return err
	}
	e := &export{server: s, filter: f, oldest: q.Get("ordering") == "created"}
	e.Export, e.Format, e.By, e.Filters = s.NewID(), exportFormat, c.User, filtersOf(r)
	fill := func(out io.Writer) error {
		if !some {
			e.Digest = hex.EncodeToString(sha256.New().Sum(nil))
			return nil
		}
		return e.write(r.Context(), out)
	}
	// Dying before ready leaves a part of a file that nobody finds, and that is
	// removed; dying behind it leaves an export on record that was not handed out.
	err = s.Exports.Write(e.Export, fill, func() error {
		id := c.Request
		if id == "" {
			id = s.NewID()
		}
		meta := s.meta(c, "user:"+c.User)
		if len(f.Users) == 1 {
			meta.Subject = "user:" + f.Users[0]
		}
		_, err := s.Audits.Handle(r.Context(), eventstore.Stream("audit", id), audit.Write{Event: e.AuditExported}, meta)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	shown, err := s.showExport(r.Context(), c, e.Export)
	if err != nil {
		return err
	}
	w.Header().Set("Location", c.BaseURL+base+"reports/exports/"+e.Export+"/")
	return writeJSON(w, http.StatusCreated, shown)
}

// An export is a file of events on its way, and what the ledger says of it.
type export struct {
	audit.AuditExported
	server *Server
	filter AuditFilter
	oldest bool
}

// write writes the events page by page. Events that happen meanwhile are newer
// than all pages, or behind them: no event comes twice.
func (e *export) write(ctx context.Context, out io.Writer) error {
	digest, size := sha256.New(), 0
	first, err := e.server.Audit.Entries(ctx, e.filter, e.oldest, Page{Limit: 1})
	if err != nil {
		return err
	}
	for offset := 0; offset < maxExported; offset += exportChunk {
		at := Page{Limit: exportChunk}
		if e.oldest {
			at.Offset = offset
		}
		page, err := e.server.Audit.Entries(ctx, e.filter, e.oldest, at)
		if err != nil {
			return err
		}
		shown, err := e.server.showEntries(ctx, page.Entries)
		if err != nil {
			return err
		}
		for i, event := range shown {
			line, err := json.Marshal(event)
			if err != nil {
				return fmt.Errorf("export event %s: %w", page.Entries[i].ID, err)
			}
			line = append(line, '\n')
			if size += len(line); size > maxExportedBytes {
				e.Truncated = true
				break
			}
			if _, err := io.MultiWriter(out, digest).Write(line); err != nil {
				return err
			}
			e.Count++
			e.place(page.Entries[i])
		}
		if e.Truncated || len(page.Entries) < exportChunk {
			break
		}
		if !e.oldest {
			e.filter.Before = page.Entries[exportChunk-1].Position
		}
	}
	e.Truncated = e.Truncated || e.Count < first.Total
	e.Digest = hex.EncodeToString(digest.Sum(nil))
	return nil
}

// place notes between which places of the ledger the events are.
func (e *export) place(entry AuditEntry) {
	at := entry.Position.String()
	if e.oldest {
		if e.From == "" {
			e.From = at
		}
		e.To = at
		return
	}
	if e.To == "" {
		e.To = at
	}
	e.From = at
}

// showExport shows an export whose file is there.
func (s *Server) showExport(ctx context.Context, c session.Caller, id string) (map[string]any, error) {
	entry, ok, err := s.Audit.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	event, known := entry.Event.(audit.AuditExported)
	if !ok || !known {
		return nil, notFound("DataExport")
	}
	by, _, err := s.People.UserByID(ctx, event.By)
	if err != nil {
		return nil, err
	}
	query := map[string]any{}
	for name, value := range event.Filters {
		query[name] = value
	}
	return map[string]any{
		"id": id, "requested_by": partialUser(by), "requested_on": stamp(entry.RecordedAt), "query_params": query,
		"content_type": map[string]any{
			"id": eventContentType, "app_label": "authentik_events", "model": "event", "verbose_name_plural": "Events",
			"fully_qualified_model": "authentik_events.event",
		},
		"file_url": c.BaseURL + base + "reports/exports/" + id + "/file/", "completed": true,
	}, nil
}

// eventContentType is a number for the one kind of thing that is exported.
const eventContentType = 1

// exportID returns the id that the path names, of an export whose file is
// there.
func (s *Server) exportID(r *http.Request) (string, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return "", notFound("DataExport")
	}
	ids, err := s.Exports.IDs()
	if err == nil && !slices.Contains(ids, id.String()) {
		err = notFound("DataExport")
		if s.Turn != nil { // each node keeps the files that it wrote
			err = domain.Errorf(domain.NotFound, "This server has no file of that export: it is on the server that wrote it, or gone. Try again, or export anew.")
		}
	}
	return id.String(), err
}

// listExports lists the exports whose files are there, the newest first.
func (s *Server) listExports(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	pg, err := pagingOf(r.URL.Query())
	if err != nil {
		return err
	}
	ids, err := s.Exports.IDs()
	if err != nil {
		return err
	}
	all := []any{}
	for _, id := range ids {
		shown, err := s.showExport(r.Context(), c, id)
		if code, _ := domain.Explain(err); code == domain.NotFound && err != nil {
			continue // of another ledger
		}
		if err != nil {
			return err
		}
		all = append(all, shown)
	}
	slices.SortFunc(all, func(a, b any) int {
		return strings.Compare(written(dig(b, []string{"requested_on"})), written(dig(a, []string{"requested_on"})))
	})
	if r.URL.Query().Get("ordering") == "requested_on" {
		slices.Reverse(all)
	}
	if err := s.queried(r.Context(), c, looked.Look{View: "exports", Filters: filtersOf(r), Count: len(all), Opened: []string{"T"}}); err != nil {
		return err
	}
	return writeList(w, pg, len(all), slice(pg, all))
}

func (s *Server) getExport(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	id, err := s.exportID(r)
	if err != nil {
		return err
	}
	shown, err := s.showExport(r.Context(), c, id)
	if err != nil {
		return err
	}
	if err := s.queried(r.Context(), c, looked.Look{View: "exports", Filters: map[string]string{"id": id}, Count: 1, Opened: []string{"T"}}); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown)
}

// readExport answers with the file. It holds events, so whoever reads it must
// be allowed to read these.
func (s *Server) readExport(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	if !c.May(viewEvent) {
		return s.turnedAway(r, c, access{view: "exports"}, forbidden())
	}
	id, err := s.exportID(r)
	if err != nil {
		return err
	}
	if err := s.queried(r.Context(), c, looked.Look{View: "export files", Filters: map[string]string{"id": id}, Count: 1, Opened: opened}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="events-`+id+`.jsonl"`)
	return s.Exports.Read(w, id)
}

// removeExport removes the file. That it was made stays in the ledger.
func (s *Server) removeExport(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	id, err := s.exportID(r)
	if err != nil {
		return err
	}
	if err := s.Exports.Remove(id); err != nil {
		return err
	}
	return done(w)
}
