package projections

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
)

// What executions can be found by is a mark: what it is, a colon, its value.
const (
	markFlow        = "flow:" // number
	markDesignation = "designation:"
	markStatus      = "status:"
	markCause       = "cause:"   // status, colon, cause
	markStage       = "stage:"   // number of the one where it stands or ended
	markEntered     = "entered:" // kind of a stage
	markFactor      = "factor:"
	markSaid        = "said:" // policy, colon, verdict
	markAnySaid     = "verdict:"
	markApplication = "application:"
	markCountry     = "country:"
	markASN         = "asn:"
	markNetwork4    = "net4:" // the first two bytes, in hex
	markNetwork6    = "net6:" // the first four bytes, in hex
)

// statuses are all that executions can have.
var statuses = []string{
	string(execution.Running), string(execution.Completed), string(execution.Denied), string(execution.Cancelled),
	string(execution.Expired), string(execution.Failed),
}

// marksOf are the marks of a row, but those of where it came from.
func (x *Executions) marksOf(conn *sqlite.Conn, r *executionRow) ([]string, error) {
	f, err := x.flowOf(conn, r.flow)
	if err != nil {
		return nil, err
	}
	marks := append(make([]string, 0, 12), markFlow+strconv.FormatInt(r.flow, 10), markStatus+r.status)
	if f.designation != "" {
		marks = append(marks, markDesignation+f.designation)
	}
	if r.status != string(execution.Running) && (r.cause != "" || r.status != string(execution.Completed)) {
		marks = append(marks, markCause+r.status+":"+r.cause)
	}
	if r.stage != 0 {
		marks = append(marks, markStage+strconv.FormatInt(r.stage, 10))
	}
	for _, stage := range r.entered {
		kind, err := x.kindOf(conn, stage)
		if err != nil {
			return nil, err
		}
		marks = append(marks, markEntered+kind)
	}
	for _, method := range r.factors {
		marks = append(marks, markFactor+method)
	}
	for _, said := range r.said {
		marks = append(marks, markSaid+said, markAnySaid+saidOf(said))
	}
	if r.application != "" {
		marks = append(marks, markApplication+r.application)
	}
	return marks, nil
}

// saidOf is the verdict of a policy and its verdict.
func saidOf(said string) string {
	for i := len(said) - 1; i >= 0; i-- {
		if said[i] == ':' {
			return said[i+1:]
		}
	}
	return said
}

// originFrom is where an execution came from, as its append says.
func originFrom(n session.Network) Origin {
	o := Origin{Agent: n.UserAgent}
	if ip, err := netip.ParseAddr(n.IP); err == nil {
		o.IP = ip.Unmap().WithZone("")
	}
	if n.Place != nil {
		o.Country, o.City = n.Place.Country, n.Place.City
	}
	if n.System != nil {
		o.ASN, o.ASOrg = int64(n.System.Number), n.System.Name
	}
	return o
}

// originMarks are the marks of where an execution came from.
func originMarks(o Origin) (marks []string) {
	if o.Country != "" {
		marks = append(marks, markCountry+o.Country)
	}
	if o.ASN != 0 {
		marks = append(marks, markASN+strconv.FormatInt(o.ASN, 10))
	}
	switch {
	case o.IP.Is4():
		bytes := o.IP.As4()
		marks = append(marks, markNetwork4+hex.EncodeToString(bytes[:2]))
	case o.IP.Is6():
		bytes := o.IP.As16()
		marks = append(marks, markNetwork6+hex.EncodeToString(bytes[:4]))
	}
	return marks
}

// ipBytes is an address as the table has it: sixteen bytes, whose order is
// that of addresses; none for no address.
func ipBytes(ip netip.Addr) []byte {
	if !ip.IsValid() {
		return []byte{}
	}
	bytes := ip.As16()
	return bytes[:]
}

// ipOf reads what ipBytes wrote.
func ipOf(text []byte) netip.Addr {
	ip, _ := netip.AddrFromSlice(text)
	return ip.Unmap()
}
