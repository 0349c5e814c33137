package worker

// Checkpoint is where the next life of the worker begins.
func (f *Follower) Checkpoint() Position { return f.progress.checkpoint() }
