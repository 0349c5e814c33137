package projections

import "context"

// newestOf is how far back the newest events of a category are looked for:
// whoever watches the ledger wants what happened lately, and no index knows
// categories.
const newestOf = 50_000

// Newest returns the newest events that f wants, at most limit. Those of a
// category are looked for among the last fifty thousand.
func (a *Audit) Newest(ctx context.Context, f AuditFilter, limit int) ([]Entry, error) {
	w, err := a.where(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.Category != "" {
		w.add("n > coalesce((SELECT n FROM audit ORDER BY n DESC LIMIT 1 OFFSET ?), -1)", newestOf)
	}
	return a.find(ctx, w, newest(limit))
}
