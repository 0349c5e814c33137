// Package siem writes events as those who collect logs read them. It decides
// nothing and sends nothing: a [Gatherer] finds what belongs to an event, and a
// [Format] writes the record as text.
//
// # What has nothing to say
//
// Events of the categories worker and export go out with [Options.All] only: a
// line about the delivery of lines would never end (spec/events.md 1).
//
// jsonl and csv have every other event.
//
// ocsf has the rows of spec/events.md 9.2, those that are off there only with
// Options.All, and for types without a row that of their category. Nothing
// becomes of what happens inside an execution, such as StageEntered, of effects
// that another event tells already, such as SessionAuthenticated, and of
// counters, claims and letters. ecs and cef have what ocsf has, and with
// Options.All every event. syslog has what the format of its message has, which
// is ocsf if no other is chosen.
//
// # Where the published schema and spec/events.md 9.2 differ
//
// The schema wins, for what does not validate is refused where it goes. Class
// 3006 of OCSF 1.8.0 has no activity 9: changes of groups are 1 or 2 where
// privileges come or go, and 99, whose name is Update, otherwise.
//
// # What never goes out
//
// No format opens a part of class T, C or X: people type passwords where they
// are asked for names. Names and addresses, classes P and N, go out only if
// both [Gatherer.Personal] and [Options.Personal] say so. What is forgotten is
// left out.
package siem
