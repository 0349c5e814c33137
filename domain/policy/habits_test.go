package policy_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

// enrolling is a request in which somebody far away has typed something.
func enrolling() policy.Request {
	r := asked(ada)
	r.Plan = &policy.Plan{Flow: domain.Ref{ID: "f-1"}}
	r.HTTP.Query = url.Values{"next": {"/application/o/authorize/?client_id=wiki&scope=openid+email"}, "itoken": {"x"}}
	r.Extra = map[string]any{
		"geoip": map[string]any{"continent": "EU", "country": "DE", "lat": 52.5, "long": 13.4, "city": "Berlin"},
		"asn":   map[string]any{"asn": int64(64500), "as_org": "Example Net", "network": "192.0.2.0/24"},
	}
	r.Context = execution.Context{"prompt_data": map[string]any{
		"username": "Ada L", "name": "Ada Lovelace", "email": "Ada.Lovelace@Corp.Example", "password": domain.NewSecret("Correct-Horse9"),
		"password_repeat": domain.NewSecret("Correct-Horse9"), "attributes.phone": "+49 30 123", "attributes": map[string]any{"department": "R&D"},
	}}
	return r
}

// What people write in policies runs as they mean it.
func TestHabitsOfPolicies(t *testing.T) {
	tests := map[string]struct {
		source   string
		passing  bool
		messages []string
	}{
		"a country by GeoIP": {`
geo = context.get("geoip")
if not geo:
    ak_message("Your location is unknown.")
    return False
allowed = ["DE", "AT", "CH"]
return geo["country"] in allowed and request.context["geoip"]["continent"] == "EU"`, true, nil},
		"a provider by number": {`return context["asn"]["asn"] not in (64496, 64497) and "example" in context["asn"]["as_org"].lower()`, true, nil},
		"a group by name":      {`return request.user.groups.filter(name="admins").exists() or ak_is_group_member(request.user, name="Staff")`, true, nil},
		"groups by a comprehension": {`
mine = {group.name for group in request.user.ak_groups.all()}
return len(mine & {"admins", "operators"}) > 0 and not mine.isdisjoint(["Staff"])`, true, nil},
		"a domain of e-mail addresses": {`
email = request.context["prompt_data"]["email"].strip().lower()
if not regex_match(email, r"^[\w.+-]+@(corp|sub\.corp)\.example$"):
    ak_message(f"{email.split('@')[-1]!r} is not allowed here")
    return False
local, _, domain = email.partition("@")
return domain in ("corp.example",) and local.count(".") == 1`, true, nil},
		"a domain that is refused": {`
domain = context["prompt_data"]["email"].rsplit("@", 1)[1].lower()
if domain not in {"other.example"}:
    ak_message("Addresses at %s cannot enroll." % domain)
    return False
return True`, false, []string{"Addresses at corp.example cannot enroll."}},
		"a user name from the e-mail address": {`
data = context["prompt_data"]
base = regex_replace(data["email"].split("@")[0].lower(), r"[^a-z0-9]", "")[:20] or "user"
candidate, n = base, 1
while ak_user_by(username=candidate):
    n += 1
    candidate = f"{base}{n:02d}"
data["username"] = candidate
context["flow_plan"].context["prompt_data"]["created_by"] = "policy"
return data["username"] == "adalovelace"`, true, nil},
		"rules for passwords": {`
password = request.context["prompt_data"]["password"]
rules = [
    (len(password) >= 12, "at least 12 letters"),
    (any(c.isdigit() for c in password), "a digit"),
    (any(c.isupper() for c in password) and any(c.islower() for c in password), "upper and lower case"),
    (any(not c.isalnum() for c in password), "a symbol"),
    (request.user.username.lower() not in password.lower(), "not your name"),
]
for ok, text in rules:
    if not ok:
        ak_message("The password needs: " + text)
return all(ok for ok, _ in rules)`, true, nil},
		"rules for passwords as an expression": {`return regex_match(context["prompt_data"]["password"], r"^(?=.*[A-Z])(?=.*[a-z])(?=.*\d)(?=.*\W).{10,}$")`, true, nil},
		"passwords are compared": {`
data = request.context.get("prompt_data", {})
if data.get("password") != data.get("password_repeat"):
    ak_message("Passwords don't match.")
    return False
return True`, true, nil},
		"hours of work": {`
from datetime import datetime, time, timedelta, timezone
now = datetime.now(timezone.utc) + timedelta(hours=1)
return now.weekday() == 6 and time(8) <= now.time() < time(18, 30) and f"{now:%H:%M}" == "13:00"`, true, nil},
		"Django's clock": {`
from django.utils.timezone import now
from django.utils import timezone
from datetime import timedelta
limit = now() - timedelta(days=30)
return limit < timezone.now() and (timezone.now() - limit).days == 30`, true, nil},
		"what the page was asked for": {`
from urllib.parse import urlparse, parse_qs
target = request.http_request.GET.get("next", "/")
query = parse_qs(urlparse(target).query)
return query.get("client_id", [""])[0] == "wiki" and "email" in query["scope"][0].split()`, true, nil},
		"the browser": {`
agent = request.http_request.META.get("HTTP_USER_AGENT", "").lower()
ip = http_request.META["REMOTE_ADDR"]
return "agent" in agent and ip_address(ip) in ip_network("192.0.2.0/24") and not any(ak_client_ip in ip_network(n) for n in ["10.0.0.0/8", "172.16.0.0/12"])`, true, nil},
		"attributes with inheritance": {`
attributes = request.user.group_attributes(request.http_request)
settings = {**{"team": "none", "locale": "en"}, **attributes, **request.user.attributes.get("settings", {})}
return settings["team"] == "x" and settings["locale"] == "de" and request.user.attributes.get("missing", {}).get("deep") is None`, true, nil},
		"a look-up that may fail": {`
try:
    other = ak_user_by(email="nobody@example.org")
    owner = other.username
except AttributeError as exc:
    ak_logger.warning("nobody", error=str(exc), address="nobody@example.org")
    owner = None
finally:
    seen = True
return owner is None and seen`, true, nil},
		"JSON in an attribute": {`
import json
try:
    roles = json.loads(request.user.attributes.get("roles", "[]"))
except json.JSONDecodeError:
    roles = []
return isinstance(roles, list) and not roles and json.dumps({"b": 1, "a": [True, None]}, sort_keys=True) == '{"a": [true, null], "b": 1}'`, true, nil},
		"a second factor away from the office": {`
def trusted(ip, *networks, default=False):
    for network in networks:
        if ip in ip_network(network):
            return True
    else:
        return default
if trusted(ak_client_ip, "10.0.0.0/8"):
    return False
return not ak_user_has_authenticator(request.user, "webauthn") and not ak_is_sso_flow`, true, nil},
		"who was there before": {`
plan = context.get("flow_plan")
if not plan:
    return True
user = plan.context.get("pending_user", request.user)
return user.is_active and not user.is_superuser and user.username in ["ada"] and hasattr(user, "email") and getattr(user, "backend", "") == ""`, true, nil},
		"sorting and counting": {`
counts = {}
for letter in request.user.username + "banana":
    counts[letter] = counts.get(letter, 0) + 1
top = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[:2]
summary = ", ".join("{}={}".format(*pair) for pair in top)
ak_message(summary)
return max(counts.values()) == 5`, true, []string{"a=5, n=2"}},
		"a redirect": {`
if context["prompt_data"].get("attributes.phone", "").startswith("+49"):
    context["flow_plan"].redirect("https://example.org/de/")
return False`, false, nil},
		"a password made of letters": {`
import random, string, hashlib, base64, uuid
made = "".join(random.choice(string.ascii_letters + string.digits) for _ in range(16))
digest = hashlib.sha256(made.encode()).hexdigest()
return len(made) == 16 and len(digest) == 64 and base64.b64decode(base64.b64encode(made.encode())).decode() == made and uuid.uuid4().version == 4`, true, nil},
		"brand and page": {`return request.http_request.brand is not None and bool(request.http_request.path) and request.obj is not None and request.debug is False`, true, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if p := (&policy.Expression{Source: tt.source}).Validate(); p != nil {
				t.Fatalf("it is not saved: %v", p)
			}
			v, err := ran(t, tt.source, enrolling())
			if err != nil {
				t.Fatal(err)
			}
			if v.Passing != tt.passing {
				t.Errorf("passing %t: line %v, %v", v.Passing, v.Facts["line"], v.Detail.Names)
			}
			if diff := cmp.Diff(tt.messages, v.Messages, alike); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}
