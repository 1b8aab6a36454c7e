// Reads OTLP requests in JSON with the OpenTelemetry collector's own decoder and says what it
// understood. Standard input has one {"path": …, "body": …} a line; standard output gets one object
// for each. The decoder passes over names it does not know, so what it understood is encoded again
// and must be what came in, member by member.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

type line struct {
	Path string `json:"path"`
	Body string `json:"body"`
}

type record struct {
	Trace      string         `json:"trace"`
	Span       string         `json:"span"`
	Name       string         `json:"name,omitempty"`
	Event      string         `json:"event,omitempty"`
	Severity   int32          `json:"severity,omitempty"`
	Start      int64          `json:"start,omitempty"` // milliseconds
	End        int64          `json:"end,omitempty"`
	Attributes map[string]any `json:"attributes"`
}

type answer struct {
	Logs  []record `json:"logs,omitempty"`
	Spans []record `json:"spans,omitempty"`
}

func milliseconds(t pcommon.Timestamp) int64 { return t.AsTime().UnixMilli() }

// What the encoder leaves out because it is the default, or writes although it is: empty lists and
// objects, empty texts, zeros.
func plain(value any) any {
	switch v := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for name, member := range v {
			if p := plain(member); p != nil {
				kept[name] = p
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		kept := []any{}
		for _, item := range v {
			kept = append(kept, plain(item))
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case string:
		if v == "" || v == "0" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return value
}

func compare(in string, out []byte) error {
	var before, after any
	if err := json.Unmarshal([]byte(in), &before); err != nil {
		return err
	}
	if err := json.Unmarshal(out, &after); err != nil {
		return err
	}
	if !reflect.DeepEqual(plain(before), plain(after)) {
		return fmt.Errorf("understood less than was sent\nsent %s\nunderstood %s", in, out)
	}
	return nil
}

func readLogs(body string) (answer, error) {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalJSON([]byte(body)); err != nil {
		return answer{}, err
	}
	again, err := request.MarshalJSON()
	if err != nil {
		return answer{}, err
	}
	var result answer
	resources := request.Logs().ResourceLogs()
	for i := 0; i < resources.Len(); i++ {
		scopes := resources.At(i).ScopeLogs()
		for j := 0; j < scopes.Len(); j++ {
			logs := scopes.At(j).LogRecords()
			for k := 0; k < logs.Len(); k++ {
				log := logs.At(k)
				result.Logs = append(result.Logs, record{Trace: log.TraceID().String(), Span: log.SpanID().String(),
					Event: log.EventName(), Severity: int32(log.SeverityNumber()), Start: milliseconds(log.Timestamp()),
					Attributes: log.Attributes().AsRaw()})
			}
		}
	}
	return result, compare(body, again)
}

func readSpans(body string) (answer, error) {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalJSON([]byte(body)); err != nil {
		return answer{}, err
	}
	again, err := request.MarshalJSON()
	if err != nil {
		return answer{}, err
	}
	var result answer
	resources := request.Traces().ResourceSpans()
	for i := 0; i < resources.Len(); i++ {
		scopes := resources.At(i).ScopeSpans()
		for j := 0; j < scopes.Len(); j++ {
			spans := scopes.At(j).Spans()
			for k := 0; k < spans.Len(); k++ {
				span := spans.At(k)
				result.Spans = append(result.Spans, record{Trace: span.TraceID().String(), Span: span.SpanID().String(),
					Name: span.Name(), Start: milliseconds(span.StartTimestamp()), End: milliseconds(span.EndTimestamp()),
					Attributes: span.Attributes().AsRaw()})
			}
		}
	}
	return result, compare(body, again)
}

func read(text []byte) (answer, error) {
	var one line
	if err := json.Unmarshal(text, &one); err != nil {
		return answer{}, err
	}
	if strings.HasSuffix(one.Path, "/v1/traces") {
		return readSpans(one.Body)
	}
	if strings.HasSuffix(one.Path, "/v1/logs") {
		return readLogs(one.Body)
	}
	return answer{}, fmt.Errorf("no OTLP path: %s", one.Path)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		result, err := read(lines.Bytes())
		if err == nil {
			err = out.Encode(result)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
