// sumdb: Go's own transparency log (golang.org/x/mod/sumdb, of the Debian package
// golang-golang-x-mod-dev) as the judge of ours. Not run by CI, which needs no Go:
// tests/ledger/sumdb.golden is what the first form printed.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run sumdb.go golden > sumdb.golden
//	GO111MODULE=off GOPATH=/usr/share/gocode go run sumdb.go read EXPORT VERIFIER-KEY
//
// golden: of trees whose entry i is the decimal text of i, each root and a digest
// over the paths and bytes of all tiles. read: opens the checkpoint of an export
// of tiles as a signed note, and proves every hash of every level-0 tile to it.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = m[index]
	}
	return out, nil
}

// tlog-tiles leaves the height out of the path: it is always 8.
func path(tile tlog.Tile) string { return strings.Replace(tile.Path(), "tile/8/", "tile/", 1) }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func golden() {
	sizes := []int64{1, 2, 255, 256, 257, 511, 512, 1000, 65535, 65536, 65537, 70000}
	var hashes memory
	next := int64(0)
	for _, size := range sizes {
		for ; next < size; next++ {
			stored, err := tlog.StoredHashes(next, []byte(strconv.FormatInt(next, 10)), hashes)
			must(err)
			hashes = append(hashes, stored...)
		}
		root, err := tlog.TreeHash(size, hashes)
		must(err)
		// Of the partial tiles that grow to one another, the last.
		widest := map[[2]int64]tlog.Tile{}
		for _, tile := range tlog.NewTiles(height, 0, size) {
			if place := [2]int64{int64(tile.L), tile.N}; widest[place].W < tile.W {
				widest[place] = tile
			}
		}
		var lines []string
		for _, tile := range widest {
			data, err := tlog.ReadTileData(tile, hashes)
			must(err)
			sum := sha256.Sum256(data)
			lines = append(lines, path(tile)+" "+hex.EncodeToString(sum[:])+"\n")
		}
		sort.Strings(lines)
		sum := sha256.Sum256([]byte(strings.Join(lines, "")))
		fmt.Printf("%d %x %d %x\n", size, root[:], len(lines), sum)
	}
}

type directory string

func (d directory) Height() int { return height }
func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(d), path(tile)))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

func read(dir, key string) {
	verifier, err := note.NewVerifier(key)
	must(err)
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	bytes, err := base64.StdEncoding.DecodeString(lines[2])
	must(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], bytes)
	reader := tlog.TileHashReader(tree, directory(dir))
	for index := int64(0); index < size; index++ {
		_, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		must(err)
	}
	for old := int64(1); old <= size; old += 1 + size/50 {
		then, err := tlog.TreeHash(old, reader)
		must(err)
		proof, err := tlog.ProveTree(size, old, reader)
		must(err)
		must(tlog.CheckTree(proof, size, tree.Hash, old, then))
	}
	fmt.Printf("%s: %d entries, each in the tree of the checkpoint\n", lines[0], size)
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "golden":
		golden()
	case len(os.Args) == 4 && os.Args[1] == "read":
		read(os.Args[2], os.Args[3])
	default:
		log.Fatal("golden, or read EXPORT VERIFIER-KEY")
	}
}
