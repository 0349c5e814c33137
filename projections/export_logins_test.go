package projections

// LoginsQuery is the query of [Audit.Logins].
func LoginsQuery(userID string, limit int) (text string, args []any) {
	w := loginsOf(userID).where()
	return "SELECT * FROM audit" + w.sql() + newest(limit), w.args
}
