// Package object is the aggregate of one configured thing: a flow, a stage, a
// binding, a policy, a brand. It also owns the kinds that are neither stages
// nor policies. What a thing means is for those who read it.
package object
