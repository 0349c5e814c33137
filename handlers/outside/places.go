package outside

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/flowledger/flowledger/domain/session"
)

// Places tells where addresses are in use, and whose they are, from databases
// in MaxMind's format. Its methods may be called concurrently.
type Places struct {
	city, asn *database // nil where there is none
}

// OpenPlaces opens a database of cities and one of autonomous systems. An
// empty path means that there is none.
func OpenPlaces(city, asn string, now func() time.Time, log *slog.Logger) (*Places, error) {
	var p Places
	var err error
	if city != "" {
		if p.city, err = openDatabase(city, false, now, log); err != nil {
			return nil, err
		}
	}
	if asn != "" {
		if p.asn, err = openDatabase(asn, true, now, log); err != nil {
			return nil, err
		}
	}
	return &p, nil
}

// Locate tells what the databases know of an address. Either is nil for an
// address that they do not have, such as a private one. No Places know
// nothing.
func (p *Places) Locate(ip netip.Addr) (*session.Place, *session.System) {
	if p == nil {
		return nil, nil
	}
	return p.place(ip), p.system(ip)
}

func (p *Places) place(ip netip.Addr) *session.Place {
	var record struct {
		Continent struct {
			Code string `maxminddb:"code"`
		} `maxminddb:"continent"`
		Country struct {
			Code string `maxminddb:"iso_code"`
		} `maxminddb:"country"`
		City struct {
			Names struct {
				English string `maxminddb:"en"`
			} `maxminddb:"names"`
		} `maxminddb:"city"`
		Location struct {
			Lat  *float64 `maxminddb:"latitude"`
			Long *float64 `maxminddb:"longitude"`
		} `maxminddb:"location"`
	}
	if _, ok := p.city.lookUp(ip, &record); !ok {
		return nil
	}
	return &session.Place{
		Continent: record.Continent.Code, Country: record.Country.Code, City: record.City.Names.English,
		Lat: record.Location.Lat, Long: record.Location.Long,
	}
}

func (p *Places) system(ip netip.Addr) *session.System {
	var record struct {
		Number int    `maxminddb:"autonomous_system_number"`
		Name   string `maxminddb:"autonomous_system_organization"`
	}
	network, ok := p.asn.lookUp(ip, &record)
	if !ok || record.Number == 0 {
		return nil
	}
	return &session.System{Number: record.Number, Name: record.Name, Network: network.String()}
}

// A database is a file that may be replaced while it is in use.
type database struct {
	path    string
	systems bool // of autonomous systems, not of cities
	now     func() time.Time
	log     *slog.Logger
	reader  atomic.Pointer[maxminddb.Reader]
	faulty  atomic.Bool // a look-up failed, and it was said; until another file comes

	mu      sync.Mutex // guards what follows
	checked time.Time
	seen    stamp
}

// A stamp tells one version of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

// stamp is the zero one for a file that is not there.
func (d *database) stamp() stamp {
	info, err := os.Stat(d.path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// checkEvery is how often a file is looked at for changes.
const checkEvery = time.Minute

func openDatabase(path string, systems bool, now func() time.Time, log *slog.Logger) (*database, error) {
	d := &database{path: path, systems: systems, now: now, log: log, checked: now()}
	d.seen = d.stamp()
	if err := d.load(); err != nil {
		return nil, err
	}
	return d, nil
}

// load reads the file into memory: one that is written over in place must not
// take the program with it, as a mapped one would.
func (d *database) load() error {
	text, err := os.ReadFile(d.path)
	if err != nil {
		return err
	}
	reader, err := maxminddb.OpenBytes(text)
	if err != nil {
		return fmt.Errorf("%s is not a MaxMind database that can be read: %w", d.path, err)
	}
	kind := reader.Metadata.DatabaseType
	if systems := strings.Contains(kind, "ASN") || strings.Contains(kind, "ISP"); systems != d.systems {
		return fmt.Errorf("%s is of the kind %q: --geoip-city takes a database of cities, --geoip-asn one of autonomous systems", d.path, kind)
	}
	d.reader.Store(reader)
	d.faulty.Store(false)
	return nil
}

// refresh takes a changed file. A broken one changes nothing until it changes
// again.
func (d *database) refresh() {
	if !d.mu.TryLock() {
		return // somebody else does
	}
	defer d.mu.Unlock()
	if d.now().Sub(d.checked) < checkEvery {
		return
	}
	d.checked = d.now()
	found := d.stamp()
	if found == d.seen {
		return
	}
	d.seen = found
	if err := d.load(); err != nil {
		d.log.Warn("the changed database of addresses cannot be used; the one from before stays in use", "file", d.path, "error", err)
		return
	}
	d.log.Info("a changed database of addresses is in use", "file", d.path, "built", d.reader.Load().Metadata.BuildTime())
}

// lookUp reads the record of an address, and the network that it is for.
func (d *database) lookUp(ip netip.Addr, record any) (netip.Prefix, bool) {
	if d == nil || !ip.IsValid() {
		return netip.Prefix{}, false
	}
	d.refresh()
	result := d.reader.Load().Lookup(ip.Unmap().WithZone(""))
	err := result.Err()
	if err == nil && result.Found() {
		err = result.Decode(record)
	}
	if err != nil && !d.faulty.Swap(true) {
		d.log.Warn("a look-up in a database of addresses failed; such addresses count as unknown", "file", d.path, "error", err)
	}
	return result.Prefix(), err == nil && result.Found()
}
