package auditapi

import "time"

// Hasten has streams look, show life and ask again faster than they do.
func (s *Server) Hasten(look, beat, check, stall time.Duration) {
	s.pace = pace{look, beat, check, stall}
}

// Streams is how many streams are open.
func (s *Server) Streams() int {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return s.streams.all
}
