package object

// Events returns one value of each type of event in this package, for those
// who register them.
func Events() []any { return []any{ObjectCreated{}, ObjectChanged{}, ObjectRemoved{}} }
