package projections

import (
	"context"

	"zombiezen.com/go/sqlite"
)

// A SubjectCount is how many subjects of one kind are tied to a user.
type SubjectCount struct {
	Kind string // execution, session, credential or invitation
	Gone int    // whose keys are destroyed
	Left int
}

// Count returns how many subjects are tied to a user, by their kinds.
func (p *Subjects) Count(ctx context.Context, userID string) (out []SubjectCount, err error) {
	err = p.views.read(ctx, "subjects", `SELECT substr(subject, 1, instr(subject, ':') - 1) AS kind, sum(done), sum(NOT done)
		FROM subjects WHERE user = ? GROUP BY kind ORDER BY kind`, []any{userID}, func(s *sqlite.Stmt) error {
		out = append(out, SubjectCount{Kind: s.ColumnText(0), Gone: s.ColumnInt(1), Left: s.ColumnInt(2)})
		return nil
	})
	return out, err
}

// A TypeCount is how many events of one type there are.
type TypeCount struct {
	Type   string `json:"type"`
	Events int    `json:"events"`
}

// About counts the events that have to do with a user, by their types, the most
// frequent first: what somebody did, what was done to them, and all that their
// executions and sessions wrote or caused.
func (a *Audit) About(ctx context.Context, userID string) ([]TypeCount, error) {
	out := []TypeCount{}
	err := a.views.read(ctx, "events", `SELECT type, count(*) AS events FROM audit WHERE n IN (
			SELECT n FROM audit WHERE subject = ?1 AND subject <> ''
			UNION SELECT n FROM audit WHERE actor = ?1 AND actor <> ''
			UNION SELECT n FROM audit WHERE execution <> '' AND execution IN (
				SELECT substr(subject, length('execution:') + 1) FROM subjects WHERE user = ?1 AND subject LIKE 'execution:%')
			UNION SELECT n FROM audit WHERE stream IN (
				SELECT replace(subject, ':', '-') FROM subjects WHERE user = ?1 AND subject LIKE 'session:%'))
		GROUP BY type ORDER BY events DESC, type`, []any{userID}, func(s *sqlite.Stmt) error {
		out = append(out, TypeCount{Type: s.ColumnText(0), Events: s.ColumnInt(1)})
		return nil
	})
	return out, err
}
