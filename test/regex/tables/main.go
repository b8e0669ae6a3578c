// Prints filters/common/assembly/regex/unicode_tables.ts, from the tables of Go's `unicode` package.
//
//	go run test/regex/tables/main.go > filters/common/assembly/regex/unicode_tables.ts
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"unicode"
)

// The version of RE2's own tables.
const version = "15.0.0"

// The order of unicode_tables.ts: Lu and Ll first, since they alternate.
var categories = strings.Fields("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co")

// In the low five bits of a byte: a run of pairs Lu, Ll.
const alternating = 31

func main() {
	if unicode.Version != version {
		fmt.Fprintf(os.Stderr, "this Go has Unicode %s; %s is wanted\n", unicode.Version, version)
		os.Exit(1)
	}
	fmt.Println("// Made by test/regex/tables/main.go: don't edit.")
	fmt.Printf("// Unicode %s, as RE2's own tables.\n", version)
	printBytes("CATEGORIES", "General categories, two letters each, in the order of their numbers.", []byte(strings.Join(categories, "")))
	printBytes("CATEGORY_RUNS", "Runs of code points of one category: its number + 1 (0: none), with the length in the upper three bits.", categoryRuns())
	names, runs := scripts()
	printBytes("SCRIPT_NAMES", "Names of the scripts, in the order of their numbers: length and text.", names)
	printBytes("SCRIPT_RUNS", "Runs of code points of one script: its number + 1 (0: none), and the length.", runs)
	printBytes("FOLDS", "Simple case folding, to the next of those that are alike: gap, number, step, difference (1 << 20: neighbours).", folds())
}

func printBytes(name, comment string, data []byte) {
	fmt.Printf("\n/** %s */\n// prettier-ignore\nexport const %s: usize = memory.data<u8>([", comment, name)
	for i, b := range data {
		if i%32 == 0 {
			fmt.Print("\n  ")
		} else {
			fmt.Print(" ")
		}
		fmt.Printf("%d,", b)
	}
	fmt.Print("\n])\n")
}

func categoryRuns() []byte {
	of := make([]byte, unicode.MaxRune+2)
	for i, name := range categories {
		each(unicode.Categories[name], func(r rune) { of[r] = byte(i + 1) })
	}
	var out []byte
	for r := 0; r <= unicode.MaxRune; {
		end := r
		for end <= unicode.MaxRune && of[end] == of[r] {
			end++
		}
		pairs := 0
		for r+2*pairs+1 <= unicode.MaxRune && of[r+2*pairs] == 1 && of[r+2*pairs+1] == 2 {
			pairs++
		}
		kind, length := of[r], end-r
		if pairs > 1 {
			kind, length, end = alternating, pairs, r+2*pairs
		}
		if length <= 7 {
			out = append(out, kind|byte(length-1)<<5)
		} else {
			out = append(varint(append(out, kind|7<<5), length-8))
		}
		r = end
	}
	return out
}

func scripts() (names, runs []byte) {
	var all []string
	for name := range unicode.Scripts {
		all = append(all, name)
	}
	sort.Strings(all)
	of := make([]byte, unicode.MaxRune+2)
	for i, name := range all {
		names = append(append(names, byte(len(name))), name...)
		each(unicode.Scripts[name], func(r rune) { of[r] = byte(i + 1) })
	}
	for r := 0; r <= unicode.MaxRune; {
		end := r
		for end <= unicode.MaxRune && of[end] == of[r] {
			end++
		}
		runs = varint(append(runs, of[r]), end-r-1)
		r = end
	}
	return append(names, 0), runs
}

func folds() []byte {
	type fold struct{ at, delta int }
	var all []fold
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if next := unicode.SimpleFold(r); next != r {
			all = append(all, fold{int(r), int(next - r)})
		}
	}
	var out []byte
	last := 0
	emit := func(at, count, step, delta int) {
		// Zigzag.
		code := delta << 1
		if delta < 0 {
			code = -delta<<1 | 1
		}
		out = varint(varint(varint(out, at-last), count<<1|(step-1)), code)
		last = at
	}
	for i := 0; i < len(all); {
		neighbours := 0
		for j := i; j+1 < len(all) && all[j].at == all[i].at+(j-i) && all[j].delta == 1 && all[j+1].at == all[j].at+1 && all[j+1].delta == -1; j += 2 {
			neighbours++
		}
		if neighbours > 1 {
			emit(all[i].at, neighbours, 1, 1<<20)
			i += 2 * neighbours
			continue
		}
		best, step := 1, 1
		for s := 1; s <= 2; s++ {
			n := 1
			for i+n < len(all) && all[i+n].at == all[i].at+n*s && all[i+n].delta == all[i].delta {
				n++
			}
			if n > best {
				best, step = n, s
			}
		}
		emit(all[i].at, best, step, all[i].delta)
		i += best
	}
	return append(out, 0, 0)
}

func varint(out []byte, value int) []byte {
	for ; value >= 0x80; value >>= 7 {
		out = append(out, byte(value)|0x80)
	}
	return append(out, byte(value))
}

func each(table *unicode.RangeTable, found func(rune)) {
	for _, r := range table.R16 {
		for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
			found(c)
		}
	}
	for _, r := range table.R32 {
		for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
			found(c)
		}
	}
}
