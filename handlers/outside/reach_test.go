package outside

import (
	"net/netip"
	"testing"
)

func TestReach(t *testing.T) {
	listed := prefixes("10.1.0.0/16", "fd00:1::/32", "127.0.0.2/32")
	tests := map[string]struct {
		address string
		private []netip.Prefix
		want    bool
	}{
		"public":                               {"93.184.215.14", nil, true},
		"public, version 6":                    {"2606:2800:21f:cb07:6820:80da:af6b:8b2c", nil, true},
		"loopback":                             {"127.0.0.1", nil, false},
		"loopback, another":                    {"127.255.0.1", nil, false},
		"loopback, version 6":                  {"::1", nil, false},
		"unspecified":                          {"0.0.0.0", nil, false},
		"this network":                         {"0.1.2.3", nil, false},
		"unspecified, version 6":               {"::", nil, false},
		"private, 10":                          {"10.1.2.3", nil, false},
		"private, 172.16":                      {"172.16.0.1", nil, false},
		"private, the end of 172.16":           {"172.31.255.255", nil, false},
		"public, after 172.16":                 {"172.32.0.1", nil, true},
		"private, 192.168":                     {"192.168.0.1", nil, false},
		"metadata of clouds":                   {"169.254.169.254", nil, false},
		"metadata of clouds, version 6":        {"fd00:ec2::254", nil, false},
		"of a carrier":                         {"100.64.0.1", nil, false},
		"of a carrier, the end":                {"100.127.255.255", nil, false},
		"public, after a carrier's":            {"100.128.0.1", nil, true},
		"protocols":                            {"192.0.0.8", nil, false},
		"documentation":                        {"198.51.100.7", nil, false},
		"measurements":                         {"198.19.0.1", nil, false},
		"multicast":                            {"224.0.0.1", nil, false},
		"multicast, version 6":                 {"ff02::1", nil, false},
		"reserved":                             {"240.0.0.1", nil, false},
		"broadcast":                            {"255.255.255.255", nil, false},
		"unique local":                         {"fd12:3456::1", nil, false},
		"link-local, version 6":                {"fe80::1", nil, false},
		"link-local, with a zone":              {"fe80::1%eth0", nil, false},
		"site-local":                           {"fec0::1", nil, false},
		"mapped loopback":                      {"::ffff:127.0.0.1", nil, false},
		"mapped metadata":                      {"::ffff:a9fe:a9fe", nil, false},
		"mapped public":                        {"::ffff:93.184.215.14", nil, true},
		"compatible loopback":                  {"::127.0.0.1", nil, false},
		"translated loopback":                  {"::ffff:0:127.0.0.1", nil, false},
		"loopback behind NAT64":                {"64:ff9b::127.0.0.1", nil, false},
		"private behind NAT64":                 {"64:ff9b::a01:203", nil, false},
		"public behind NAT64":                  {"64:ff9b::93.184.215.14", nil, true},
		"behind a NAT64 of one's own":          {"64:ff9b:1::93.184.215.14", nil, false},
		"loopback behind 6to4":                 {"2002:7f00:1::1", nil, false},
		"private behind 6to4":                  {"2002:c0a8:101::", nil, false},
		"public behind 6to4":                   {"2002:5db8:d70e::1", nil, true},
		"Teredo":                               {"2001:0:5db8:d70e::1", nil, false},
		"documentation, version 6":             {"2001:db8::1", nil, false},
		"discarded":                            {"100::1", nil, false},
		"listed":                               {"10.1.2.3", listed, true},
		"listed, mapped":                       {"::ffff:10.1.2.3", listed, true},
		"listed, behind NAT64":                 {"64:ff9b::10.1.2.3", listed, true},
		"listed, version 6":                    {"fd00:1::5", listed, true},
		"listed is one, this is its neighbour": {"127.0.0.1", listed, false},
		"not listed":                           {"10.2.0.1", listed, false},
		"public beside what is listed":         {"93.184.215.14", listed, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := reach{tt.private}
			if got := r.permits(netip.MustParseAddr(tt.address)); got != tt.want {
				t.Errorf("%s: got %t, want %t", tt.address, got, tt.want)
			}
			want := r.control("tcp", netip.AddrPortFrom(netip.MustParseAddr(tt.address), 80).String(), nil) == nil
			if want != tt.want {
				t.Errorf("%s: the dialer says %t", tt.address, want)
			}
		})
	}
	if (reach{}).control("tcp", "nonsense", nil) == nil || (reach{}).permits(netip.Addr{}) {
		t.Error("what is no address was let through")
	}
}
