// A log served as C2SP tlog-tiles, as a tlog.TileReader. Its paths differ from those of the checksum
// database: the height is always 8 and stands nowhere.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height   = 8
	width    = 1 << height
	mostSize = width * (2 + 65535)
)

type remote struct {
	url     string
	client  *http.Client
	known   map[tlog.Tile][]byte // authenticated
	tiles   int                  // fetched
	bundles int
}

func newRemote(url string) *remote {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4}
	return &remote{
		url:    strings.TrimSuffix(url, "/"),
		client: &http.Client{Timeout: time.Minute, Transport: transport},
		known:  map[tlog.Tile][]byte{},
	}
}

type notFound struct{ path string }

func (e notFound) Error() string { return e.path + " is not there" }

func (r *remote) get(path, contentType string) ([]byte, error) {
	response, err := r.client.Get(r.url + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostSize+1))
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusNotFound {
		return nil, notFound{path}
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	if got := response.Header.Get("Content-Type"); got != contentType {
		return nil, fmt.Errorf("%s has the content type %q, not %q", path, got, contentType)
	}
	if got := response.Header.Get("Content-Encoding"); got != "" {
		return nil, fmt.Errorf("%s came as %s", path, got)
	}
	return body, nil
}

func (r *remote) checkpoint() (string, error) {
	body, err := r.get("/checkpoint", "text/plain; charset=utf-8")
	return string(body), err
}

// 1234067 -> x001/x234/067
func grouped(n int64) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	return text
}

// A partial resource that is gone is the beginning of the full one.
func (r *remote) getPartial(row string, n int64, w int) (body []byte, exact bool, err error) {
	path := fmt.Sprintf("/tile/%s/%s", row, grouped(n))
	if w != width {
		body, err = r.get(fmt.Sprintf("%s.p/%d", path, w), "application/octet-stream")
		if _, gone := err.(notFound); !gone {
			return body, true, err
		}
	}
	body, err = r.get(path, "application/octet-stream")
	return body, w == width, err
}

func (r *remote) Height() int { return height }

func (r *remote) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		if known, ok := r.known[tile]; ok {
			data[i] = known
			continue
		}
		body, exact, err := r.getPartial(fmt.Sprint(tile.L), tile.N, tile.W)
		if err != nil {
			return nil, err
		}
		if len(body) < tile.W*tlog.HashSize || (exact && len(body) > tile.W*tlog.HashSize) {
			return nil, fmt.Errorf("tile %d/%d of %d hashes has %d bytes", tile.L, tile.N, tile.W, len(body))
		}
		data[i] = body[:tile.W*tlog.HashSize]
		r.tiles++
	}
	return data, nil
}

func (r *remote) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, tile := range tiles {
		r.known[tile] = data[i]
	}
}

func (r *remote) bundle(n int64, w int) ([][]byte, error) {
	body, exact, err := r.getPartial("entries", n, w)
	if err != nil {
		return nil, err
	}
	r.bundles++
	entries := make([][]byte, 0, w)
	for len(entries) < w {
		if len(body) < 2 || len(body)-2 < int(binary.BigEndian.Uint16(body)) {
			return nil, fmt.Errorf("it ends after %d of %d entries", len(entries), w)
		}
		length := int(binary.BigEndian.Uint16(body))
		entries = append(entries, body[2:2+length])
		body = body[2+length:]
	}
	if exact && len(body) > 0 {
		return nil, fmt.Errorf("%d bytes follow its %d entries", len(body), w)
	}
	return entries, nil
}
