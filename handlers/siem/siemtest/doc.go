// Package siemtest tells what is wrong with a record of the outgoing trail. What
// it compares with was written down from the published standards: OCSF 1.8.0,
// the fields of ECS 8.17, the keys of CEF's dictionary, RFC 5424 and RFC 4180.
// It is no part of the program.
package siemtest
