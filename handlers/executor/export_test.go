package executor

import "github.com/flowledger/flowledger/domain/execution"

// Watch has f told of each append: of which execution it is, what was
// appended, and the state in memory.
func (x *Executor) Watch(f func(id string, events []execution.Event, s execution.State)) {
	x.committed = f
}
