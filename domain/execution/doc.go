// Package execution is the aggregate of one client going through a flow: the
// plan, what was learned on the way, and every decision, as events. It decides
// and folds; it knows no stage kind, no clock and no store.
package execution
