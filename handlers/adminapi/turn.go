package adminapi

import "context"

// turn waits until nobody else judges a change on what is read: no request of
// this node, and none of another. What is read from here on has all that was
// changed before, until done is called. A node that dies meanwhile has the
// others wait for some seconds.
func (s *Server) turn(ctx context.Context) (done func(), err error) {
	s.changes.Lock()
	if s.Turn == nil {
		return s.changes.Unlock, nil
	}
	give, err := s.Turn(ctx)
	if err != nil {
		s.changes.Unlock()
		return nil, err
	}
	done = func() {
		give()
		s.changes.Unlock()
	}
	if err := s.Wait(ctx); err != nil {
		done()
		return nil, err
	}
	return done, nil
}
