package openapi

import "time"

// logEvent is a line of a report.
type logEvent struct {
	Time       time.Time      `json:"timestamp"`
	Level      string         `json:"log_level" api:"enum=critical|exception|error|warn|warning|info|debug|notset"`
	Logger     string         `json:"logger"`
	Event      string         `json:"event"`
	Attributes map[string]any `json:"attributes"`
}

// blueprintUpload is the form that a blueprint comes in.
type blueprintUpload struct {
	File    file   `json:"file"`
	Path    string `json:"path"`
	Context string `json:"context"`
}

// blueprintImportResult is what became of an import.
type blueprintImportResult struct {
	Logs    []logEvent `json:"logs"`
	Success bool       `json:"success"`
}

// blueprintInstance is a blueprint that is kept applied.
type blueprintInstance struct {
	PK       uuid           `json:"pk" api:"read"`
	Name     string         `json:"name" api:"required,min=1"`
	Path     string         `json:"path"`
	Context  map[string]any `json:"context"`
	Applied  time.Time      `json:"last_applied" api:"read"`
	Hash     string         `json:"last_applied_hash" api:"read"`
	Status   string         `json:"status" api:"read,enum=successful|warning|error|orphaned|unknown"`
	Enabled  bool           `json:"enabled"`
	Models   []string       `json:"managed_models" api:"read"`
	Metadata map[string]any `json:"metadata" api:"read"`
	Content  string         `json:"content"`
}

// blueprintFile is a blueprint that instances can name by its path.
type blueprintFile struct {
	Path     string            `json:"path"`
	Modified time.Time         `json:"last_m"`
	Hash     string            `json:"hash"`
	Meta     blueprintMetadata `json:"meta" api:"read"`
}

// blueprintMetadata is what a blueprint says of itself.
type blueprintMetadata struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

// managed describes blueprints.
func managed(s *shapes) []resource {
	return []resource{
		{path: "managed/blueprints/", one: "blueprint instance", many: "blueprint instances", key: key("instance_uuid", uuid("")),
			name: "BlueprintInstance", fields: s.fieldsOf(blueprintInstance{}), search: true, ordered: true,
			filters: []Parameter{by("name", "", ""), by("path", "", "")}, more: map[string]deed{
				"GET available/": {summary: "List the files that instances can name", answer: []blueprintFile{}},
				"POST {}/apply/": {summary: "Apply an instance again", answer: s.fieldsOf(blueprintInstance{})},
				"POST import/dry_run/": {
					summary: "Tell what an import would change, and change nothing", body: blueprintUpload{}, answer: blueprintImportResult{},
				},
				"POST import/": {
					summary: "Import a blueprint from a file", description: "All of it is applied, or nothing.",
					body: blueprintUpload{}, answer: blueprintImportResult{},
				},
			}},
	}
}
