// Package siem writes events as those who collect logs read them. It decides
// nothing and sends nothing: a [Gatherer] finds what belongs to an event, and a
// [Format] writes the record as text.
//
// # What has nothing to say
//
// Events of the categories worker and export are in no format: a line about
// the delivery of lines would never end (spec/events.md 1).
//
// jsonl and csv have every other event.
//
// ecs, cef, ocsf and syslog, whose message is the OCSF record, leave out what
// happens inside an execution, such as StageEntered, for it is noise to who
// watches logins, and what the program does for itself, such as
// CounterAdvanced. [Options.All] brings the rows of spec/events.md 9.2 that are
// off otherwise, and in ecs and cef the steps, too.
//
// # What never goes out
//
// No format opens a part of class T, C or X: people type passwords where they
// are asked for names. Names and addresses, classes P and N, go out only if
// both [Gatherer.Personal] and [Options.Personal] say so. What is forgotten is
// left out.
package siem
