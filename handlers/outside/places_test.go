package outside_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/outside"
)

// write makes a database file of records by network.
func write(t *testing.T, path, kind string, records map[string]mmdbtype.Map) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, record := range records {
		_, network, err := net.ParseCIDR(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(network, record); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := tree.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func cityRecord(continent, country, name string, lat, long float64) mmdbtype.Map {
	return mmdbtype.Map{
		"continent": mmdbtype.Map{"code": mmdbtype.String(continent)},
		"country":   mmdbtype.Map{"iso_code": mmdbtype.String(country)},
		"city":      mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name), "de": mmdbtype.String("anders")}},
		"location":  mmdbtype.Map{"latitude": mmdbtype.Float64(lat), "longitude": mmdbtype.Float64(long)},
	}
}

func systemRecord(number uint32, name string) mmdbtype.Map {
	return mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(number), "autonomous_system_organization": mmdbtype.String(name)}
}

const cityKind, asnKind = "Test-City", "Test-ASN"

// A shelf is where the databases of a test lie.
type shelf struct {
	*outside.Places
	city, asn string
	now       time.Time
	log       *bytes.Buffer
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	dir := t.TempDir()
	s := &shelf{
		city: filepath.Join(dir, "city.mmdb"), asn: filepath.Join(dir, "asn.mmdb"),
		now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), log: &bytes.Buffer{},
	}
	write(t, s.city, cityKind, map[string]mmdbtype.Map{
		"192.0.2.0/24":    cityRecord("EU", "DE", "Berlin", 52.5, 13.4),
		"198.51.100.0/24": {"country": mmdbtype.Map{"iso_code": mmdbtype.String("FR")}},
		"2001:db8::/32":   cityRecord("NA", "US", "", 37.75, -97.82),
	})
	write(t, s.asn, asnKind, map[string]mmdbtype.Map{
		"192.0.2.0/25": systemRecord(64500, "Example"), "2001:db8:1::/48": systemRecord(64501, ""),
		"198.51.100.0/24": {"autonomous_system_organization": mmdbtype.String("No number")},
	})
	var err error
	s.Places, err = outside.OpenPlaces(s.city, s.asn, func() time.Time { return s.now }, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at is what is known of an address.
func (s *shelf) at(ip string) session.Origin {
	place, system := s.Locate(netip.MustParseAddr(ip))
	return session.Origin{Place: place, System: system}
}

func degrees(lat, long float64) (*float64, *float64) { return &lat, &long }

func TestLocate(t *testing.T) {
	s := newShelf(t)
	lat, long := degrees(52.5, 13.4)
	berlin := &session.Place{Continent: "EU", Country: "DE", City: "Berlin", Lat: lat, Long: long}
	lat, long = degrees(37.75, -97.82)
	america := &session.Place{Continent: "NA", Country: "US", Lat: lat, Long: long}
	tests := map[string]struct {
		ip   string
		want session.Origin
	}{
		"known to both":                    {"192.0.2.7", session.Origin{Place: berlin, System: &session.System{Number: 64500, Name: "Example", Network: "192.0.2.0/25"}}},
		"written as IP version 6":          {"::ffff:192.0.2.7", session.Origin{Place: berlin, System: &session.System{Number: 64500, Name: "Example", Network: "192.0.2.0/25"}}},
		"known to the cities alone":        {"192.0.2.200", session.Origin{Place: berlin}},
		"a country and nothing more":       {"198.51.100.1", session.Origin{Place: &session.Place{Country: "FR"}}},
		"of IP version 6":                  {"2001:db8:1::1", session.Origin{Place: america, System: &session.System{Number: 64501, Network: "2001:db8:1::/48"}}},
		"of IP version 6, with a zone":     {"2001:db8:2::1%eth0", session.Origin{Place: america}},
		"private":                          {"10.0.0.1", session.Origin{}},
		"this machine":                     {"::1", session.Origin{}},
		"public, but in none of databases": {"203.0.113.1", session.Origin{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, s.at(test.ip)); diff != "" {
				t.Errorf("got (-want +got):\n%s", diff)
			}
		})
	}
	if place, system := s.Locate(netip.Addr{}); place != nil || system != nil {
		t.Error("no address is somewhere")
	}
}

func TestLocateWithoutDatabases(t *testing.T) {
	p, err := outside.OpenPlaces("", "", time.Now, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if place, system := p.Locate(netip.MustParseAddr("192.0.2.7")); place != nil || system != nil {
		t.Error("something is known without databases")
	}
}

func TestRefusedDatabases(t *testing.T) {
	s := newShelf(t)
	text := filepath.Join(t.TempDir(), "text.mmdb")
	if err := os.WriteFile(text, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ city, asn, want string }{
		"a path that leads nowhere": {filepath.Join(t.TempDir(), "none.mmdb"), "", "no such file"},
		"a file of another kind":    {text, "", "text.mmdb is not a MaxMind database"},
		"cities for systems":        {"", s.city, "--geoip-asn one of autonomous systems"},
		"systems for cities":        {s.asn, "", "--geoip-city takes a database of cities"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := outside.OpenPlaces(test.city, test.asn, time.Now, slog.Default())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want something about %q", err, test.want)
			}
		})
	}
}

// A changed file is taken after a minute at most. A broken one is not taken,
// and said to be so once.
func TestReplacedDatabases(t *testing.T) {
	s := newShelf(t)
	country := func() string {
		if p := s.at("192.0.2.7").Place; p != nil {
			return p.Country
		}
		return ""
	}
	replace := func(code string) {
		write(t, s.city, cityKind, map[string]mmdbtype.Map{"192.0.2.0/24": cityRecord("EU", code, "A town of "+code, 0, 0)})
	}
	replace("FR")
	s.now = s.now.Add(59 * time.Second)
	if got := country(); got != "DE" {
		t.Errorf("before the minute is over: %s", got)
	}
	s.now = s.now.Add(time.Second)
	if got := country(); got != "FR" {
		t.Errorf("after a minute: %s", got)
	}
	if err := os.WriteFile(s.city, []byte("half a datab"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.now = s.now.Add(time.Minute)
		if got := country(); got != "FR" {
			t.Errorf("with a broken file: %q", got)
		}
	}
	if got := strings.Count(s.log.String(), "level=WARN"); got != 1 {
		t.Errorf("%d warnings:\n%s", got, s.log)
	}
	s.log.Reset()
	if err := os.Remove(s.city); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.now = s.now.Add(time.Minute)
		if got := country(); got != "FR" {
			t.Errorf("without the file: %q", got)
		}
	}
	if got := strings.Count(s.log.String(), "level=WARN"); got != 1 {
		t.Errorf("%d warnings:\n%s", got, s.log)
	}
	replace("US")
	s.now = s.now.Add(time.Minute)
	if got := country(); got != "US" {
		t.Errorf("with a new file: %q", got)
	}
}

// A file may be replaced while addresses are looked up.
func TestLocateConcurrently(t *testing.T) {
	s := newShelf(t)
	var clock atomic.Int64
	p, err := outside.OpenPlaces(s.city, s.asn, func() time.Time { return time.Unix(clock.Add(30), 0) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				if place, _ := p.Locate(netip.MustParseAddr("192.0.2.7")); place == nil || place.City != "Berlin" && place.City != "Bonn" {
					t.Errorf("in %+v", place)
				}
			}
		})
	}
	write(t, s.city, cityKind, map[string]mmdbtype.Map{"192.0.2.0/24": cityRecord("EU", "DE", "Bonn", 50.7, 7.1)})
	group.Wait()
}
