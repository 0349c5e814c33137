package openapi

import "time"

// partialUser is a user as other things show one.
type partialUser struct {
	PK         int            `json:"pk" api:"read"`
	Username   string         `json:"username"`
	Name       string         `json:"name"`
	Active     bool           `json:"is_active"`
	LastLogin  *time.Time     `json:"last_login"`
	Email      string         `json:"email"`
	Attributes map[string]any `json:"attributes"`
	UID        string         `json:"uid" api:"read"`
}

// user is a user as the list of users shows one.
type user struct {
	PK              int             `json:"pk" api:"read"`
	Username        string          `json:"username" api:"required,min=1,max=150"`
	Name            string          `json:"name" api:"required"`
	Active          bool            `json:"is_active"`
	LastLogin       *time.Time      `json:"last_login" api:"read"`
	Joined          time.Time       `json:"date_joined" api:"read"`
	Superuser       bool            `json:"is_superuser" api:"read"`
	Groups          []uuid          `json:"groups"`
	GroupsShown     *[]partialGroup `json:"groups_obj" api:"read"`
	Roles           []uuid          `json:"roles"`
	RolesShown      *[]role         `json:"roles_obj" api:"read"`
	Email           string          `json:"email" api:"max=254"`
	Avatar          string          `json:"avatar" api:"read"`
	Attributes      map[string]any  `json:"attributes"`
	UID             string          `json:"uid" api:"read"`
	Path            string          `json:"path" api:"min=1"`
	Type            string          `json:"type" api:"enum=internal|external|service_account|internal_service_account"`
	UUID            uuid            `json:"uuid" api:"read"`
	PasswordChanged time.Time       `json:"password_change_date" api:"read"`
	Updated         time.Time       `json:"last_updated" api:"read"`
}

// role is a role as others show one.
type role struct {
	PK   uuid   `json:"pk" api:"read"`
	Name string `json:"name" api:"required,min=1"`
}

// partialGroup is a group as other things show one.
type partialGroup struct {
	PK         uuid           `json:"pk" api:"read"`
	Number     int            `json:"num_pk" api:"read"`
	Name       string         `json:"name"`
	Superuser  bool           `json:"is_superuser"`
	Attributes map[string]any `json:"attributes"`
}

// relatedGroup is a parent or a child of a group.
type relatedGroup struct {
	PK         uuid           `json:"pk" api:"read"`
	Name       string         `json:"name"`
	Superuser  bool           `json:"is_superuser"`
	Attributes map[string]any `json:"attributes"`
	UUID       uuid           `json:"group_uuid" api:"read"`
}

// group is a group as the list of groups shows one.
type group struct {
	PK             uuid            `json:"pk" api:"read"`
	Number         int             `json:"num_pk" api:"read"`
	Name           string          `json:"name" api:"required,min=1"`
	Superuser      bool            `json:"is_superuser"`
	Parents        []uuid          `json:"parents"`
	ParentsShown   *[]relatedGroup `json:"parents_obj" api:"read"`
	Users          []int           `json:"users"`
	UsersShown     *[]partialUser  `json:"users_obj" api:"read"`
	Attributes     map[string]any  `json:"attributes"`
	Roles          []uuid          `json:"roles"`
	RolesShown     []role          `json:"roles_obj" api:"read"`
	InheritedRoles *[]role         `json:"inherited_roles_obj" api:"read"`
	Children       []uuid          `json:"children" api:"read"`
	ChildrenShown  *[]relatedGroup `json:"children_obj" api:"read"`
}

// userSelfGroups is a group as callers are told theirs.
type userSelfGroups struct {
	Name string `json:"name"`
	PK   string `json:"pk"`
}

// userSelfRoles is a role as callers are told theirs.
type userSelfRoles struct {
	Name string `json:"name"`
	PK   string `json:"pk"`
}

// userSelf is who calls.
type userSelf struct {
	PK          int              `json:"pk"`
	Username    string           `json:"username"`
	Name        string           `json:"name"`
	Active      bool             `json:"is_active"`
	Superuser   bool             `json:"is_superuser"`
	Current     bool             `json:"is_current"`
	Groups      []userSelfGroups `json:"groups"`
	Roles       []userSelfRoles  `json:"roles"`
	Email       string           `json:"email"`
	Avatar      string           `json:"avatar"`
	UID         string           `json:"uid"`
	Settings    map[string]any   `json:"settings"`
	Type        string           `json:"type"`
	Permissions []string         `json:"system_permissions"`
}

// sessionUser is who calls, and who else is logged in in this browser.
type sessionUser struct {
	User     userSelf   `json:"user"`
	Original *userSelf  `json:"original,omitempty"`
	Users    []userSelf `json:"users"`
}

type userAccount struct {
	PK int `json:"pk" api:"required"`
}

type userPasswordSet struct {
	Password string `json:"password" api:"required,write,min=1"`
}

type userPasswordHashSet struct {
	Hash string `json:"password" api:"required,write,min=1"`
}

type userServiceAccount struct {
	Name     string    `json:"name" api:"required,min=1"`
	Group    bool      `json:"create_group"`
	Expiring bool      `json:"expiring"`
	Expires  time.Time `json:"expires"`
}

// userServiceAccountResponse is a new service account, with its password.
type userServiceAccountResponse struct {
	Username string `json:"username"`
	Token    string `json:"token"`
	UID      string `json:"user_uid"`
	PK       int    `json:"user_pk"`
	Group    string `json:"group_pk,omitempty"`
}

// userPath are the paths that users have.
type userPath struct {
	Paths []string `json:"paths"`
}

type userRecoveryLink struct {
	Life string `json:"token_duration"`
}

type userRecoveryEmail struct {
	Life  string `json:"token_duration"`
	Stage uuid   `json:"email_stage" api:"required"`
}

// relatives say what of a group is shown in full.
var relatives = []Parameter{
	by("include_users", false, "Show the members; yes unless false."), by("include_parents", false, "Show the parents."),
	by("include_children", false, "Show the children."),
	by("include_inherited_roles", false, "Show the roles that parents have."),
}

// at is a filter by a point in time.
func at(name string) Parameter { return by(name, time.Time{}, "") }

// people describes users and groups.
func people(s *shapes) []resource {
	return []resource{
		{
			path: "core/users/", one: "user", many: "users", key: key("id", 0), name: "User", fields: s.fieldsOf(user{}),
			search: true, ordered: true, filters: []Parameter{
				by("username", "", ""), by("name", "", ""), by("email", "", ""), by("uuid", uuid(""), "Identifier."),
				by("is_active", false, ""), by("is_superuser", false, "Whether any of the user's groups makes them one."),
				by("type", []string{}, "Alternatives."), by("path", "", ""), by("path_startswith", "", "What the path begins with."),
				by("groups_by_name", []string{}, "Names of groups."), by("groups_by_pk", []uuid{}, "Groups."),
				by("roles_by_name", []string{}, "Names of roles."), by("roles_by_pk", []uuid{}, "Roles."),
				by("include_groups", false, "Show the groups; yes unless false."), by("include_roles", false, "Show the roles; yes unless false."),
				by("last_login__isnull", false, "Whether the user never logged in."),
				at("date_joined"), at("date_joined__gt"), at("date_joined__lt"), at("last_login"), at("last_login__gt"), at("last_login__lt"),
				at("last_updated"), at("last_updated__gt"), at("last_updated__lt"),
				by("attributes", "", "A JSON object that the attributes hold."),
			},
			more: map[string]deed{
				"GET me/": {summary: "Tell callers who they are", answer: sessionUser{}},
				"GET paths/": {summary: "List the paths that users have", answer: userPath{}, query: []Parameter{
					by("search", "", "Words that all must occur."),
				}},
				"POST service_account/": {
					summary: "Create a service account", description: "Its password is in this answer, and shown nowhere else.",
					body: userServiceAccount{}, answer: userServiceAccountResponse{},
				},
				"POST {}/set_password_hash/": {summary: "Set a user's password by its hash", body: userPasswordHashSet{}},
				"POST {}/set_password/": {
					summary: "Set a user's password", description: "The user's other sessions end.", body: userPasswordSet{},
				},
				"POST {}/recovery/": {summary: "Make a link that lets a user in", body: userRecoveryLink{}, bare: true, answer: link{}},
				"POST {}/recovery_email/": {
					summary: "Mail a user the link that lets them in", description: "Nobody else sees it.", body: userRecoveryEmail{},
				},
			},
		},
		{
			path: "core/groups/", one: "group", many: "groups", key: key("group_uuid", uuid("")), name: "Group", fields: s.fieldsOf(group{}),
			search: true, ordered: true, filters: append([]Parameter{
				by("name", "", ""), by("is_superuser", false, ""), by("attributes", "", "A JSON object that the attributes hold."),
				by("members_by_pk", []int{}, "Members."), by("members_by_username", []string{}, "Usernames of members."),
			}, relatives...),
			more: map[string]deed{
				"GET {}/":              {summary: "Read a group", query: relatives, answer: s.fieldsOf(group{})},
				"POST {}/add_user/":    {summary: "Make a user a member", body: userAccount{}},
				"POST {}/remove_user/": {summary: "End a membership", body: userAccount{}},
			},
		},
	}
}
