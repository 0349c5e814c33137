package openapi

import (
	"net/http"
	"slices"
	"time"
)

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

// eventVolume is how many events of an action there were in some time.
type eventVolume struct {
	Action string    `json:"action"`
	Time   time.Time `json:"time"`
	Count  int       `json:"count"`
}

// eventTopPerUser is how much an application is used.
type eventTopPerUser struct {
	Application map[string]any `json:"application"`
	Events      int            `json:"counted_events"`
	Users       int            `json:"unique_users"`
}

// eventStats says how many there were.
type eventStats struct {
	Users int            `json:"unique_users"`
	Steps map[string]int `json:"count_step"`
}

// contentType is a kind of thing that can be exported.
type contentType struct {
	ID     int    `json:"id"`
	App    string `json:"app_label"`
	Model  string `json:"model"`
	Plural string `json:"verbose_name_plural"`
	Full   string `json:"fully_qualified_model"`
}

// dataExport is a file of events.
type dataExport struct {
	ID    uuid           `json:"id"`
	By    partialUser    `json:"requested_by"`
	On    time.Time      `json:"requested_on"`
	Type  contentType    `json:"content_type"`
	Query map[string]any `json:"query_params"`
	URL   string         `json:"file_url"`
	Done  bool           `json:"completed"`
}

// eventFilters pick events.
var eventFilters = []Parameter{
	by("action", "", "Part of an action's name."), by("actions", []string{}, "Alternatives."), by("username", "", "Username of who acted."),
	by("client_ip", "", "Address of the client."), by("brand_name", "", "Brand that was asked."),
	by("context_model_app", "", "App of the model that was written."), by("context_model_name", "", "Its name."),
	by("context_model_pk", "", "Key of what was written."), by("context_authorized_app", "", "Application that was authorized."),
	by("context_device", "", "Device that was used."),
}

// searched are filters of events with those of a search.
func searched(more ...Parameter) []Parameter {
	return slices.Concat(eventFilters, more, []Parameter{by("search", "", "Words that all must occur.")})
}

// events describes what happened, and who is told of it.
func events(s *shapes) []resource {
	return []resource{
		{
			path: "events/events/", one: "event", many: "events", key: key("event_uuid", uuid("")), name: "Event", fields: s.fieldsOf(event{}),
			search: true, ordered: true, filters: eventFilters,
			more: map[string]deed{
				"GET actions/": {summary: "List the sorts of events", answer: []typeCreate{}},
				"GET volume/": {
					summary: "Count events over time", answer: []eventVolume{}, query: searched(by("history_days", 0, "How many days back.")),
				},
				"GET top_per_user/": {
					summary: "List what is used most", answer: []eventTopPerUser{}, query: searched(by("top_n", 0, "How many.")),
				},
				"GET stats/": {
					summary: "Count users and events", answer: eventStats{},
					query: searched(by("count_steps", []string{}, "Times to count for, such as hours=24.")),
				},
				"POST export/": {
					summary: "Write events into a file", description: "The filters say which. The file holds personal data; that it was made is recorded.",
					query:  append(slices.Clone(eventFilters), by("ordering", "", "created for the oldest first.")),
					answer: dataExport{}, status: http.StatusCreated,
				},
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
		{
			path: "reports/exports/", one: "export", many: "exports", key: key("id", uuid("")), name: "DataExport", fields: s.fieldsOf(dataExport{}),
			ordered: true, more: map[string]deed{
				"GET {}/file/": {summary: "Read the file of an export, one event a line", answer: "", media: []string{"application/x-ndjson"}},
			},
		},
		{path: "events/transports/", key: key("uuid", uuid("")), more: map[string]deed{
			"POST {}/test/": {summary: "Tell the caller something by a transport, to try it", answer: notificationTransportTest{}},
		}},
	}
}
