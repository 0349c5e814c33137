// Package session is the aggregate of one browser session: it begins, learns
// who is logged in, and ends. The cookie that leads to it is not part of it;
// no key of a session is ever in an event (spec/events.md 4.3).
package session
