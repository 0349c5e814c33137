// Package openapi describes the API in the words of OpenAPI 3.0: which paths
// are served, to whom, what they take and what they answer. What is served and
// who may call it comes from the servers' own tables of routes, and what can be
// set on configured things from the catalog; the rest stands in one small file
// per resource. It answers no request of the API itself.
package openapi
