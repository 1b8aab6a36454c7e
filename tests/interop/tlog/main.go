// Verifies a Gatehouse log with golang.org/x/mod's sumdb/note and sumdb/tlog, which share no line with
// Gatehouse: the checkpoint, every tile, every entry, proofs of inclusion and consistency, receipts.
// For tests only.
//
//	tlog -url URL -key VKEY [-size N] [-no-entries] [-records N] [-old FILE]… [-save FILE]
//	     [-checkpoint FILE]
//	tlog -key VKEY -receipts DIR
//
// It ends with "ok: …" and 0, or with what is wrong and 1.
package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type files []string

func (f *files) String() string     { return strings.Join(*f, ",") }
func (f *files) Set(v string) error { *f = append(*f, v); return nil }

type options struct {
	url       string
	key       string
	size      int64
	noEntries bool
	records   int64
	old       files
	save      string
	under     string
	receipts  string
}

func main() {
	var o options
	flag.StringVar(&o.url, "url", "", "where the log is served")
	flag.StringVar(&o.key, "key", "", "the log's public key")
	flag.Int64Var(&o.size, "size", -1, "how many entries it must have")
	flag.BoolVar(&o.noEntries, "no-entries", false, "the entries must not be served")
	flag.Int64Var(&o.records, "records", 1000, "prove at most so many entries, evenly spread")
	flag.Var(&o.old, "old", "an earlier checkpoint that must be a part of the log")
	flag.StringVar(&o.save, "save", "", "store the checkpoint here")
	flag.StringVar(&o.under, "checkpoint", "", "verify under this checkpoint, not the one that is served")
	flag.StringVar(&o.receipts, "receipts", "", "verify every NAME.tlog-proof with NAME.entry.json in here")
	flag.Parse()
	report, err := run(&o)
	if err != nil {
		fmt.Println("WRONG:", err)
		os.Exit(1)
	}
	fmt.Println("ok:", report)
}

func run(o *options) (string, error) {
	verifier, err := note.NewVerifier(o.key)
	if err != nil {
		return "", fmt.Errorf("the key: %v", err)
	}
	var report []string
	if o.url != "" {
		if err := verifyLog(o, verifier, &report); err != nil {
			return "", err
		}
	}
	if o.receipts != "" {
		n, err := verifyReceipts(o.receipts, verifier)
		if err != nil {
			return "", err
		}
		report = append(report, fmt.Sprintf("%d receipts", n))
	}
	if len(report) == 0 {
		return "", fmt.Errorf("nothing to do: give -url or -receipts")
	}
	return strings.Join(report, ", "), nil
}

func verifyLog(o *options, verifier note.Verifier, report *[]string) error {
	log := newRemote(o.url)
	text, err := checkpointOf(o, log)
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(text, verifier)
	if err != nil {
		return fmt.Errorf("the checkpoint: %v", err)
	}
	if o.size >= 0 && tree.N != o.size {
		return fmt.Errorf("the log has %d entries, not %d", tree.N, o.size)
	}
	if tree.N == 0 {
		return fmt.Errorf("the log is empty")
	}
	*report = append(*report, fmt.Sprintf("%d entries", tree.N))
	leaves, err := readLeaves(log, tree)
	if err != nil {
		return err
	}
	*report = append(*report, fmt.Sprintf("%d tiles", log.tiles))
	if err := verifyBundles(log, tree, leaves, o.noEntries); err != nil {
		return err
	}
	if !o.noEntries {
		*report = append(*report, fmt.Sprintf("%d bundles", log.bundles))
	}
	proven, err := proveRecords(log, tree, leaves, o.records)
	if err != nil {
		return err
	}
	*report = append(*report, fmt.Sprintf("%d inclusion proofs", proven))
	for _, file := range o.old {
		if err := proveTree(log, tree, file, verifier); err != nil {
			return fmt.Errorf("%s: %v", file, err)
		}
	}
	*report = append(*report, fmt.Sprintf("%d consistency proofs", len(o.old)))
	if o.save != "" {
		return os.WriteFile(o.save, []byte(text), 0o644)
	}
	return nil
}

func checkpointOf(o *options, log *remote) (string, error) {
	if o.under == "" {
		return log.checkpoint()
	}
	text, err := os.ReadFile(o.under)
	return string(text), err
}

// Every tile of the tree, read and compared byte for byte with what its leaves say; the leaves with
// the signed root. (TileHashReader of x/mod 0.17 does not authenticate every tile when it reads many at
// once, so it is not enough by itself.)
func readLeaves(log *remote, tree tlog.Tree) ([]tlog.Hash, error) {
	tiles := tlog.NewTiles(height, 0, tree.N)
	data, err := log.ReadTiles(tiles)
	if err != nil {
		return nil, err
	}
	leaves := make([]tlog.Hash, 0, tree.N)
	for i, tile := range tiles {
		if tile.L > 0 {
			continue
		}
		if tile.N != int64(len(leaves))/width {
			return nil, fmt.Errorf("tile 0/%d comes out of order", tile.N)
		}
		for at := 0; at < tile.W; at++ {
			var hash tlog.Hash
			copy(hash[:], data[i][at*tlog.HashSize:])
			leaves = append(leaves, hash)
		}
	}
	var stored storedHashes
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, stored)
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil {
		return nil, err
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("the tiles do not give the signed root")
	}
	for i, tile := range tiles {
		wanted, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(data[i], wanted) {
			return nil, fmt.Errorf("tile %d/%d is not what its leaves say", tile.L, tile.N)
		}
	}
	return leaves, nil
}

// All hashes of a tree in tlog's order.
type storedHashes []tlog.Hash

func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

func verifyBundles(log *remote, tree tlog.Tree, leaves []tlog.Hash, absent bool) error {
	for index := int64(0); index*width < tree.N; index++ {
		count := tree.N - index*width
		if count > width {
			count = width
		}
		entries, err := log.bundle(index, int(count))
		if absent {
			if err == nil {
				return fmt.Errorf("bundle %d is served, and must not be", index)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("bundle %d: %v", index, err)
		}
		for i, entry := range entries {
			if at := index*width + int64(i); tlog.RecordHash(entry) != leaves[at] {
				return fmt.Errorf("entry %d is not the one in the tree", at)
			}
		}
	}
	return nil
}

func proveRecords(log *remote, tree tlog.Tree, leaves []tlog.Hash, most int64) (int64, error) {
	reader := tlog.TileHashReader(tree, log)
	step := int64(1)
	if tree.N > most {
		step = tree.N / most
	}
	proven := int64(0)
	for i := int64(0); i < tree.N; i += step {
		proof, err := tlog.ProveRecord(tree.N, i, reader)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, i, leaves[i])
		}
		if err != nil {
			return 0, fmt.Errorf("entry %d: %v", i, err)
		}
		proven++
	}
	return proven, nil
}

func proveTree(log *remote, tree tlog.Tree, file string, verifier note.Verifier) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	old, err := openCheckpoint(string(text), verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, log))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func verifyReceipts(dir string, verifier note.Verifier) (int, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("no receipts in %s", dir)
	}
	for _, name := range names {
		proof, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		entry, err := os.ReadFile(strings.TrimSuffix(name, ".tlog-proof") + ".entry.json")
		if err != nil {
			return 0, err
		}
		if err := verifyReceipt(string(proof), entry, verifier); err != nil {
			return 0, fmt.Errorf("%s: %v", name, err)
		}
	}
	return len(names), nil
}

// C2SP tlog-proof.
func verifyReceipt(text string, entry []byte, verifier note.Verifier) error {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	if !found {
		return fmt.Errorf("there is no blank line before a checkpoint")
	}
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("the first line is %q", lines[0])
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return fmt.Errorf("there is no index line")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint(checkpoint, verifier)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// C2SP tlog-checkpoint: a signed note of three lines.
func openCheckpoint(text string, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("%q is no size", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%q is no root", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}
