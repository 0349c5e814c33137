// Package invitation is the aggregate of one invitation: who has its link may
// enter a flow, with data that is given beforehand. It does not know who the
// guest is; what the data makes of somebody is the execution's business.
package invitation
