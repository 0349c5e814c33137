// Package blueprint turns the text of a blueprint into changes of configured
// things, by the rules of authentik's format (spec/blueprints.md). It is pure:
// a text and a view of what exists go in, and either all changes come out or
// an error that says where and why. Applying them is for others.
//
// [Parse] reads the YAML, or the JSON of old flow exports, and checks its
// structure. [Document.Resolve] goes through the entries in order, on an
// overlay over the view, so that each entry sees what the ones before it did.
//
// Blueprints are hostile until proven otherwise. The text, the nesting, the
// number of entries, what aliases expand to, and all that tags produce are
// bounded; see the constants in this package.
package blueprint
