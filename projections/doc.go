// Package projections keeps the read models: tables in views.db, folded from
// the ledger, that answer questions and fill screens. Nothing that must be
// right is decided on them. The file can be deleted at any time; it is then
// built again from the ledger.
package projections
