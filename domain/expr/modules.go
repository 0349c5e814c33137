package expr

// modules holds what programs can import without help of the host. Nothing in
// it reaches the world: the clock and the randomness are the evaluation's.
var modules = map[string]map[string]Value{
	"re":           reModule,
	"json":         jsonModule,
	"datetime":     datetimeModule,
	"time":         timeModule,
	"math":         mathModule,
	"ipaddress":    ipaddressModule,
	"hashlib":      hashlibModule,
	"base64":       base64Module,
	"binascii":     {"Error": binasciiError},
	"urllib":       {},
	"urllib.parse": urlModule,
	"uuid":         uuidModule,
	"random":       randomModule,
	"string":       stringModule,

	"django":                   {},
	"django.utils":             {},
	"django.utils.translation": {"gettext": gettext, "gettext_lazy": gettext, "ngettext": ngettext},
	"django.utils.html":        {"escape": escapeFunction},
	"django.utils.text":        {"slugify": Builtin("slugify", policySlugify)},
	"django.utils.timezone":    {"now": Builtin("now", timezoneNow), "timedelta": durationClass},
	"django.core":              {},
	"django.core.exceptions": {
		"ValidationError": validationError, "ObjectDoesNotExist": ObjectDoesNotExist,
		"MultipleObjectsReturned": MultipleObjectsReturned, "FieldError": FieldError,
	},
	"django.core.validators": {"URLValidator": urlValidatorClass, "validate_email": Builtin("validate_email", validateEmail)},
}
