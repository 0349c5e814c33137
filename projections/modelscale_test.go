package projections_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/projections"
)

// fillModels writes so many attempts and three times as many verdicts of thirty
// days: a fiftieth of the attempts comes from ten addresses, the rest from
// fifty thousand, at ten thousand users.
const fillModels = `
	WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < $n)
		INSERT INTO sources(n, at, execution, user, ip, asn, country, what)
		SELECT n, $from + n * ($span / $n), randomblob(16), CAST('u' || (n * 7919 % 10000) AS BLOB),
			CAST(x'00000000000000000000ffff' || CASE n % 50 WHEN 0 THEN CAST('aaa' || (n / 50 % 10) AS BLOB)
				ELSE CAST(printf('%04x', (n * 104729 % 50000)) AS BLOB) END AS BLOB), n % 300 + 1, 'NL', n % 5 / 4 * 2 FROM i;
	INSERT INTO sources_slots SELECT 'ip', ip, 1, at / 3600000000, sum(what = 0), 0, sum(what = 2), sum(what = 0), min(at), max(at)
		FROM sources GROUP BY ip, at / 3600000000;
	INSERT INTO sources_slots SELECT 'user', user, 1, at / 3600000000, sum(what = 0), 0, sum(what = 2), sum(what = 0), min(at), max(at)
		FROM sources GROUP BY user, at / 3600000000;
	INSERT INTO sources_slots SELECT 'asn', CAST(asn AS BLOB), 1, at / 3600000000, sum(what = 0), 0, sum(what = 2), sum(what = 0), min(at), max(at)
		FROM sources GROUP BY asn, at / 3600000000;
	INSERT INTO sources_slots SELECT by, key, 24, at / 24 * 24, sum(failures), 0, sum(successes), sum(tried), min(first), max(last)
		FROM sources_slots GROUP BY by, key, at / 24;
	WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 20)
		INSERT INTO verdicts_refs(n, id, kind, revision, name) SELECT n, 'p' || (n % 10), 'policy', n / 10, 'a policy' FROM i;
	WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3 * $n)
		INSERT INTO verdicts(n, i, at, ref, target, said, negate, ms)
		SELECT n, 0, $from + n * ($span / 3 / $n), n % 20 + 1, 1, CASE WHEN n % 101 = 0 THEN 1 WHEN n % 997 = 0 THEN 2 ELSE 0 END, 0, n % 7 FROM i;
	INSERT INTO verdicts_slots SELECT 1, at / 3600000000, ref, sum(said = 0), sum(said = 1), sum(said = 2), max(ms), sum(ms)
		FROM verdicts GROUP BY at / 3600000000, ref;
	INSERT INTO verdicts_slots SELECT 24, at / 24 * 24, ref, sum(passed), sum(failed), sum(erred), max(most), sum(ms)
		FROM verdicts_slots GROUP BY at / 24, ref`

// What the audit console asks is answered at once however much there is. Less
// is filled in unless FLOWLEDGER_ATTEMPTS says how many attempts there are.
func TestModelsAreFast(t *testing.T) {
	attempts, err := strconv.Atoi(os.Getenv("FLOWLEDGER_ATTEMPTS"))
	if err != nil {
		attempts = 2000
	}
	w := newWorld(t)
	w.run()
	conn, err := sqlite.OpenConn(filepath.Clean(w.path), sqlite.OpenReadWrite, sqlite.OpenWAL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetBusyTimeout(time.Minute)
	const month = 30 * 24 * time.Hour
	from := start.Add(-month)
	fill := func(text string) {
		for _, word := range []struct{ old, now string }{
			{"$n", strconv.Itoa(attempts)}, {"$from", strconv.FormatInt(from.UnixMicro(), 10)}, {"$span", strconv.FormatInt(month.Microseconds(), 10)},
		} {
			text = strings.ReplaceAll(text, word.old, word.now)
		}
		if err := sqlitex.ExecuteScript(conn, text, nil); err != nil {
			t.Fatal(err)
		}
	}
	fill(fillModels)
	ctx, day := t.Context(), start.Add(-24*time.Hour)
	page, two := projections.Page{Limit: 50}, int64(1)
	sources := func(by string, from time.Time) func() (int, error) {
		return func() (int, error) { s, _, err := w.sources.Top(ctx, by, from, start, page); return len(s), err }
	}
	verdicts := func(f projections.VerdictFilter, p projections.Page) func() (int, error) {
		return func() (int, error) { v, _, err := w.verdicts.List(ctx, f, p); return len(v), err }
	}
	for name, ask := range map[string]func() (int, error){
		"addresses of a day": sources("ip", day), "addresses of a week": sources("ip", start.Add(-7*24*time.Hour)), "addresses of a month": sources("ip", from),
		"users of a day": sources("user", day), "users of a month": sources("user", from), "systems of a month": sources("asn", from),
		"verdicts":                     verdicts(projections.VerdictFilter{}, page),
		"verdicts of a policy":         verdicts(projections.VerdictFilter{Policy: "p1"}, page),
		"verdicts of a revision":       verdicts(projections.VerdictFilter{Policy: "p1", PolicyRevision: &two, Said: "failed"}, page),
		"verdicts that erred":          verdicts(projections.VerdictFilter{Said: "erred"}, page),
		"verdicts of half a month":     verdicts(projections.VerdictFilter{Policy: "p2", From: start.Add(-15*24*time.Hour + time.Minute)}, page),
		"verdicts of a policy, behind": verdicts(projections.VerdictFilter{Policy: "p1"}, projections.Page{Offset: attempts / 20, Limit: 50}),
		"policies of a month":          func() (int, error) { p, err := w.verdicts.Policies(ctx, from, start); return len(p), err },
		"a policy over a month":        func() (int, error) { p, err := w.verdicts.Over(ctx, "p1", from, start, time.Hour); return len(p), err },
	} {
		var took []time.Duration
		for range 10 {
			began := time.Now()
			if n, err := ask(); n == 0 || err != nil {
				t.Errorf("%s: %d, %v", name, n, err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%-30s median %8s, worst of ten %8s", name, took[5].Round(time.Microsecond*100), took[9].Round(time.Microsecond*100))
	}
}
