package openapi

import "net/http"

// permissionShape is something that can be permitted.
type permissionShape struct {
	ID           int    `json:"id" api:"read"`
	Name         string `json:"name"`
	Codename     string `json:"codename"`
	Model        string `json:"model" api:"read"`
	App          string `json:"app_label" api:"read"`
	AppVerbose   string `json:"app_label_verbose" api:"read"`
	ModelVerbose string `json:"model_verbose" api:"read"`
}

// permissionAssign is what is permitted, or no longer.
type permissionAssign struct {
	Permissions []string `json:"permissions" api:"required"`
	Model       string   `json:"model"`
	Object      string   `json:"object_pk"`
}

// permissionAssignResult is what was permitted.
type permissionAssignResult struct {
	ID string `json:"id"`
}

// roleModelPermission is what a role permits with a model.
type roleModelPermission struct {
	ID       int    `json:"id"`
	Codename string `json:"codename"`
	Model    string `json:"model"`
	App      string `json:"app_label"`
	Name     string `json:"name"`
}

// roleObjectPermission is what a role permits with one thing; there are none.
type roleObjectPermission struct {
	roleModelPermission
	Object string `json:"object_pk"`
}

// roleAssignedObjectPermission is what a role permits with a model.
type roleAssignedObjectPermission struct {
	PK     string                 `json:"role_pk"`
	Name   string                 `json:"name"`
	Object []roleObjectPermission `json:"object_permissions"`
	Models []roleModelPermission  `json:"model_permissions"`
}

// extraRoleObjectPermission is what roles permit with one thing; there are
// none.
type extraRoleObjectPermission struct {
	roleObjectPermission
	AppVerbose   string  `json:"app_label_verbose"`
	ModelVerbose string  `json:"model_verbose"`
	Description  *string `json:"object_description"`
}

type userAccountSerializerForRole struct {
	PK int `json:"pk" api:"required"`
}

// rbac describes roles and permissions.
func rbac(s *shapes) []resource {
	words := by("search", "", "Words that all must occur.")
	ordering := by("ordering", "", "Field to order by; - in front for descending.")
	return []resource{
		{
			path: "rbac/roles/", one: "role", many: "roles", key: key("uuid", uuid("")), name: "Role", fields: s.fieldsOf(role{}),
			search: true, ordered: true, filters: []Parameter{
				by("name", "", ""), by("managed", []string{}, "No role is managed by the program."), by("managed__isnull", false, ""),
				by("users", 0, "Key of a user who has it."), by("groups", uuid(""), "Group whose members have it."),
				by("inherited", false, "Count what users have from groups, too."),
			},
			more: map[string]deed{
				"POST {}/add_user/":    {summary: "Give a role to a user", body: userAccountSerializerForRole{}},
				"POST {}/remove_user/": {summary: "Take a role from a user", body: userAccountSerializerForRole{}},
			},
		},
		{
			path: "rbac/permissions/", one: "permission", many: "permissions", key: key("id", 0), name: "Permission",
			fields: s.fieldsOf(permissionShape{}), search: true, ordered: true, filters: []Parameter{
				by("codename", "", ""), by("content_type__app_label", "", "App of the model."), by("content_type__model", "", "Name of the model."),
				by("role", uuid(""), "Role that permits it."),
			},
			more: map[string]deed{
				"GET roles/": {
					summary: "List what roles permit with single things: nothing", answer: extraRoleObjectPermission{}, page: true,
					query: append([]Parameter{by("uuid", uuid(""), "Key of a role."), ordering, words}, paging...),
				},
				"GET assigned_by_roles/": {
					summary: "List what roles permit with a model", answer: roleAssignedObjectPermission{}, page: true,
					query: append([]Parameter{
						must(by("model", "", "Name of the model, app.model.")), by("object_pk", "", "Key of a thing."), ordering, words,
					}, paging...),
				},
			},
		},
		{path: "rbac/permissions/assigned_by_roles/", key: key("uuid", uuid("")), more: map[string]deed{
			"POST {}/assign/": {
				id: "rbac_permissions_assigned_by_roles_assign", summary: "Permit a role something", body: permissionAssign{},
				answer: []permissionAssignResult{}, status: http.StatusOK,
			},
			"PATCH {}/unassign/": {summary: "Take a permission from a role", body: permissionAssign{}, bare: true},
		}},
	}
}

// must is a parameter that has to be given.
func must(p Parameter) Parameter {
	p.Required = true
	return p
}
