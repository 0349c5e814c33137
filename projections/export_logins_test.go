package projections

import "context"

// LoginsQuery is the query of [Audit.Logins].
func LoginsQuery(userID string, limit int) (text string, args []any) {
	w, _ := (&Audit{}).where(context.Background(), loginsOf(userID)) // without times it asks nothing
	return "SELECT * FROM audit" + w.sql() + newest(limit), w.args
}
