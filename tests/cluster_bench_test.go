package tests

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// benchUsers log in at a time in [BenchmarkCluster].
const benchUsers = 32

// BenchmarkCluster logs people in at one node on SQLite, and at one, two and
// four nodes on PostgreSQL, all on this machine. The flow has no password, for
// its hash would be most of what is measured. A step is a request and its
// answer.
func BenchmarkCluster(b *testing.B) {
	b.Run("sqlite, 1 node", func(b *testing.B) {
		s := startPlain(b, dummies("bench-dummy", 1))
		benchLogins(b, &cluster{nodes: []*server{s}, front: s})
	})
	for _, nodes := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("postgres, %d nodes", nodes), func(b *testing.B) {
			benchLogins(b, startCluster(b, startPostgres(b), nodes))
		})
	}
}

// benchLogins has b.N people walk from challenge to challenge of a flow of
// identification and two clicks, each with a cookie of their own. Which node
// they ask changes with each step.
func benchLogins(b *testing.B, c *cluster) {
	b.Helper()
	c.front.admin(b).mustImport(b, cheapLogin("race", crashUsers))
	c.front.admin(b).mustImport(b, raceClick)
	took := make([][]time.Duration, benchUsers)
	transport := &http.Transport{MaxIdleConnsPerHost: benchUsers, DisableCompression: true}
	defer transport.CloseIdleConnections()
	var next atomic.Int64
	var walkers sync.WaitGroup
	b.ResetTimer()
	for i := range benchUsers {
		walkers.Go(func() {
			turn := i
			for n := next.Add(1); n <= int64(b.N) && !b.Failed(); n = next.Add(1) {
				name := fmt.Sprintf("race-%d", n%crashUsers)
				person := c.front.browser()
				person.http.Transport = transport
				for _, step := range []func() (*answer, error){
					func() (*answer, error) { return person.send(http.MethodGet, executor("race-click"), nil) },
					func() (*answer, error) {
						return person.send(http.MethodPost, executor("race-click"), object{"component": "ak-stage-identification", "uid_field": name})
					},
					func() (*answer, error) { return person.send(http.MethodGet, executor("race-click"), nil) },
					func() (*answer, error) {
						return person.send(http.MethodPost, executor("race-click"), object{"component": "ak-stage-dummy"})
					},
					func() (*answer, error) { return person.send(http.MethodGet, "/api/v3/core/users/me/", nil) },
				} {
					turn++
					person.base = c.nodes[turn%len(c.nodes)].base
					began := time.Now()
					a, err := step()
					took[i] = append(took[i], time.Since(began))
					if err != nil || a.status >= 400 {
						b.Errorf("the answer is %+v, %v", a, err)
						return
					}
				}
			}
		})
	}
	walkers.Wait()
	b.StopTimer()
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	if len(all) < 100 {
		return // a first look by the testing package
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "steps/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
