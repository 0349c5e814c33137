package openapi

import "time"

// event is something that happened, as auditors see it.
type event struct {
	PK       uuid           `json:"pk" api:"read"`
	User     map[string]any `json:"user"`
	Action   string         `json:"action" api:"required"`
	App      string         `json:"app" api:"required"`
	Context  map[string]any `json:"context"`
	ClientIP *string        `json:"client_ip"`
	Created  time.Time      `json:"created" api:"read"`
	Expires  time.Time      `json:"expires"`
	Brand    map[string]any `json:"brand"`
}

// notification tells somebody of an event.
type notification struct {
	PK             uuid      `json:"pk" api:"read"`
	Severity       string    `json:"severity" api:"read,enum=notice|warning|alert"`
	Body           string    `json:"body" api:"read"`
	Hyperlink      *string   `json:"hyperlink" api:"read"`
	HyperlinkLabel *string   `json:"hyperlink_label" api:"read"`
	Created        time.Time `json:"created" api:"read"`
	Event          event     `json:"event,omitempty" api:"read"`
	Seen           bool      `json:"seen"`
}

// notificationTransportTest is what the trial of a transport says.
type notificationTransportTest struct {
	Messages []string `json:"messages"`
}

// events describes what happened, and who is told of it.
func events(s *shapes) []resource {
	return []resource{
		{
			path: "events/events/", one: "event", many: "events", key: key("event_uuid", uuid("")), name: "Event", fields: s.fieldsOf(event{}),
			search: true, ordered: true, filters: []Parameter{
				by("action", "", ""), by("actions", []string{}, "Alternatives."), by("username", "", "Username of who acted."),
				by("client_ip", "", "Address of the client."), by("brand_name", "", "Brand that was asked."),
				by("context_model_app", "", "App of the model that was written."), by("context_model_name", "", "Its name."),
				by("context_model_pk", "", "Key of what was written."), by("context_authorized_app", "", "Application that was authorized."),
				by("context_device", "", "Device that was used."),
			},
			more: map[string]deed{
				"GET actions/": {summary: "List the sorts of events", answer: []typeCreate{}},
			},
		},
		{
			path: "events/notifications/", one: "notification", many: "the caller's notifications", key: key("uuid", uuid("")),
			name: "Notification", fields: s.fieldsOf(notification{}), search: true, ordered: true, filters: []Parameter{
				by("body", "", "The whole text."), by("created", time.Time{}, ""), by("event", uuid(""), "The event that it tells of."),
				by("seen", false, ""), by("severity", "", ""), by("user", 0, "Key of the reader, who is the caller."),
			},
			more: map[string]deed{
				"POST mark_all_seen/": {summary: "Note that the caller has seen all notifications"},
			},
		},
		{path: "events/transports/", key: key("uuid", uuid("")), more: map[string]deed{
			"POST {}/test/": {summary: "Tell the caller something by a transport, to try it", answer: notificationTransportTest{}},
		}},
	}
}
