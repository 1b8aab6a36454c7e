// A witness and a client of witnesses that are not ours (github.com/transparency-dev/witness), for
// the tests of Gatehouse's: it must be witnessed by that one and must witness for that client.
//
//	witness serve LOG_VKEY       a witness in memory on a free port; prints {"url", "key"}, runs on
//	witness key                  prints the vkey of the log that `drive` speaks for
//	witness drive URL COSIGNER   takes that log to the witness at URL, whose key is COSIGNER
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"

	fnote "github.com/transparency-dev/formats/note"
	client "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		os.Exit(1)
	}
}

func serve(logKey string) {
	const name = "go.example/witness"
	secret, public, err := note.GenerateKey(rand.Reader, name)
	check(err)
	key, err := fnote.VKeyToCosignatureV1(public)
	check(err)
	signer, err := fnote.NewSignerForCosignatureV1(secret)
	check(err)
	verifier, err := note.NewVerifier(logKey)
	check(err)
	ours, err := witness.New(context.Background(), witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return verifier, origin == verifier.Name(), nil
		},
	})
	check(err)
	handler := witness.NewHTTPHandler(ours)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", handler.AddCheckpoint)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(map[string]string{
		"url": "http://" + listener.Addr().String(), "key": key}))
	check(http.Serve(listener, mux))
}

type sameByte byte

func (b sameByte) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

func logKeys(fill byte) (note.Signer, string) {
	secret, public, err := note.GenerateKey(sameByte(fill), "go.example/log")
	check(err)
	signer, err := note.NewSigner(secret)
	check(err)
	return signer, public
}

// A tree in memory, with the hashes as sumdb/tlog stores them.
type tree struct {
	hashes []tlog.Hash
	size   int64
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = t.hashes[index]
	}
	return out, nil
}

func (t *tree) add(entry string) {
	hashes, err := tlog.StoredHashes(t.size, []byte(entry), t)
	check(err)
	t.hashes = append(t.hashes, hashes...)
	t.size++
}

func (t *tree) checkpoint(signer note.Signer) []byte {
	root, err := tlog.TreeHash(t.size, t)
	check(err)
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("go.example/log\n%d\n%s\n", t.size, root)}, signer)
	check(err)
	return signed
}

func (t *tree) prove(from int64) [][]byte {
	if from == 0 || from == t.size {
		return nil
	}
	proof, err := tlog.ProveTree(t.size, from, t)
	check(err)
	out := make([][]byte, len(proof))
	for i := range proof {
		out[i] = proof[i][:]
	}
	return out
}

func drive(at, cosigner string) {
	base, err := url.Parse(at)
	check(err)
	theirs := client.NewWitness(base, http.DefaultClient)
	signer, _ := logKeys(1)
	verifier, err := fnote.NewVerifierForCosignatureV1(cosigner)
	check(err)
	ctx := context.Background()
	expect := func(what string, wanted error, old int64, checkpoint []byte, proof [][]byte) uint64 {
		_, size, err := theirs.Update(ctx, uint64(old), checkpoint, proof)
		if !errors.Is(err, wanted) {
			check(fmt.Errorf("%s: expected %v, got %v", what, wanted, err))
		}
		return size
	}

	var log tree
	cosigned, old := 0, int64(0)
	for log.size < 300 {
		log.add(fmt.Sprint("entry ", log.size))
		if log.size%7 != 0 && log.size > 20 && log.size != 256 && log.size != 257 {
			continue
		}
		checkpoint := log.checkpoint(signer)
		lines, _, err := theirs.Update(ctx, uint64(old), checkpoint, log.prove(old))
		check(err)
		opened, err := note.Open(append(checkpoint, lines...), note.VerifierList(verifier))
		check(err)
		if _, err := fnote.CoSigV1Timestamp(opened.Sigs[0]); err != nil {
			check(err)
		}
		old = log.size
		cosigned++
	}

	fork := tree{}
	for fork.size < log.size {
		fork.add(fmt.Sprint("forked ", fork.size))
	}
	expect("same size, other root", witness.ErrInvalidProof, old, fork.checkpoint(signer), nil)
	fork.add("more")
	expect("another branch", witness.ErrInvalidProof, old, fork.checkpoint(signer), fork.prove(old))
	if known := expect("rolled back", witness.ErrCheckpointStale, 0, log.checkpoint(signer), nil); known != uint64(old) {
		check(fmt.Errorf("the witness knows %d, not %d", known, old))
	}
	log.add("bad proof")
	proof := log.prove(old)
	proof[0] = make([]byte, 32)
	expect("a bad proof", witness.ErrInvalidProof, old, log.checkpoint(signer), proof)
	stranger, _ := logKeys(2)
	expect("another key", witness.ErrNoValidSignature, old, log.checkpoint(stranger), log.prove(old))
	other, err := note.Sign(&note.Note{Text: "other.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"}, signer)
	check(err)
	expect("an unknown log", witness.ErrUnknownLog, 0, other, nil)

	shown, err := http.Get(fmt.Sprintf("%s/%x/checkpoint", at, sha256.Sum256([]byte("go.example/log"))))
	check(err)
	shownNote, err := io.ReadAll(shown.Body)
	check(err)
	_, public := logKeys(1)
	logVerifier, err := note.NewVerifier(public)
	check(err)
	opened, err := note.Open(shownNote, note.VerifierList(verifier, logVerifier))
	check(err)
	if len(opened.Sigs) != 2 || len(opened.UnverifiedSigs) != 0 {
		check(errors.New("the monitors' checkpoint does not have both signatures"))
	}
	fmt.Printf("%d checkpoints cosigned, 6 refusals\n", cosigned)
}

func main() {
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "serve":
		serve(args[1])
	case len(args) == 1 && args[0] == "key":
		_, public := logKeys(1)
		fmt.Println(public)
	case len(args) == 3 && args[0] == "drive":
		drive(args[1], args[2])
	default:
		fmt.Fprintln(os.Stderr, "usage: witness serve LOG_VKEY | key | drive URL COSIGNER")
		os.Exit(2)
	}
}
