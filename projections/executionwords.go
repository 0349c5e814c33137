package projections

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
)

// byWords keeps what has to do with all words.
func (s *executionSearch) byWords(f ExecutionFilter) error {
	words := wordsOf(strings.Join(f.Words, " "))
	for _, word := range words {
		if p, ok := networkIn(word); ok {
			if err := s.byNetwork(p); err != nil {
				return err
			}
			continue
		}
		set := newNumberSet(s.low, s.high)
		for _, look := range []func(*numberSet, string) error{s.wordOfFlows, s.wordOfStages, s.wordOfUsers, s.wordOfIDs} {
			if err := look(set, word); err != nil {
				return err
			}
		}
		s.found.with(set)
	}
	return nil
}

// wordOfFlows finds executions of flows that are called so, or in part.
func (s *executionSearch) wordOfFlows(set *numberSet, word string) error {
	var marks []string
	err := query(s.conn, "SELECT n, slug, name, id FROM executions_flows", func(row *sqlite.Stmt) error {
		if strings.Contains(fold(row.ColumnText(1)), word) || strings.Contains(fold(row.ColumnText(2)), word) || row.ColumnText(3) == word {
			marks = append(marks, markFlow+strconv.FormatInt(row.ColumnInt64(0), 10))
		}
		return nil
	})
	return s.join(set, marks, err)
}

// wordOfStages finds executions that stand or ended at a stage that is called
// so, or in part.
func (s *executionSearch) wordOfStages(set *numberSet, word string) error {
	var marks []string
	err := query(s.conn, "SELECT n, name, id FROM executions_stages", func(row *sqlite.Stmt) error {
		if strings.Contains(fold(row.ColumnText(1)), word) || row.ColumnText(2) == word {
			marks = append(marks, markStage+strconv.FormatInt(row.ColumnInt64(0), 10))
		}
		return nil
	})
	return s.join(set, marks, err)
}

// join adds what has any of some marks.
func (s *executionSearch) join(set *numberSet, marks []string, err error) error {
	for _, mark := range marks {
		if err == nil {
			err = s.add(set, "mark = ?", mark)
		}
	}
	return err
}

// likelyUsers is how many users the beginning of a name may mean. If it means
// more, it means none: then the whole name has to be typed.
const likelyUsers = 100

// wordOfUsers finds executions about users who are called so, or whose name or
// address begins so, and those in which such a user was logged in.
func (s *executionSearch) wordOfUsers(set *numberSet, word string) error {
	users, err := s.texts("SELECT id FROM users WHERE username_folded = ?1 OR email_folded = ?1 OR upn_folded = ?1", word)
	for _, column := range []string{"username_folded", "email_folded"} {
		var more []string
		if err == nil {
			more, err = s.texts("SELECT id FROM users WHERE "+column+" >= ?1 AND "+column+" < ?1 || char(1114111) LIMIT ?2", word, likelyUsers+1)
		}
		if len(more) <= likelyUsers {
			users = append(users, more...)
		}
	}
	if _, notID := uuid.Parse(word); notID == nil {
		users = append(users, word)
	}
	slices.Sort(users)
	for _, user := range slices.Compact(users) {
		for _, column := range []string{"user", "visitor"} {
			if err == nil {
				err = s.newest(set, column+" = ? AND "+column+" <> ''", user)
			}
		}
	}
	return err
}

// texts returns the texts in the first column of a query.
func (s *executionSearch) texts(text string, args ...any) (out []string, err error) {
	err = query(s.conn, text, func(row *sqlite.Stmt) error {
		out = append(out, row.ColumnText(0))
		return nil
	}, args...)
	return out, err
}

// wordOfIDs finds the execution whose id begins so, which had an error page
// with this reference, or whose browser session it is.
func (s *executionSearch) wordOfIDs(set *numberSet, word string) error {
	err := s.newest(set, "reference = ? AND reference <> ''", word)
	if err == nil && len(word) >= idBeginning && strings.Trim(word, "0123456789abcdef-") == "" {
		err = s.newest(set, "id >= ?1 AND id < ?1 || 'g'", word)
	}
	if err == nil && len(word) == len(uuid.UUID{}.String()) {
		err = s.newest(set, "session = ?", word)
	}
	return err
}

// idBeginning is how much of an id is enough to look for it.
const idBeginning = 4

// networkIn is the network that a word means, or the address.
func networkIn(word string) (p netip.Prefix, ok bool) {
	if p, err := netip.ParsePrefix(word); err == nil {
		return p, true
	}
	ip, err := netip.ParseAddr(word)
	if err != nil {
		return p, false
	}
	ip = ip.Unmap().WithZone("")
	return netip.PrefixFrom(ip, ip.BitLen()), true
}

// newest adds what meets a condition: of too many, the newest, and then what
// is older is not looked at by this search.
func (s *executionSearch) newest(set *numberSet, condition string, args ...any) error {
	least, n := int64(0), 0
	err := eachUntil(s.conn, "SELECT n FROM executions WHERE "+condition+" ORDER BY n DESC", func(row *sqlite.Stmt) bool {
		least = row.ColumnInt64(0)
		set.add(least)
		n++
		return n < s.limits.collect
	}, args...)
	if err != nil || n < s.limits.collect {
		return err
	}
	s.found.keep(least, s.high)
	s.exact = false
	s.reached, err = startOf(s.conn, least)
	return err
}
