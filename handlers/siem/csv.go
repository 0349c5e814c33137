package siem

import (
	"strconv"
	"strings"
	"time"
)

// columns are the columns of CSV. New ones come at the end: who reads the file
// may count.
var columns = []string{
	"position", "time", "id", "type", "stream", "revision", "schema", "title", "outcome", "severity", "reason",
	"actor_kind", "actor", "user", "username", "target", "target_username", "ip", "country", "asn", "user_agent",
	"execution", "flow", "designation", "stage", "policy", "session", "correlation", "request", "payload",
}

func headCSV(Options) []byte { return []byte(strings.Join(columns, ",") + "\r\n") }

func appendCSV(to []byte, r *Record, o Options) ([]byte, bool, error) {
	j := judge(r)
	cells := [...]string{
		r.Position.String(), r.RecordedAt.UTC().Format(time.RFC3339Nano), r.ID.String(), r.Type, string(r.Stream),
		strconv.FormatInt(int64(r.Revision), 10), strconv.Itoa(r.Schema), title(r.Type), j.outcome, strconv.Itoa(j.severity), j.reason,
		r.Header.Actor.Kind, r.Header.Actor.ID, r.User.ID, "", r.Target.ID, "", "", "", "", "",
		executionOf(r), r.Slug, r.Designation, r.Stage.Name, r.Policy.Name, r.Session, r.Header.Correlation, r.Header.Request.ID,
		string(r.Payload),
	}
	if o.Personal {
		cells[14], cells[16], cells[17], cells[20] = r.User.Username, r.Target.Username, r.Network.IP, r.Network.UserAgent
		if p := r.Network.Place; p != nil {
			cells[18] = p.Country
		}
		if s := r.Network.System; s != nil && s.Number != 0 {
			cells[19] = strconv.Itoa(s.Number)
		}
	}
	for i, cell := range cells {
		if i > 0 {
			to = append(to, ',')
		}
		to = appendCell(to, cell)
	}
	return append(to, "\r\n"...), true, nil
}

// appendCell writes a cell as RFC 4180 has it. A cell that a spreadsheet would
// take for a formula begins with an apostrophe.
func appendCell(to []byte, cell string) []byte {
	guarded := cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0
	if !guarded && !strings.ContainsAny(cell, ",\"\r\n") && cell == strings.TrimSpace(cell) {
		return append(to, cell...)
	}
	to = append(to, '"')
	if guarded {
		to = append(to, '\'')
	}
	to = append(to, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(to, '"')
}
