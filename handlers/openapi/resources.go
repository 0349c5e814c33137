package openapi

import "slices"

// resources describes everything that is served. Each part stands in the file
// that is named after it.
func resources(s *shapes) []resource {
	return slices.Concat(
		kinds(s), flows(s), stages(s), policies(s), people(s), tokens(s), events(s), managed(s), config(s), rbac(s), ledger(s), retained(), sinks(), auditLists(),
	)
}
