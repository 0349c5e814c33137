package openapi

// A Document is an API as OpenAPI 3.0 describes it.
type Document struct {
	OpenAPI    string          `json:"openapi"`
	Info       Info            `json:"info"`
	Servers    []Address       `json:"servers"`
	Tags       []Tag           `json:"tags"`
	Paths      map[string]Path `json:"paths"`
	Components Components      `json:"components"`
}

// Info says whose document it is.
type Info struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Version     string `json:"version"`
}

// An Address is where the paths begin.
type Address struct {
	URL string `json:"url"`
}

// A Tag is a group of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// A Path holds the operations of a path by method, in lower case.
type Path map[string]*Operation

// An Operation is one method of one path.
type Operation struct {
	ID          string              `json:"operationId"`
	Summary     string              `json:"summary"`
	Description string              `json:"description,omitempty"`
	Tags        []string            `json:"tags"`
	Parameters  []Parameter         `json:"parameters,omitempty"`
	Body        *Body               `json:"requestBody,omitempty"`
	Responses   map[string]Response `json:"responses"`
	// Security lists what proves who calls; an empty entry is for strangers.
	Security []map[string][]string `json:"security"`
	// Permission is what a caller needs who is no superuser, app.codename.
	Permission string `json:"x-permission,omitempty"`
	// Access is anybody, members, own, permission or superusers.
	Access string `json:"x-access"`
}

// A Parameter is a part of a path, of a query or of a header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *Schema `json:"schema"`
	Style       string  `json:"style,omitempty"`
	Explode     *bool   `json:"explode,omitempty"`
}

// A Body is what a request carries, by media type.
type Body struct {
	Required bool             `json:"required,omitempty"`
	Content  map[string]Media `json:"content"`
}

// A Media is a body of one media type.
type Media struct {
	Schema *Schema `json:"schema"`
}

// A Response is what is answered with a status. One with a Ref is described
// among the components.
type Response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]Header `json:"headers,omitempty"`
	Content     map[string]Media  `json:"content,omitempty"`
}

// A Header is a header of an answer.
type Header struct {
	Description string  `json:"description"`
	Schema      *Schema `json:"schema"`
}

// Components are what several operations refer to.
type Components struct {
	Schemas   map[string]*Schema  `json:"schemas"`
	Responses map[string]Response `json:"responses"`
	Security  map[string]Scheme   `json:"securitySchemes"`
}

// A Scheme is a way to prove who calls.
type Scheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme,omitempty"`
	In          string `json:"in,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// A Schema is the shape of a value. The empty one is any value.
type Schema struct {
	Ref           string             `json:"$ref,omitempty"`
	AllOf         []*Schema          `json:"allOf,omitempty"`
	OneOf         []*Schema          `json:"oneOf,omitempty"`
	Discriminator *Discriminator     `json:"discriminator,omitempty"`
	Type          string             `json:"type,omitempty"`
	Format        string             `json:"format,omitempty"`
	Description   string             `json:"description,omitempty"`
	Nullable      bool               `json:"nullable,omitempty"`
	ReadOnly      bool               `json:"readOnly,omitempty"`
	WriteOnly     bool               `json:"writeOnly,omitempty"`
	Enum          []string           `json:"enum,omitempty"`
	Pattern       string             `json:"pattern,omitempty"`
	Minimum       *int               `json:"minimum,omitempty"`
	Maximum       *int               `json:"maximum,omitempty"`
	MinLength     *int               `json:"minLength,omitempty"`
	MaxLength     *int               `json:"maxLength,omitempty"`
	Items         *Schema            `json:"items,omitempty"`
	Properties    map[string]*Schema `json:"properties,omitempty"`
	Additional    *Schema            `json:"additionalProperties,omitempty"`
	Required      []string           `json:"required,omitempty"`
}

// A Discriminator says by which property the schemas of a choice are told
// apart.
type Discriminator struct {
	Property string            `json:"propertyName"`
	Mapping  map[string]string `json:"mapping,omitempty"`
}

// ref refers to a schema among the components.
func ref(name string) *Schema { return &Schema{Ref: "#/components/schemas/" + name} }

// list is a list of values.
func list(of *Schema) *Schema { return &Schema{Type: "array", Items: of} }
